"""A bank's profile: which extracts it sends, in which form, with which columns (`banks/<bank>/extracts.yml`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from crm_warehouse.policy import read_policy
from crm_warehouse.profile_checks import effective_settings, read_profile_file
from crm_warehouse.profile_schema import COLUMN_TYPES, KINDS
from crm_warehouse.settings import Settings

__all__ = ["COLUMN_TYPES", "KINDS", "Column", "Extract", "Profile", "load_profile"]


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
    content_digest: bool = False
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
    not_provided: tuple[str, ...] = ()

    @property
    def customer_extract(self) -> tuple[Extract, str]:
        """The extract that lists every customer, and its column of customer ids."""
        source, name, column = self.customer_column.split(".")
        return next(e for e in self.extracts if (e.source, e.name) == (source, name)), column

    def names_customer(self, extract: Extract, column: Column) -> bool:
        """Whether a column holds customer ids."""
        return self.customer_column in (column.references, f"{extract.source}.{extract.name}.{column.name}")

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
    """Read and check the profile of `settings.bank`; ProfileRefused says all that is wrong, each with its line."""
    path = settings.bank_folder / "extracts.yml"
    content = read_profile_file(path)
    return Profile(
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
        not_provided=tuple(content.get("not_provided", ())),
        extracts=tuple(
            _extract(source, form, name, body)
            for source, form in content["sources"].items()
            for name, body in form["extracts"].items()
        ),
        provided=tuple(sorted(sql.stem for sql in (settings.bank_folder / "staging").glob("*.sql"))),
        folder=settings.bank_folder,
    )


def _extract(source: str, form: dict, name: str, body: dict) -> Extract:
    columns = tuple(
        Column(name=column, **{**attributes, "values": tuple(str(value) for value in attributes.get("values", ()))})
        for column, attributes in body["columns"].items()
    )
    settings = effective_settings(form, body)
    settings["database_table"] = settings.pop("table", "")
    return Extract(source=source, name=name, columns=columns, **{"file": "", **settings})
