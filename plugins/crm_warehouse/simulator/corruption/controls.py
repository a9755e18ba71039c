"""Control files: absent, off by one, of another delivery, out of sequence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pandas as pd

from crm_warehouse.simulator.corruption.delivery_files import Control, Sent, read_control
from crm_warehouse.simulator.corruption.edits import Apply
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, MONEY, Case, Kind
from crm_warehouse.simulator.corruption.redelivery import correct
from crm_warehouse.simulator.corruption.text_values import moved_days


def says(change) -> Apply:
    """A kind that changes what the control file says; `change(control, case)` gives the facts that differ."""

    def apply(sent: Sent, case: Case) -> Sent:
        if sent.control is None:
            case.refuse("its control file is missing")
        return replace(sent, control={**sent.control, **change(sent.control, case)})

    return apply


def totals_of(control: Control, case: Case) -> list[str]:
    totals = [name for name in control if name.startswith("total_")]
    return totals or case.refuse("its control file has no total")


def totals_swapped(control: Control, case: Case) -> Control:
    """Totals exchanged; where there is one only, that of the delivery before."""
    names = totals_of(control, case)
    earlier = case.spec.path(case.root, case.earlier_date()).with_suffix(".ctl")
    others = control if len(names) > 1 else read_control(earlier.read_bytes())
    return {name: others.get(other, "0.00") for name, other in zip(names, names[1:] + names[:1], strict=True)}


def total_off_by_a_cent(control: Control, case: Case) -> Control:
    return {name: str(Decimal(control[name]) + Decimal("0.01")) for name in totals_of(control, case)}


def of_another_extract(sent: Sent, case: Case) -> Sent:
    others = sorted(path for path in case.path.parent.glob("*.ctl") if path.stem != case.path.stem)
    if not others:
        case.refuse("there is no other control file beside it")
    return replace(sent, control=read_control(others[int(case.random.integers(len(others)))].read_bytes()))


def corrected_sequence(sent: Sent, case: Case) -> Sent:
    """A corrected file with the next sequence number, as `redeliver --corrected` writes it."""
    return correct(sent, case)


def without_sha(sent: Sent, case: Case) -> Sent:
    return replace(sent, control={name: value for name, value in (sent.control or {}).items() if name != "sha256"})


def sent_before_its_day(control: Control, case: Case) -> Control:
    sent_at = datetime.fromisoformat(control["sent_at"])
    return {"sent_at": (sent_at - timedelta(days=2)).isoformat().replace("+00:00", "Z")}


def other_date(days: int):
    return lambda control, case: {"business_date": str(moved_days(pd.Series([case.today]), days)[0])}


ANY = EVERY_EXTRACT
CONTROL = {"part": "control", "reach": "all"}
# fmt: off
KINDS = (
    Kind("control_absent", ANY, "The control file has not come", "控制文件缺失", "transit", "block",
         lambda sent, case: replace(sent, control=None), **CONTROL),
    Kind("control_count_off_by_one", ANY, "The control file counts one row more", "控制文件行数多一行", "transit",
         "block", says(lambda control, case: {"rows": str(int(control["rows"]) + 1)}), **CONTROL),
    Kind("sha_mismatch", ANY, "The control file has another sha256", "控制文件的 sha256 不一致", "transit", "block",
         says(lambda control, case: {"sha256": "0" * 64}), **CONTROL),
    Kind("control_total_off_by_a_cent", MONEY, "The control total is one cent higher", "控制总额多一分", "transit",
         "block", says(total_off_by_a_cent), **CONTROL),
    Kind("control_totals_swapped", MONEY, "Control totals exchanged; with one only, that of the delivery before",
         "控制总额互换（仅一项时为上一日的总额）", "transit", "block", says(totals_swapped), **CONTROL),
    Kind("control_of_another_extract", ANY, "The control file of another extract of the day", "控制文件属于另一张表",
         "transit", "block", of_another_extract, **CONTROL),
    Kind("control_of_tomorrow", ANY, "The control file names the next day", "控制文件的业务日期为次日", "transit",
         "block", says(other_date(1)), **CONTROL),
    Kind("control_without_sha", ANY, "The control file lacks the sha256", "控制文件缺少 sha256", "transit", "block",
         without_sha, **CONTROL),
    Kind("corrected_sequence", ANY, "A corrected file with the next sequence number", "更正文件，序号加一", "source",
         "warn", corrected_sequence, **CONTROL),
    Kind("sequence_skipped", ANY, "Sequence 3 without a second", "序号跳至 3，缺少第 2 次", "source", "warn",
         says(lambda control, case: {"sequence": str(int(control["sequence"]) + 2)}), **CONTROL),
    Kind("sent_before_its_day", ANY, "Sent, it says, two days before it was", "发送时间早于业务日期", "source",
         "warn", says(sent_before_its_day), **CONTROL),
)
