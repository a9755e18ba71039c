"""Late and corrected deliveries on demand.

A corrected delivery carries the next sequence number and is sent a day later. It is one of two honest things, and says
which. Where the delivery was corrupted before (`corrupt`, run, `redeliver --corrected`), the corrected file is the true
one and the first had the error. Where it is as the source sent it, the correction is a backdated one: in 0.1 % of the
rows, one at least, an amount turns out 1 to 10 % other than first sent (without an amount: a text is another row's).
Such a correction is of one extract alone: a gate that ties balances to transactions may rightly object to it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.profile import Extract
from crm_warehouse.simulator.corruption import aside
from crm_warehouse.simulator.corruption.delivery_files import (
    Control,
    Sent,
    read_control,
    read_sent,
    remake_control,
    write_control,
    write_rows,
)
from crm_warehouse.simulator.corruption.kind import Case, Kind
from crm_warehouse.simulator.corruption.text_values import put, scaled

SHARE_CORRECTED = 0.001


def next_in_sequence(control: Control) -> Control:
    """The control file of the same delivery sent again: one number higher, one day later."""
    sent_at = datetime.fromisoformat(control["sent_at"]) + timedelta(days=1)
    later = sent_at.isoformat().replace("+00:00", "Z")
    return {**control, "sequence": str(int(control["sequence"]) + 1), "sent_at": later}


def correct(sent: Sent, case: Case) -> Sent:
    """The backdated correction of a delivery, with the next sequence number."""
    if sent.control is None:
        case.refuse("its control file is missing")
    rows = case.rows_of(sent)
    corrected = correct_rows(rows, case)
    data = write_rows(case.spec, case.path, corrected, sent.data)
    return replace(sent, data=data, control=remake_control(next_in_sequence(sent.control), data, corrected, corrected))


def correct_rows(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    amounts = [c.name for c in case.spec.columns if c.control_total] or case.columns_of("decimal", "fraction")
    for column in amounts:
        if (candidates := rows[column].str.match(r"^-?\d+\.\d*[1-9]\d*$|^-?[1-9]\d*\.")).any():
            hit = case.hit(rows, candidates)
            factors = 1 + case.random.uniform(0.01, 0.1, hit.size) * case.random.choice([-1, 1], hit.size)
            return scaled(rows, hit, column, factors)
    for column in [c.name for c in case.spec.columns if c.type in ("text", "date") and not c.key][::-1]:
        others = np.roll(rows[column].to_numpy(dtype=object), 1)
        if (candidates := (rows[column].to_numpy(dtype=object) != others)).any():
            hit = case.hit(rows, candidates)
            return put(rows, hit, column, others[hit])
    return case.refuse("it has nothing that could be corrected")


CORRECTION = Kind(
    "correction", ("*",), "A backdated correction", "追溯更正", "source", "accept", correct,
    part="control", magnitude=SHARE_CORRECTED,
)  # fmt: skip


def deliver_corrected(root: Path, spec: Extract, business_date: date, seed: int = 7) -> str:
    """Write the corrected delivery in place of the one there; returns what was corrected, in words."""
    path = spec.path(root, business_date)
    sent, true_data = read_sent(path), aside.original(root, path)
    true_control = aside.original(root, path.with_suffix(".ctl"))
    case = Case.of(CORRECTION, spec, root, business_date, SHARE_CORRECTED, seed)
    if true_data is not None or true_control is not None:
        data = true_data if true_data is not None else sent.data
        told = read_control(true_control) if true_control is not None else sent.control
        number = max(int(c["sequence"]) for c in (told, sent.control) if c and c.get("sequence", "").isdigit())
        corrected = Sent(data, next_in_sequence({**told, "sequence": str(number)}))
        what = "the true file, where the one before was corrupted"
    else:
        if sent.data is None:
            raise CorruptionRefused(f"there is no delivery of {case.table} of {business_date}: {path} is missing")
        corrected, what = correct(sent, case), f"a backdated correction of {SHARE_CORRECTED:.1%} of the rows"
    done = f"{case.table} of {business_date}, sequence {corrected.control['sequence']}: {what}"
    aside.keep(root, [path, path.with_suffix(".ctl")], {"what": done})
    path.write_bytes(corrected.data)
    path.with_suffix(".ctl").write_bytes(write_control(corrected.control))
    return done


def withhold(root: Path, spec: Extract, business_date: date) -> list[str]:
    """Move the file and its control file out of the source's folder, as if they had not come yet."""
    return _move(root, root / aside.WITHHELD, spec, business_date, "is not there to be withheld")


def release(root: Path, spec: Extract, business_date: date) -> list[str]:
    """Let a withheld delivery come, late: the very files, back in their place."""
    return _move(root / aside.WITHHELD, root, spec, business_date, "is not withheld")


def _move(here: Path, there: Path, spec: Extract, business_date: date, otherwise: str) -> list[str]:
    path = spec.path(here, business_date)
    found = [file for file in (path, path.with_suffix(".ctl")) if file.is_file()]
    if not found:
        raise CorruptionRefused(f"{spec.source}.{spec.name} of {business_date} {otherwise}")
    for file in found:
        if (there / file.relative_to(here)).exists():
            raise CorruptionRefused(f"{there / file.relative_to(here)} is there already: it would be overwritten")
    for file in found:
        target = there / file.relative_to(here)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    return [file.relative_to(here).as_posix() for file in found]
