"""A bank's profile: which extracts it sends, in which form, with which columns (`banks/<bank>/extracts.yml`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from crm_warehouse.errors import SettingsError
from crm_warehouse.policy import read_policy
from crm_warehouse.settings import Settings

COLUMN_TYPES = ("text", "date", "timestamp", "decimal", "fraction", "quantity", "integer", "boolean")
# What a source of each kind must say, and what else it may say, besides `kind` and `delivery`.
KINDS = {
    "delimited": ({"file"}, {"encoding", "delimiter", "control", "header", "last_row_may_be_cut"}),
    "parquet": ({"file"}, {"control"}),
    "http": ({"connection"}, {"page_size"}),
    "postgresql": ({"connection", "table"}, {"business_date_column"}),
}
ANY_KIND = {"kind", "delivery", "expect", "longest_value_bytes"}
DELIVERIES = ("full", "events", "changes")
# What ends up in a variable's name or in SQL is written so that it can mean nothing else there.
CONNECTION = re.compile(r"[a-z][a-z0-9_]{0,39}")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True)
class Column:
    """One column as the bank sends it. `format` is a strptime pattern for dates and timestamps that are not ISO.

    `not_cards`: its long numbers are ids of another kind, so they are not looked at as card numbers.
    """

    name: str
    type: str
    key: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    references: str | None = None
    control_total: bool = False
    personal: bool = False
    not_cards: bool = False
    format: str | None = None


@dataclass(frozen=True)
class Extract:
    """One extract. `delivery` says what a file of it holds:

    - `full`: the whole table each time;
    - `events`: only what happened since the delivery before; a key comes once, ever;
    - `changes`: the rows that are new or changed since the delivery before; a key comes once in a delivery, and its row of
      the latest business date is the one in force.

    `file` is the path of a file of kinds delimited and parquet; `connection` names the address of kinds http and
    postgresql. `database_table` (`table:` in the profile) and `business_date_column` say where a database has the
    rows: those of one business date, or without such a column the table as it stands. `expect` says what must hold of
    its rows beyond types and keys, principle by principle (`expectations/landing`). A row with a value of more than
    `longest_value_bytes` (in UTF-8) is rejected with its row number: no column of a bank is that long.
    """

    source: str
    name: str
    kind: str
    file: str
    delivery: str
    columns: tuple[Column, ...]
    encoding: str = "utf-8"
    delimiter: str = ","
    control: bool = False
    header: bool = True
    last_row_may_be_cut: bool = False
    connection: str = ""
    page_size: int = 1000
    database_table: str = ""
    business_date_column: str | None = None
    longest_value_bytes: int = 100_000
    expect: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def table(self) -> str:
        """Name in gates, mappings and messages: `<source>__<extract>`."""
        return f"{self.source}__{self.name}"

    @property
    def may_be_empty(self) -> bool:
        """Nothing new on a quiet day; a full list without rows would empty the warehouse."""
        return self.delivery != "full"

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)

    @property
    def relation(self) -> tuple[str, str]:
        """Schema and table that a database has this extract in."""
        schema, table = self.database_table.replace("{extract}", self.name).split(".")
        return schema, table

    @property
    def shows_only_now(self) -> bool:
        """Whether a day that is over can no longer be read: a table that does not say which day its rows are of."""
        return self.kind == "postgresql" and self.business_date_column is None

    def path(self, root: Path, business_date: date) -> Path:
        return root / self.file.format(business_date=business_date.isoformat(), extract=self.name)


@dataclass(frozen=True)
class Profile:
    """A bank: its names, currency, time zone, extracts, and the canonical tables it provides."""

    bank: str
    name_en: str
    name_zh: str
    reporting_currency: str
    timezone: str
    initial_delivery_on: date
    demo_last_business_date: date
    delivery_cut_off: str
    customer_column: str
    simulated: bool
    extracts: tuple[Extract, ...]
    provided: tuple[str, ...]
    folder: Path = field(repr=False)

    @property
    def customer_extract(self) -> tuple[Extract, str]:
        """The extract that lists every customer, and its column of customer ids."""
        source, name, column = self.customer_column.split(".")
        return next(e for e in self.extracts if (e.source, e.name) == (source, name)), column

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(extract.source for extract in self.extracts))

    def extracts_of(self, source: str) -> list[Extract]:
        return [extract for extract in self.extracts if extract.source == source]

    @cached_property
    def calendar_exceptions(self) -> dict[date, bool]:
        """Weekdays on which the bank is closed (False) and weekend days on which it is open (True)."""
        rows = read_policy(self.folder, "calendar_exceptions")
        return {date.fromisoformat(row["calendar_date"]): row["is_business_day"] == "true" for row in rows}

    def business_dates(self, first: date, last: date) -> list[date]:
        """The dates of [first, last] on which the bank delivers: its initial delivery and its business days after."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [
            day
            for day in days
            if day == self.initial_delivery_on
            or (day > self.initial_delivery_on and self.calendar_exceptions.get(day, day.weekday() < 5))
        ]


