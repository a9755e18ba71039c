"""Mappings of a profile (`staging/*.sql`) against what the bank sends and what the contract wants.

Each is rendered with the project's own macros and bound by the engine that will run it, over empty tables of the
declared columns: what the engine would refuse on the first night is refused here, with the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from crm_warehouse.onboarding.contract import CanonicalTable
from crm_warehouse.onboarding.findings import Finding
from crm_warehouse.profile import Profile
from crm_warehouse.profile_checks import did_you_mean

AREA = "staging"
TYPES = {
    "text": "varchar", "date": "date", "timestamp": "timestamp", "decimal": "decimal(18,2)", "fraction": "decimal(18,9)",
    "quantity": "decimal(38,6)", "integer": "bigint", "boolean": "boolean",
}  # fmt: skip
# What no engine casts. A `null` has no type of its own, and a text may hold anything.
NEVER_FROM = {
    "boolean": ("date", "timestamp"),
    "date": ("boolean", "bigint", "decimal"),
    "timestamp": ("boolean", "bigint", "decimal"),
}
ADDED = "business_date date, batch bigint, _source_row bigint, received_at timestamp"  # by landing


class MappingWrong(Exception):
    """A mapping cannot be rendered or bound; the text says why, `line` where."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


class Mappings:
    """All mappings of one bank, bound in the order in which they read each other."""

    def __init__(self, project: Path, profile: Profile, contract: dict[str, CanonicalTable]) -> None:
        self.profile, self.contract = profile, contract
        self.files = {path.stem: path for path in sorted((profile.folder / "staging").glob("*.sql"))}
        self.extracts = {(spec.source, spec.name): spec for spec in profile.extracts}
        self.database = duckdb.connect()
        self.macros = _macros(project)
        self.bound: dict[str, bool] = {}  # whether a mapping could be bound; absent: not tried yet
        self.findings: list[Finding] = []
        self.read: set[tuple[str, str]] = set()
        self.seeds: set[str] = set()
        self._create_extracts()

    def check(self) -> list[Finding]:
        """What is right and wrong with each mapping, and with what is not mapped."""
        for table in self.files:
            self._bind(table, ())
        for name in sorted(set(self.extracts) - self.read):
            self._say(
                "note", f"extract {'.'.join(name)} is read by no mapping: it lands and is judged, but feeds nothing"
            )
        self._check_provided()
        return self.findings

    def _check_provided(self) -> None:
        for table in self.profile.not_provided:
            if table not in self.contract:
                near = did_you_mean(table, self.contract)
                self._say("blocks", f"extracts.yml: not_provided names {table}, which is no canonical table{near}")
            elif table in self.files:
                self._say(
                    "blocks", f"extracts.yml: not_provided names {table}, but staging/{table}.sql maps it: leave one"
                )
        for table, body in self.contract.items():
            if body.is_required and table not in self.files and table not in self.profile.not_provided:
                self._say(
                    "blocks",
                    f"staging/{table}.sql is missing, and every bank must provide {table}: map it, or declare"
                    f" `not_provided: [{table}]` in extracts.yml, and what depends on it stays empty",
                )

    def _say(self, level: str, text: str) -> None:
        self.findings.append(Finding(level, AREA, text))

    def _create_extracts(self) -> None:
        for spec in self.profile.extracts:
            columns = ", ".join(
                f'"{column.name}" {TYPES[column.type]}'
                for column in spec.columns
                if column.name.lower() != "business_date"
            )
            self.database.execute(f'create table "landed__{spec.table}" ({columns}, {ADDED})')

    def _bind(self, table: str, reading: tuple[str, ...]) -> bool:
        """Make a view of a mapping, after those it reads. False when it, or one of those, is wrong."""
        if table in self.bound:
            return self.bound[table]
        self.bound[table] = False
        path = self.files[table]
        try:
            if table not in self.contract:
                near = did_you_mean(table, self.contract)
                raise MappingWrong(f"is no canonical table{near}; name the file after one of models/staging")
            sql = self._rendered(table, path, reading)
            self._create_view(table, sql)
            self._compare(table)
            self.bound[table] = True
        except MappingWrong as wrong:
            self._say("blocks", f"{path}, line {wrong.line}: {wrong}")
        return self.bound[table]

    def _rendered(self, table: str, path: Path, reading: tuple[str, ...]) -> str:
        text = path.read_text(encoding="utf-8")
        given = {
            **self.macros,
            "landed": self._landed,
            "in_force": self._in_force,
            "ref": lambda name: self._ref(name, (*reading, table)),
        }
        try:
            return _environment().from_string(text).render(given)
        except jinja2.TemplateSyntaxError as problem:
            raise MappingWrong(f"its Jinja cannot be read: {problem.message}", problem.lineno) from None
        except jinja2.UndefinedError as problem:
            name = re.search("'([^']*)' is undefined", str(problem))
            near = did_you_mean(name.group(1), given) if name else ""
            line = _line_of(text, name.group(1)) if name else 1
            raise MappingWrong(f"{problem}{near}; macros are in dbt_project/macros", line) from None
        except MappingWrong as wrong:
            raise MappingWrong(
                str(wrong), _line_of(text, wrong.args[0].split("'")[1]) if "'" in str(wrong) else 1
            ) from None

    def _landed(self, source: str, extract: str) -> str:
        known = [".".join(name) for name in self.extracts]
        if (source, extract) not in self.extracts:
            near = did_you_mean(f"{source}.{extract}", known)
            raise MappingWrong(
                f"landed('{source}', '{extract}') is not declared in extracts.yml{near}; declared are {', '.join(known)}"
            )
        self.read.add((source, extract))
        return f'"landed__{source}__{extract}"'

    def _in_force(self, versions: str, key: list[str]) -> str:
        spec = next((s for s in self.profile.extracts if f'"landed__{s.table}"' == versions), None)
        if spec and list(spec.key) != list(key):
            raise MappingWrong(
                f"in_force of '{spec.name}' has the key {key}, but extracts.yml says {list(spec.key)}: use that"
            )
        return versions

    def _ref(self, name: str, reading: tuple[str, ...]) -> str:
        if name in reading:
            raise MappingWrong(f"'{name}' reads itself by way of {' and '.join(reading)}: break the circle")
        if name in self.files:
            if not self._bind(name, reading):
                raise MappingWrong(f"reads '{name}', which is wrong itself: mend that first")
            return f'"{name}"'
        seed = self.profile.folder / "policy" / f"{name}.csv"
        if not seed.is_file():
            known = [*self.files, *(path.stem for path in seed.parent.glob("*.csv"))]
            raise MappingWrong(
                f"ref('{name}') is neither a mapping nor a policy file of this bank{did_you_mean(name, known)}"
            )
        if name not in self.seeds:
            self.seeds.add(name)
            self.database.execute(f'create table "{name}" as select * from read_csv(?, header = true)', [str(seed)])
        return f'"{name}"'

    def _create_view(self, table: str, sql: str) -> None:
        try:
            self.database.execute(f'create view "{table}" as {sql}')
        except duckdb.Error as problem:
            raise MappingWrong(*_of_engine(problem)) from None

    def _compare(self, table: str) -> None:
        """The columns the contract wants are there and are of types that can become its own; others are left out by it."""
        described = self.database.execute(f'describe "{table}"').fetchall()
        found = {column: kind.lower() for column, kind, *_ in described}
        wanted = self.contract[table].columns
        missing, extra = [c for c in wanted if c not in found], [c for c in found if c not in wanted]
        if missing:
            near = "".join(f"; {name} looks like {c}" for c in missing for name in extra if did_you_mean(name, [c]))
            raise MappingWrong(
                f"gives no {', '.join(missing)}, which {table} has{near};"
                f" what the bank does not know is `null as {missing[0]}`"
            )
        wrong = [
            f"{column} is {found[column]}, which cannot become {kind}"
            for column, kind in wanted.items()
            if kind.split("(")[0] in NEVER_FROM.get(found[column].split("(")[0], ())
        ]
        if wrong:
            raise MappingWrong("; ".join(wrong))
        if extra:
            self._say("warning", f"staging/{table}.sql gives {', '.join(extra)}, which {table} does not have: left out")
        self._say("fine", f"staging/{table}.sql fills all {len(wanted)} columns of {table}")


