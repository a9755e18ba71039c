"""What the principles share: reading what a profile expects of an extract, and making rules of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from crm_warehouse.errors import SettingsError
from crm_warehouse.profile import Column, Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.structure import ACCURACY, COMPLETENESS, OWNER, SEND_AGAIN, SET_ASIDE, row_expectation

SHOWN = "The rows are kept and the run's report shows them; ask the source about them."
ON_FAILURE = {"block": SEND_AGAIN, "quarantine": SET_ASIDE, "warn": SHOWN}
ANY = "*"  # in a condition: filled, whatever with
NUMBERS = ("decimal", "fraction", "quantity", "integer")


def rule(
    extract: Extract,
    name: str,
    bad_rows: str,
    *,
    name_en: str,
    name_zh: str,
    reason: str,
    severity: str = "quarantine",
    dimension: str = "validity",
) -> Rule:
    """A rule over the rows of an extract: `bad_rows` is a predicate of SQL over `checked`."""
    return Rule(
        id=f"landing.{extract.table}.{name}",
        table=extract.table,
        name_en=name_en,
        name_zh=name_zh,
        reason=reason,
        severity=severity,
        dimension=dimension,
        owner=OWNER,
        on_failure=ON_FAILURE[severity],
        principle=COMPLETENESS if dimension == "completeness" else ACCURACY,
        expectation=row_expectation(extract.table, name_en, bad_rows),
        bad_rows=bad_rows,
    )


def entries(profile: Profile, extract: Extract, written: Any, main: str) -> Iterable[dict[str, Any]]:
    """The entries of a principle's list: each a mapping, or what stands for its `main` setting alone."""
    if not isinstance(written, list):
        raise refusal(profile, extract, f"{written!r} is no list")
    for entry in written:
        entry = entry if isinstance(entry, Mapping) else {main: entry}
        if main not in entry:
            raise refusal(profile, extract, f"{dict(entry)} lacks {main}")
        if entry.get("severity", "warn") not in ON_FAILURE:
            raise refusal(profile, extract, f"severity {entry['severity']!r} is none of {', '.join(ON_FAILURE)}")
        yield {"severity": "quarantine", **entry}


def refusal(profile: Profile, extract: Extract, problem: str) -> SettingsError:
    return SettingsError(
        f"{profile.folder / 'extracts.yml'}: what is expected of {extract.source}.{extract.name}: {problem}"
        " (see CONTRIBUTING, add a rule)"
    )


def column_of(profile: Profile, extract: Extract, name: str) -> Column:
    found = next((column for column in extract.columns if column.name == name), None)
    if found is None:
        raise refusal(profile, extract, f"{extract.source}.{extract.name} has no column {name!r}")
    return found


def extract_of(profile: Profile, asking: Extract, name: str) -> Extract:
    """The extract called `<source>.<name>`."""
    found = next((other for other in profile.extracts if f"{other.source}.{other.name}" == name), None)
    if found is None:
        raise refusal(profile, asking, f"there is no extract {name!r}")
    return found


def value(column: str, alias: str = "checked") -> str:
    return f'{alias}."{column}"'


def local_day(profile: Profile, column: Column, alias: str = "checked") -> str:
    """SQL of the day a moment falls on in the bank's zone; a date is its own day."""
    moment = value(column.name, alias)
    if column.type == "date":
        return moment
    return f"cast(({moment} at time zone 'UTC') at time zone {literal(profile.timezone)} as date)"


def literal(text: str) -> str:
    """A text in SQL. A brace or colon would mean something to Great Expectations, so each is put in by its number."""
    parts = [""]
    for character in text:
        if character in "{}:":
            parts += [f"chr({ord(character)})", ""]
        else:
            parts[-1] += character
    quoted = [part if n % 2 else "'" + part.replace("'", "''") + "'" for n, part in enumerate(parts)]
    return quoted[0] if len(quoted) == 1 else f"({' || '.join(quoted)})"


def condition(profile: Profile, extract: Extract, wanted: Mapping[str, Any], alias: str = "checked") -> str:
    """SQL of a condition {column: value, list of values, `*` (filled) or null (empty)}; all must hold."""
    parts = []
    for name, values in wanted.items():
        column = column_of(profile, extract, name)
        if values is None or values == ANY:
            parts.append(f"{value(f'{name}__text', alias)} is {'not ' if values == ANY else ''}null")
        else:
            listed = values if isinstance(values, list) else [values]
            parts.append(f"{value(name, alias)} in ({', '.join(_typed(column, each) for each in listed)})")
    return " and ".join(parts) if parts else "true"


def in_words(wanted: Mapping[str, Any]) -> tuple[str, str]:
    """A condition in English and Chinese."""
    english, chinese = [], []
    for name, values in wanted.items():
        if values is None or values == ANY:
            english.append(f"{name} is {'filled' if values else 'empty'}")
            chinese.append(f"{name} {'非空' if values else '为空'}")
        else:
            listed = [_plain(each) for each in (values if isinstance(values, list) else [values])]
            english.append(f"{name} is {' or '.join(listed)}")
            chinese.append(f"{name} 为 {'或'.join(listed)}")
    return " and ".join(english), "且".join(chinese)


def _plain(each: Any) -> str:
    return str(each).lower() if isinstance(each, bool) else str(each)


def _typed(column: Column, each: Any) -> str:
    if column.type in NUMBERS or column.type == "boolean":
        return _plain(each)
    return f"date '{date.fromisoformat(str(each))}'" if column.type == "date" else literal(str(each))


def per_date(extract: Extract, columns: str, having: str, where: str = "true", group: str = "") -> str:
    """SQL of the groups of a delivery date that are wrong together: `columns` of the table where `having` holds."""
    return f"select {columns} from {extract.table} as checked where {where} group by {group or columns} having {having}"