def load_profile(settings: Settings) -> Profile:
    """Read and check the profile of `settings.bank`; SettingsError names the file, the place and what is allowed."""
    path = settings.bank_folder / "extracts.yml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        extracts = tuple(
            _extract(path, source, form, name, body)
            for source, form in content["sources"].items()
            for name, body in form["extracts"].items()
        )
        profile = Profile(
            bank=content["bank"],
            name_en=content["name_en"],
            name_zh=content["name_zh"],
            reporting_currency=content["reporting_currency"],
            timezone=content["timezone"],
            initial_delivery_on=content["initial_delivery_on"],
            demo_last_business_date=content["demo_last_business_date"],
            delivery_cut_off=content["delivery_cut_off"],
            customer_column=content["customer_column"],
            simulated=content.get("simulated", False),
            extracts=extracts,
            provided=tuple(sorted(sql.stem for sql in (settings.bank_folder / "staging").glob("*.sql"))),
            folder=settings.bank_folder,
        )
    except SettingsError:
        raise
    except yaml.YAMLError as problem:
        raise SettingsError(f"{path} is not valid YAML: {problem}") from None
    except (TypeError, AttributeError, ValueError) as problem:
        raise SettingsError(f"{path} is not a bank profile: {problem} (see CONTRIBUTING, add a bank)") from None
    except KeyError as missing:
        raise SettingsError(f"{path} has no {missing}: every profile needs it (see CONTRIBUTING, add a bank)") from None
    _check_references(path, profile)
    return profile


def _extract(path: Path, source: str, form: dict, name: str, body: dict) -> Extract:
    place = f"{path}: {source}.{name}"
    columns = []
    for column, attributes in body["columns"].items():
        attributes = attributes or {}
        unknown = set(attributes) - set(Column.__dataclass_fields__)
        if unknown:
            raise SettingsError(f"{place}.{column} has unknown attribute(s) {', '.join(sorted(unknown))}")
        if attributes.get("type") not in COLUMN_TYPES:
            raise SettingsError(
                f"{place}.{column} has type {attributes.get('type')!r}: use one of {', '.join(COLUMN_TYPES)}"
            )
        values = tuple(str(value) for value in attributes.get("values", ()))
        columns.append(Column(name=column, **{**attributes, "values": values}))
    settings = {key: value for key, value in {**form, **body}.items() if key not in ("extracts", "columns")}
    _check_settings(place, settings)
    settings["database_table"] = settings.pop("table", "")
    extract = Extract(source=source, name=name, columns=tuple(columns), **{"file": "", **settings})
    if not extract.key:
        raise SettingsError(f"{place} has no key: mark at least one column with `key: true`")
    if extract.kind == "postgresql":
        _check_database(place, extract)
    return extract