def _of_engine(problem: duckdb.Error) -> tuple[str, int]:
    """The engine's sentence and line; it names columns and suggests those that look alike."""
    text = str(problem)
    line = re.search(r"LINE (\d+):", text)
    sentence = re.sub(r"\s+", " ", text.split("LINE ")[0]).strip()
    return f"the engine refuses it: {sentence}", int(line.group(1)) if line else 1


def _line_of(text: str, word: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), start=1) if word in line), 1)


def _environment() -> jinja2.Environment:
    return jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"], autoescape=False)


def _macros(project: Path) -> dict[str, Any]:
    """The project's macros, callable; on one line, so that the engine's line is the file's. `var` gives a date."""
    files = [
        path
        for path in sorted((project / "dbt_project" / "macros").glob("*.sql"))
        if "{% test " not in path.read_text(encoding="utf-8")
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    macros: dict[str, Any] = {}

    class Adapter:
        """What macros ask dbt's adapter for: this engine's variant of a macro."""

        @staticmethod
        def dispatch(name: str, *_: object) -> Callable:
            return macros[f"duckdb__{name}"]

    given = {
        "adapter": Adapter,
        "return": lambda value: value,
        "var": lambda *_: "2026-01-01",
        "env_var": lambda *_: "",
    }
    module = _environment().from_string(text).make_module(given)
    for name, macro in vars(module).items():
        if callable(macro) and not name.startswith("_"):
            macros[name] = _in_one_line(macro)
    return macros | given


def _in_one_line(macro: Callable) -> Callable:
    return lambda *values, **named: re.sub(r"\s*\n\s*", " ", str(macro(*values, **named)))
