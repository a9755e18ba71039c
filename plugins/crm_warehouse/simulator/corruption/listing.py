"""The catalogue of kinds as a table for people."""

from __future__ import annotations

from rich.table import Table

from crm_warehouse.simulator.corruption.catalogue import KINDS
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, Kind

WAYS = {"transit": "in transit", "source": "at source", "both": "both"}
COLOURS = {"block": "red", "quarantine": "yellow", "warn": "cyan", "accept": "green"}


def table_of_kinds() -> Table:
    caption = "Expected at the source; in transit the control file disagrees, and every kind should block."
    table = Table(title=f"{len(KINDS)} kinds of corruption", caption=caption, show_lines=True)
    for heading in ("kind", "extracts", "what it does", "way", "expected", "magnitude"):
        table.add_column(heading, overflow="fold")
    for kind in KINDS:
        extracts = "every extract" if kind.applies_to == EVERY_EXTRACT else ", ".join(kind.applies_to)
        what = f"{kind.description_en}\n{kind.description_zh}"
        expected = f"[{COLOURS[kind.expected]}]{kind.expected}[/]"
        table.add_row(kind.name, extracts, what, WAYS[kind.way], expected, _magnitude(kind))
    return table


def _magnitude(kind: Kind) -> str:
    if kind.reach == "all":
        return "all"
    return f"{kind.magnitude:.1%} of rows" if kind.reach == "share" else f"factor {kind.magnitude:g}"
