"""Reading and landing take the memory of a piece, not of a file; the benchmark's own functions, in small."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.landing import measure


def test_four_times_the_rows_take_no_more_memory_to_read_and_land():
    small, large = (measure("read", rows) for rows in (200_000, 800_000))
    for step in ("extract", "land"):
        growth = large["steps"][step]["peak_mib"] - small["steps"][step]["peak_mib"]
        assert growth < 48, (step, small["steps"], large["steps"])  # MiB; the file has 32 more, its rows in memory 90
