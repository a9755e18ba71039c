"""Running part of the warehouse's SQL again beside it, with other inputs: another ladder, or what was received by then.

dbt has compiled every model; what is run here is that very SQL, in a database in memory whose catalog has the name that
the compiled SQL says. What is given stands in for what dbt built; everything else is made from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from crm_warehouse.errors import BuildFailed
from crm_warehouse.files import read_json
from crm_warehouse.settings import PROJECT
from crm_warehouse.sql_text import as_text

BUILT = "last_build"


@dataclass(frozen=True)
class Model:
    """One model as dbt compiled it, or a seed, which is a file and its types. `needs` are names of models and seeds."""

    name: str
    schema: str
    sql: str
    is_view: bool
    needs: tuple[str, ...]
    file: Path
    column_types: dict[str, str]


class CompiledModels:
    """The models and seeds of a dbt manifest, by name, and the catalog that their SQL names.

    `replaced` are texts that stand for others in every model's SQL, as the literal of another business date.
    """

    def __init__(self, manifest: Path, replaced: dict[str, str] | None = None) -> None:
        nodes = {
            key: node
            for key, node in read_json(manifest)["nodes"].items()
            if node["resource_type"] in ("model", "seed")
        }
        self.catalog: str = next(iter(nodes.values()))["database"]
        self.by_name = {
            node["name"]: Model(
                node["name"],
                node["schema"],
                _replace(node.get("compiled_code") or "", replaced or {}),
                node["config"].get("materialized") == "view",
                tuple(nodes[need]["name"] for need in node.get("depends_on", {}).get("nodes", ()) if need in nodes),
                PROJECT / "dbt_project" / node["original_file_path"],
                node["config"].get("column_types") or {},
            )
            for node in nodes.values()
        }

    def relation(self, name: str) -> str:
        """The quoted relation of a model or seed, as the compiled SQL says it."""
        return f'"{self.catalog}"."{self._schema(name)}"."{name}"'

    def order(self, targets: Collection[str], given: Collection[str]) -> list[Model]:
        """`targets` and all they need that is not given, each after what it needs."""
        ordered: dict[str, Model] = {}

        def visit(name: str) -> None:
            if name in given or name in ordered:
                return
            for need in self.by_name[name].needs:
                visit(need)
            ordered[name] = self.by_name[name]

        for target in targets:
            visit(target)
        return list(ordered.values())

    def read_seeds_from(self, folder: Path) -> None:
        """Let the seeds that have a file in `folder` be read there instead of in the project."""
        for file in folder.glob("*.csv"):
            self.by_name[file.stem] = replace(self.by_name[file.stem], file=file)

    @contextmanager
    def scratch(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An empty database in memory with this project's catalog and schemas."""
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"attach ':memory:' as \"{self.catalog}\"")
            connection.execute(f'use "{self.catalog}"')
            for schema in sorted({model.schema for model in self.by_name.values()}):
                connection.execute(f'create schema if not exists "{schema}"')
            yield connection

    def attach(self, connection: duckdb.DuckDBPyConnection, database: Path) -> None:
        """Let a scratch database read the one that dbt built, under a name of its own."""
        connection.execute(f"attach {as_text(database)} as {BUILT} (read_only)")

    def built(self, name: str) -> str:
        """The quoted relation that dbt built for a model or seed, in a database that has it attached."""
        return f'"{BUILT}"."{self._schema(name)}"."{name}"'

    def _schema(self, name: str) -> str:
        if name not in self.by_name:
            raise BuildFailed(
                f"the last build has no {name}: it is of another version of this project; run again, then ask again"
            )
        return self.by_name[name].schema

    def give(self, connection: duckdb.DuckDBPyConnection, names: Collection[str], where: str = "true") -> None:
        """Let tables that dbt built, or those rows of them, stand in a scratch database."""
        for name in names:
            connection.execute(f"create view {self.relation(name)} as from {self.built(name)} where {where}")

    def run(self, connection: duckdb.DuckDBPyConnection, targets: Collection[str], given: Collection[str]) -> None:
        """Make `targets` in a scratch database, from what was put there before under the names in `given`."""
        for model in self.order(targets, given):
            kind = "view" if model.is_view else "table"
            connection.execute(f"create or replace {kind} {self.relation(model.name)} as {model.sql or _read(model)}")


def _read(seed: Model) -> str:
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in seed.column_types.items())
    return f"select * from read_csv('{seed.file}', header = true, types = {{{types}}})"


def _replace(text: str, replaced: dict[str, str]) -> str:
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text