def _check_settings(place: str, settings: dict) -> None:
    """Every setting is one that its kind of source has, none that the kind needs is missing, and each can be used."""
    known = ANY_KIND.union(*(needed | optional for needed, optional in KINDS.values()))
    unknown = set(settings) - known
    if unknown:
        raise SettingsError(f"{place} has unknown setting(s) {', '.join(sorted(unknown))}")
    if settings["kind"] not in KINDS or settings["delivery"] not in DELIVERIES:
        raise SettingsError(
            f"{place}: kind must be one of {', '.join(KINDS)} and delivery one of {', '.join(DELIVERIES)}"
        )
    needed, optional = KINDS[settings["kind"]]
    missing = needed - set(settings)
    if missing:
        raise SettingsError(f"{place} lacks {', '.join(sorted(missing))}, which kind {settings['kind']} needs")
    foreign = set(settings) - needed - optional - ANY_KIND
    if foreign:
        raise SettingsError(
            f"{place} has {', '.join(sorted(foreign))}, which kind {settings['kind']} does not know;"
            f" besides {', '.join(sorted(needed))} it knows {', '.join(sorted(optional))}"
        )
    page_size = settings.get("page_size", 1)
    if type(page_size) is not int or page_size < 1:
        raise SettingsError(f"{place}: page_size is {page_size!r}: write how many rows a page may have, from 1 on")
    longest = settings.get("longest_value_bytes", 1)
    if type(longest) is not int or longest < 1:
        raise SettingsError(f"{place}: longest_value_bytes is {longest!r}: write how long a value may be, from 1 on")
    if "connection" in settings and not CONNECTION.fullmatch(str(settings["connection"])):
        raise SettingsError(
            f"{place}: connection is a name of small letters, digits and _, never an address:"
            " the address stands in the environment"
        )


def _check_database(place: str, extract: Extract) -> None:
    parts = str(extract.database_table).replace("{extract}", extract.name).split(".")
    if len(parts) != 2 or not all(IDENTIFIER.fullmatch(part) for part in parts):
        raise SettingsError(
            f"{place}: table {extract.database_table!r} is not schema.table of letters, digits and _"
            " (`{extract}` stands for the extract's name)"
        )
    dated = extract.business_date_column
    if dated is not None and not IDENTIFIER.fullmatch(str(dated)):
        raise SettingsError(f"{place}: business_date_column {dated!r} is not a column's name of letters, digits and _")
    if extract.delivery == "events" and dated is None:
        raise SettingsError(
            f"{place}: events of a database need business_date_column, the column that says which day a row belongs to"
        )
    for column in extract.columns:
        if column.format:
            raise SettingsError(
                f"{place}.{column.name} has a format, but a database sends dates as dates: leave it out"
            )
        if not IDENTIFIER.fullmatch(column.name):
            raise SettingsError(f"{place}.{column.name} is not a column's name of letters, digits and _")


def _check_references(path: Path, profile: Profile) -> None:
    for source in profile.sources:
        ways = {(extract.kind, extract.connection) for extract in profile.extracts_of(source)}
        if len(ways) > 1:
            raise SettingsError(
                f"{path}: {source} has extracts of several kinds or connections:"
                " a source has one of each; write a second source for the others"
            )
    known = {f"{e.source}.{e.name}.{c.name}": e for e in profile.extracts for c in e.columns}
    if profile.customer_column not in known:
        raise SettingsError(
            f"{path}: customer_column {profile.customer_column} is in no extract: write source.extract.column"
        )
    for extract in profile.extracts:
        for column in extract.columns:
            if column.references and column.references not in known:
                raise SettingsError(
                    f"{path}: {extract.source}.{extract.name}.{column.name} references {column.references},"
                    " which no extract has: write source.extract.column"
                )
            if column.references and known[column.references].delivery != "full":
                raise SettingsError(
                    f"{path}: {extract.source}.{extract.name}.{column.name} references {column.references}, which is"
                    f" delivered as {known[column.references].delivery}: only a full extract lists every row each day"
                )
