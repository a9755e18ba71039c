"""Making one corruption: of one extract, one date, one kind; the same arguments and input give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.files import write_atomically
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.simulator.corruption import aside
from crm_warehouse.simulator.corruption.catalogue import find_kind
from crm_warehouse.simulator.corruption.delivery_files import (
    UNREADABLE,
    Sent,
    read_rows,
    read_sent,
    remake_control,
    write_control,
    write_rows,
)
from crm_warehouse.simulator.corruption.kind import Case, Kind

SEED = 7


@dataclass(frozen=True)
class Damage:
    """What was done: the kind, the extract, the way, and the files that changed."""

    kind: Kind
    table: str
    business_date: date
    way: str
    magnitude: float
    files: tuple[str, ...]
    expected: str


def simulated_extracts(profile: Profile) -> tuple[Extract, ...]:
    """The extracts of a simulated bank; a real one's are never touched."""
    if not profile.simulated:
        raise CorruptionRefused(f"{profile.bank} is no simulated bank: its deliveries are never touched")
    return profile.extracts


def find_extract(extracts: tuple[Extract, ...], table: str) -> Extract:
    """The extract called `<source>.<name>`; CorruptionRefused names those there are."""
    found = next((spec for spec in extracts if f"{spec.source}.{spec.name}" == table), None)
    if found is None:
        known = ", ".join(f"{spec.source}.{spec.name}" for spec in extracts)
        raise CorruptionRefused(f"the bank sends no extract '{table}': its extracts are {known}")
    return found


def corrupt(
    extracts: tuple[Extract, ...],
    root: Path,
    kind_name: str,
    business_date: date,
    table: str | None = None,
    magnitude: float | None = None,
    seed: int = SEED,
    way: str | None = None,
) -> Damage:
    """Damage a delivery below `root`. Without `table`, the first extract that the kind is for; without `way`, at the
    source where that can be. The files as they were are kept, see `aside`; nothing changes when it is refused.
    """
    kind = find_kind(kind_name)
    spec = _extract_of(kind, extracts, table)
    case = Case.of(kind, spec, root, business_date, _magnitude_of(kind, magnitude), seed)
    way = _way_of(kind, way)
    before = _delivery(case)
    after = _damaged(before, case, way)
    changes = _changes(case, before, after)
    if not changes:
        case.refuse("it would not change")
    said = f"{kind.name} of {case.table} of {case.today}, {_in_words(way)}, magnitude {case.magnitude:g}, seed {seed}"
    aside.keep(root, list(changes), {"what": said})
    for path, content in changes.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, content)
    files = tuple(path.relative_to(root).as_posix() for path in changes)
    return Damage(kind, case.table, business_date, _in_words(way), case.magnitude, files, kind.expected_when(way))


def _in_words(way: str) -> str:
    return {"source": "at source", "transit": "in transit"}[way]


def _extract_of(kind: Kind, extracts: tuple[Extract, ...], table: str | None) -> Extract:
    if table is not None:
        spec = find_extract(extracts, table)
        if not kind.hits(table):
            raise CorruptionRefused(f"{kind.name} is for {', '.join(kind.applies_to)}, not for {table}")
        return spec
    by_table = {f"{spec.source}.{spec.name}": spec for spec in extracts}
    found = next((by_table[name] for name in kind.applies_to if name in by_table), None)
    if found is None and not kind.hits(next(iter(by_table), "")):
        raise CorruptionRefused(f"the bank sends no {' or '.join(kind.applies_to)}, which {kind.name} is for")
    return found or extracts[0]


def _magnitude_of(kind: Kind, magnitude: float | None) -> float:
    magnitude = kind.magnitude if magnitude is None else magnitude
    if kind.reach == "factor":
        if magnitude in (0, 1):
            raise CorruptionRefused(f"the magnitude of {kind.name} is a factor, and {magnitude:g} is none")
    elif not 0 < magnitude <= 1:
        raise CorruptionRefused(f"magnitude is {magnitude:g}: give a share of the rows above 0 and up to 1")
    return magnitude


def _way_of(kind: Kind, way: str | None) -> str:
    if way is None:
        return "transit" if kind.way == "transit" else "source"
    if kind.way not in ("both", way):
        raise CorruptionRefused(f"{kind.name} happens {_in_words(kind.way)} only, not {_in_words(way)}")
    return way


def _delivery(case: Case) -> Sent:
    sent = read_sent(case.path)
    if sent.data is None:
        raise CorruptionRefused(
            f"there is no delivery of {case.table} of {case.today}: {case.path} is missing;"
            " give a business date that the bank has delivered"
        )
    return sent


def _damaged(before: Sent, case: Case, way: str) -> Sent:
    """The files after the damage; the control file is made anew where the source itself is wrong."""
    kind = case.kind
    if kind.part == "control":
        return kind.apply(before, case)
    if kind.part == "rows":
        rows = case.rows_of(before)
        changed = kind.apply(rows, case)
        after = replace(before, data=write_rows(case.spec, case.path, changed, before.data))
        counted, added_up = changed, None if kind.keeps_totals else changed
    else:
        after = kind.apply(before, case)
        counted = added_up = None if kind.keeps_totals else _counted(after, before, case)
    if way == "source" and after.control is not None and after.data is not None:
        after = replace(after, control=remake_control(after.control, after.data, counted, added_up))
    return after


def _counted(after: Sent, before: Sent, case: Case):
    """The rows a source would count in a file: none where it is empty; None where only the form has changed."""
    if not after.data:
        return case.rows_of(before).head(0)
    try:
        rows = read_rows(case.spec, case.path, after.data)
        return rows if list(rows.columns) == [column.name for column in case.spec.columns] else None
    except UNREADABLE:
        return None


def _changes(case: Case, before: Sent, after: Sent) -> dict[Path, bytes | None]:
    changes: dict[Path, bytes | None] = {}
    if after.data != before.data:
        changes[case.path] = after.data
    if after.control != before.control:
        changes[case.path.with_suffix(".ctl")] = None if after.control is None else write_control(after.control)
    return changes | {case.path.with_name(name): content for name, content in after.beside.items()}
