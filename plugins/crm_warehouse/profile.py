"""A bank's profile: which extracts it sends, in which form, with which columns (`banks/<bank>/extracts.yml`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import yaml

from crm_warehouse.errors import SettingsError
from crm_warehouse.policy import read_policy
from crm_warehouse.settings import Settings

COLUMN_TYPES = ("text", "date", "timestamp", "decimal", "fraction", "quantity", "integer", "boolean")
KINDS = ("delimited", "parquet")
DELIVERIES = ("full", "events", "changes")


@dataclass(frozen=True)
class Column:
    """One column as the bank sends it. `format` is a strptime pattern for dates and timestamps that are not ISO."""

    name: str
    type: str
    key: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    references: str | None = None
    control_total: bool = False
    personal: bool = False
    format: str | None = None


@dataclass(frozen=True)
class Extract:
    """One extract. `delivery` says what a file of it holds:

    - `full`: the whole table each time;
    - `events`: only what happened since the delivery before; a key comes once, ever;
    - `changes`: the rows that are new or changed since the delivery before; a key comes once in a delivery, and its row of
      the latest business date is the one in force.
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
    unknown = set(settings) - set(Extract.__dataclass_fields__)
    if unknown:
        raise SettingsError(f"{place} has unknown setting(s) {', '.join(sorted(unknown))}")
    if settings["kind"] not in KINDS or settings["delivery"] not in DELIVERIES:
        raise SettingsError(
            f"{place}: kind must be one of {', '.join(KINDS)} and delivery one of {', '.join(DELIVERIES)}"
        )
    extract = Extract(source=source, name=name, columns=tuple(columns), **settings)
    if not extract.key:
        raise SettingsError(f"{place} has no key: mark at least one column with `key: true`")
    return extract


def _check_references(path: Path, profile: Profile) -> None:
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
