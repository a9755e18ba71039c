"""Checks of a bank's extracts.yml: all that is wrong with it, each in one sentence with its line."""

from __future__ import annotations

import codecs
import difflib
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crm_warehouse import profile_schema as schema
from crm_warehouse.errors import SettingsError
from crm_warehouse.yaml_places import Place, Places, read_yaml

# Columns that landing adds to every row: a column of the bank cannot be told from them.
TAKEN = ("batch", "business_date", "received_at", "_source_row")
SHOWN = 60  # characters of a value that is repeated


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what, what is allowed."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.text}"


class ProfileRefused(SettingsError):
    """A profile that is wrong in one or several places: a line for each."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_profile_file(path: Path) -> dict[str, Any]:
    """The content of a right extracts.yml. Raises ProfileRefused with everything that is wrong."""
    content, places = read_yaml(path)
    found = dict.fromkeys(_problems(content, places))
    if found:
        in_order = sorted(((places.line_of(place), text) for place, text in found), key=lambda line_text: line_text[0])
        raise ProfileRefused([Problem(path, line, text) for line, text in in_order])
    return content


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean x?` where a known name looks like it, else nothing."""
    text, known = str(name), list(known)
    near = difflib.get_close_matches(text, known, n=1, cutoff=0.6) or [
        other for other in known if len(text) > 3 and (text in other or other in text)
    ]
    return f"; did you mean {near[0]}?" if near else ""


def _problems(content: Any, places: Places) -> Iterator[tuple[Place, str]]:
    for place, text in places.surprises:
        yield place, f"{_named(place)} {text}"
    if places.surprises:
        return  # what YAML has misread would only be refused a second time
    yield from _against(schema.FILE, content, ())
    if not isinstance(content, dict) or not isinstance(content.get("sources"), dict):
        return
    sound = True
    for source, form in content["sources"].items():
        for place, text in _of_source(source, form):
            sound = False
            yield place, text
    if sound and not list(_against(schema.FILE, content, ())):
        yield from _across(content)
    yield from _of_bank(content)


def _against(rules: dict, value: Any, at: Place) -> Iterator[tuple[Place, str]]:
    """What a schema says of a value, in words."""
    for error in schema.validator_of(rules).iter_errors(value):
        place = (*at, *error.absolute_path)
        yield from _in_words(error, place)


def _in_words(error: Any, place: Place) -> Iterator[tuple[Place, str]]:
    rules, name = error.schema, _named(place)
    if error.validator == "additionalProperties":
        known = list(rules["properties"])
        for extra in sorted(set(error.instance) - set(known)):
            what = "attribute" if "columns" in place else "setting"
            yield (
                (*place, extra),
                f"{name} has unknown {what} {extra}{did_you_mean(extra, known)}; known are {', '.join(known)}",
            )
    elif error.validator == "required":
        missing = next(key for key in error.validator_value if f"'{key}'" in error.message.split(" is a ")[0])
        if "columns" in place and missing == "type":
            yield place, f"{name} has no type: {rules['properties']['type']['say']}"
        elif not place:
            yield place, f"the profile has no '{missing}': every profile needs it (see CONTRIBUTING, add a bank)"
        else:
            yield place, f"{name} has no '{missing}': {rules['properties'].get(missing, rules)['say']}"
    elif error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        yield (*place, str(error.instance)), f"{name}.{error.instance} cannot be named so: {rules['say']}"
    else:
        yield place, f"{name} is {_shown(error)}: {rules['say']}{_near(error)}"


def _near(error: Any) -> str:
    return did_you_mean(error.instance, map(str, error.validator_value)) if error.validator == "enum" else ""


def _shown(error: Any) -> str:
    if error.schema.get("secret"):
        return "not a name"
    if error.instance is None:
        return "empty"
    text = repr(error.instance) if isinstance(error.instance, str) else str(error.instance)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _named(place: Place) -> str:
    """`source.extract.column` as people say it: without the words that only structure the file."""
    if not place:
        return "the profile"
    parts = [
        str(part)
        for depth, part in enumerate(place)
        if not (
            place[0] == "sources"
            and len(place) > 1
            and (depth, part) in ((0, "sources"), (2, "extracts"), (4, "columns"))
        )
    ]
    return ".".join(parts) or str(place[-1])


