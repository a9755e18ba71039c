"""The canonical contract, as dbt has it: each table's columns with their types, and which a bank must provide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class CanonicalTable:
    """A table of the contract, by its name without `stg_`."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    is_required: bool


def read_contract(project: Path) -> dict[str, CanonicalTable]:
    """Every canonical table of the project, from the YAML of `models/staging`."""
    tables = {}
    for path in sorted((project / "dbt_project" / "models" / "staging").glob("*/_*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            name = model["name"].removeprefix("stg_")
            keys = [test["unique_key"]["columns"] for test in model.get("data_tests", []) if "unique_key" in test]
            tables[name] = CanonicalTable(
                name,
                {column["name"]: column["data_type"] for column in model["columns"]},
                tuple(keys[0]) if keys else (),
                bool(model.get("config", {}).get("meta", {}).get("required")),
            )
    return tables
