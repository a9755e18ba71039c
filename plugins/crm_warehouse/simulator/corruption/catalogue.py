"""Every kind of corruption there is, found by name."""

from __future__ import annotations

import difflib

from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.simulator.corruption import (
    controls,
    customers,
    files,
    ledger,
    movements,
    products,
    rates,
    relations,
    rows,
    spelling,
)
from crm_warehouse.simulator.corruption.kind import Kind

MODULES = (files, controls, rows, spelling, customers, ledger, movements, products, relations, rates)
KINDS: tuple[Kind, ...] = tuple(kind for module in MODULES for kind in module.KINDS)


def find_kind(name: str) -> Kind:
    """The kind of that name; CorruptionRefused names those that look like it."""
    found = next((kind for kind in KINDS if kind.name == name), None)
    if found is None:
        near = difflib.get_close_matches(name, [kind.name for kind in KINDS], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "see `corrupt --list`"
        raise CorruptionRefused(f"there is no kind of corruption '{name}': {hint}")
    return found