def _of_source(source: str, form: Any) -> Iterator[tuple[Place, str]]:
    """Each extract with its source's settings: names, values, and what its kind needs and knows."""
    extracts = form.get("extracts") if isinstance(form, dict) else None
    if not isinstance(extracts, dict):
        return
    for name, body in extracts.items():
        if isinstance(body, dict):
            yield from _of_extract(source, form, name, body)


def _of_extract(source: str, form: dict, name: str, body: dict) -> Iterator[tuple[Place, str]]:
    place: Place = ("sources", source, "extracts", name)
    settings = effective_settings(form, body)

    def place_of(setting: str) -> Place:
        return (*place, setting) if setting in body else ("sources", source, setting)

    kind = settings.get("kind")
    rules = schema.settings_schema(kind if isinstance(kind, str) else None)
    for error in schema.validator_of(rules).iter_errors(settings):
        if error.validator == "required":
            missing = next(key for key in error.validator_value if f"'{key}'" in error.message.split(" is a ")[0])
            if missing in schema.ANY_KIND:
                yield place, f"{_named(place)} has no '{missing}': {schema.SETTINGS[missing]['say']}"
            else:
                yield (
                    place,
                    f"{_named(place)} lacks {missing}, which kind {kind} needs: {schema.SETTINGS[missing]['say']}",
                )
        else:
            at = place_of(error.absolute_path[0])
            yield from _in_words(error, (*at, *list(error.absolute_path)[1:]))
    for setting in settings:
        at = place_of(setting)
        yield from ((at, text) for text in _foreign(_named(at[:-1]), setting, kind))
    yield from ((place_of("file"), f"{_named(place_of('file'))} {text}") for text in _file(settings.get("file")))
    yield from ((place_of("encoding"), f"{_named(place_of('encoding'))} {text}") for text in _encoding(settings))
    columns = body.get("columns")
    if isinstance(columns, dict) and all(isinstance(column, dict) for column in columns.values()):
        yield from _of_columns(place, settings, columns)


def effective_settings(form: dict, body: dict) -> dict[str, Any]:
    """The settings of an extract: its source's, then its own."""
    return {key: value for key, value in {**form, **body}.items() if key not in ("extracts", "columns")}


def _foreign(owner: str, setting: str, kind: Any) -> Iterator[str]:
    if setting not in schema.SETTINGS:
        known = sorted(schema.ANY_KIND.union(*schema.KINDS.get(kind, (set(schema.SETTINGS), set()))))
        yield f"{owner} has unknown setting {setting}{did_you_mean(setting, schema.SETTINGS)}; known are {', '.join(known)}"
    elif kind in schema.KINDS:
        needed, optional = schema.KINDS[kind]
        if setting not in needed | optional | schema.ANY_KIND:
            yield (
                f"{owner} has {setting}, which kind {kind} does not know;"
                f" besides {', '.join(sorted(needed))} it knows {', '.join(sorted(optional))}"
            )


def _file(file: Any) -> Iterator[str]:
    if not isinstance(file, str):
        return
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(file) if name is not None]
    except ValueError:
        names = ["{"]
    for name in names:
        if name not in ("business_date", "extract"):
            near = did_you_mean(name, ("business_date", "extract"))
            yield f"holds {{{name}}}{near}; it may hold {{business_date}} and {{extract}} only"
    if Path(file).is_absolute() or ".." in Path(file).parts:
        yield f"is {file!r}: write the path below the data folder, which is given when the job runs"


def _encoding(settings: dict) -> Iterator[str]:
    encoding = settings.get("encoding")
    try:
        codecs.lookup(encoding) if isinstance(encoding, str) else None
    except LookupError:
        near = did_you_mean(encoding, ("utf-8", "utf-8-sig", "gb18030", "gbk", "big5", "latin-1", "utf-16"))
        yield f"is {encoding!r}, which is no encoding{near}; use for example utf-8 or gb18030"


