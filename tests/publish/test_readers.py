"""Readers that open and query all the while: no error, and each one sees one whole night."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import settings_in
from publish.candidates import candidate_of, publish

from crm_warehouse.publish import versions

# By the pointer, the proven opener, the stable name and the Parquet set; one holds the connection it opened at first.
WAYS = ("pointer", "pointer", "opener", "opener", "link", "link", "parquet", "held")
READER = """
import json, os, sys, duckdb
from pathlib import Path
from crm_warehouse.publish.opening import open_live
from crm_warehouse.publish.versions import live_version
from crm_warehouse.settings import Settings

os.nice(10)  # eight of them on two cores must not starve the publisher
way, home, stop = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
settings = Settings("reference_bank", home, home, home)
published = home / "published"
held = duckdb.connect(str(published / "current.duckdb"), read_only=True) if way == "held" else None
reads, seen = 0, set()
while True:
    stopping = stop.exists()
    live, tables = None, ("marts.a", "marts.b")
    if way == "pointer":
        live = live_version(settings)
        connection = duckdb.connect(str(published / live["file"]), read_only=True)
    elif way == "opener":
        opened = open_live(settings)
        assert opened.problem is None, opened.problem
        connection, live = opened.connection, opened.version
    elif way == "link":
        connection = duckdb.connect(str(published / "current.duckdb"), read_only=True)
    elif way == "parquet":
        live = live_version(settings)
        tables = tuple(f"'{published / live['version'] / mart}.parquet'" for mart in "ab")
        connection = duckdb.connect()
    else:
        connection = held.cursor()
    a, b = (connection.execute(f"select min(n), max(n), count(*) from {table}").fetchone() for table in tables)
    connection.close()
    assert a == b and a[0] == a[1] and a[2] == 3, (a, b)
    assert live is None or live["run_id"].endswith(f"_{a[0]}"), (a, live["run_id"])
    reads += 1
    seen.add(live["version"] if live else a[0])
    if reads == 1:
        print("reading", flush=True)
    if stopping:
        break
print(json.dumps({"way": way, "reads": reads, "versions": len(seen), "last": a[0]}))
"""


@pytest.mark.parametrize("publishes", [25, pytest.param(500, marks=pytest.mark.slow)])
def test_readers_never_fail_and_see_one_whole_night_each_time(publishes: int, tmp_path: Path):
    settings = settings_in(tmp_path / "home")
    candidates = []
    for n in range(10):  # they come again and again: only that each differs from the one before counts
        file, audited = candidate_of(settings, n)
        candidates.append((file.rename(file.with_name(f"candidate_{n}.duckdb")), audited))
    publish(settings, 0, run_id="before_0")
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER]
    readers = [
        subprocess.Popen(
            [*command, way, str(settings.home), str(stop)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for way in WAYS
    ]
    try:
        assert [reader.stdout.readline() for reader in readers] == ["reading\n"] * len(WAYS)
        began = time.monotonic()
        for number in range(1, publishes + 1):
            file, audited = candidates[number % 10]
            lease = versions.take_lease(settings)
            versions.publish(settings, file, {**audited, "run_id": f"{number}_{number % 10}"}, lease, False)
        took = time.monotonic() - began
    finally:
        stop.touch()
        results = [reader.communicate(timeout=120) for reader in readers]
    assert [error for _, error in results] == [""] * len(WAYS)
    found = [json.loads(output) for output, _ in results]
    print(f"\n{publishes} publishes in {took:.1f} s", *found, sep="\n")
    for reader in found:
        assert reader["last"] == (0 if reader["way"] == "held" else publishes % 10)
        assert reader["versions"] == 1 if reader["way"] == "held" else reader["versions"] >= 2
