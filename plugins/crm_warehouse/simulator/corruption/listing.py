"""The catalogue of kinds as a table for people."""

from __future__ import annotations

from rich.table import Table

from crm_warehouse.simulator.corruption.catalogue import KINDS
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, Kind

WAYS = {"transit": "in transit", "source": "at source", "both": "both"}
COLOURS = {"block": "red", "quarantine": "yellow", "warn": "cyan", "accept": "green"}


def table_of_kinds() -> Table:
    caption = "Expected at the source; in transit the control file disagrees, and every kind should block."
    table = Table(title=f"{len(KINDS)} kinds of corruption", caption=caption)
    table.add_column("kind", no_wrap=True)
    table.add_column("what it does, to which extracts", overflow="fold")
    table.add_column("way, expected", overflow="fold")
    for kind in KINDS:
        extracts = "every extract" if kind.applies_to == EVERY_EXTRACT else ", ".join(kind.applies_to)
        what = f"{kind.description_en} {kind.description_zh} [dim]({extracts}; {_magnitude(kind)})[/]"
        table.add_row(kind.name, what, f"{WAYS[kind.way]}, [{COLOURS[kind.expected]}]{kind.expected}[/]")
    return table


def _magnitude(kind: Kind) -> str:
    if kind.reach == "all":
        return "all"
    return f"{kind.magnitude:.1%} of rows" if kind.reach == "share" else f"factor {kind.magnitude:g}"