def _of_columns(place: Place, settings: dict, columns: dict[str, dict]) -> Iterator[tuple[Place, str]]:
    """Columns against each other and against their extract's kind."""
    name = _named(place)
    if not any(column.get("key") is True for column in columns.values()):
        yield (*place, "columns"), f"{name} has no key: mark at least one column with `key: true`"
    seen: dict[str, str] = {}
    for column, attributes in columns.items():
        at, said = (*place, "columns", column), f"{name}.{column}"
        if column.lower() in TAKEN:
            yield at, f"{said} has a name that landing uses itself: ask for the column under another one"
        if column.lower() in seen:
            yield (
                at,
                f"{said} differs from {seen[column.lower()]} by capitals only: the engine takes them for one column",
            )
        seen[column.lower()] = column
        kind = attributes.get("type")
        if attributes.get("format") and kind in schema.COLUMN_TYPES and kind not in schema.DATE_TYPES:
            yield at, f"{said} has a format, but its type is {kind}: only a date or a timestamp has one"
        if attributes.get("control_total") is True and kind in schema.COLUMN_TYPES and kind not in schema.NUMBER_TYPES:
            yield at, f"{said} is a control total, but its type is {kind}: only a number adds up"
        if settings.get("kind") == "postgresql":
            if attributes.get("format"):
                yield at, f"{said} has a format, but a database sends dates as dates: leave it out"
            if not re.fullmatch(schema.IDENTIFIER, column):
                yield at, f"{said} is not a column's name of letters, digits and _"
    if (settings.get("kind"), settings.get("delivery")) == ("postgresql", "events") and not settings.get(
        "business_date_column"
    ):
        yield (
            place,
            f"{name}: events of a database need business_date_column, the column that says which day a row belongs to",
        )


def _across(content: dict) -> Iterator[tuple[Place, str]]:
    """Sources of one way each; references that lead somewhere."""
    columns: dict[str, str] = {}
    for source, form in content["sources"].items():
        ways = set()
        for name, body in form["extracts"].items():
            settings = effective_settings(form, body)
            ways.add((settings["kind"], settings.get("connection")))
            columns |= {f"{source}.{name}.{column}": settings["delivery"] for column in body["columns"]}
        if len(ways) > 1:
            yield (
                ("sources", source),
                (
                    f"{source} has extracts of several kinds or connections:"
                    " a source has one of each; write a second source for the others"
                ),
            )
    customer = content["customer_column"]
    if customer not in columns:
        near = did_you_mean(customer, columns)
        yield ("customer_column",), f"customer_column {customer} is in no extract: write source.extract.column{near}"
    for source, form in content["sources"].items():
        for name, body in form["extracts"].items():
            for column, attributes in body["columns"].items():
                place = ("sources", source, "extracts", name, "columns", column)
                yield from ((place, text) for text in _reference(_named(place), attributes.get("references"), columns))


def _reference(said: str, reference: str | None, columns: dict[str, str]) -> Iterator[str]:
    if reference is None:
        return
    if reference not in columns:
        near = did_you_mean(reference, columns)
        yield f"{said} references {reference}, which no extract has: write source.extract.column{near}"
    elif columns[reference] != "full":
        yield (
            f"{said} references {reference}, which is delivered as {columns[reference]}:"
            " only a full extract lists every row each day"
        )


def _of_bank(content: dict) -> Iterator[tuple[Place, str]]:
    zone = content.get("timezone")
    if isinstance(zone, str) and zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            from zoneinfo import available_timezones

            near = did_you_mean(zone, sorted(available_timezones()))
            yield ("timezone",), f"timezone is {zone!r}, which is no zone of the tz database, as Asia/Shanghai is{near}"
    first, last = content.get("initial_delivery_on"), content.get("demo_last_business_date")
    if type(first) is type(last) and not isinstance(first, str | None) and first > last:
        yield (
            ("demo_last_business_date",),
            (f"demo_last_business_date {last} is before initial_delivery_on {first}: nothing would be delivered"),
        )
