"""Waivers: a rule that blocks is let pass for some business dates, up to so many bad rows, for so long.

waivers/<bank>.json      every waiver ever asked for, oldest first, and what became of it; an entry is never taken out

One person asks, another approves; both are in the evidence log before they are in force. Rules about money cannot be
waived: only those that say so (`Rule.may_be_waived`) can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from crm_warehouse.errors import WaiverRefused
from crm_warehouse.evidence import log
from crm_warehouse.files import changing_list, read_json
from crm_warehouse.policy import parameter
from crm_warehouse.profile import Profile
from crm_warehouse.quality.gate import WAIVED, GateResult, RuleResult
from crm_warehouse.quality.rule import Rule
from crm_warehouse.settings import Settings


def read_waivers(settings: Settings) -> list[dict]:
    """Every waiver of the bank, oldest first, each with its number."""
    return read_json(settings.waivers) if settings.waivers.is_file() else []


def state_of(waiver: dict, today: date) -> str:
    """`asked`, `in force`, `expired` or `revoked`."""
    if waiver.get("revoked_by"):
        return "revoked"
    if waiver["expires_on"] < today.isoformat():
        return "expired"
    return "in force" if waiver.get("approved_by") else "asked"


def ask(
    settings: Settings,
    profile: Profile,
    rules: Sequence[Rule],
    rule_id: str,
    first: date,
    last: date,
    *,
    ceiling: int,
    expires_on: date,
    by: str,
    reason: str,
    today: date,
) -> dict:
    """Ask for a waiver of one of `rules` for runs of business dates `first` to `last`. Nothing is waived until it is approved."""
    rule = next((rule for rule in rules if rule.id == rule_id), None)
    if rule is None:
        raise WaiverRefused(f"{profile.bank} has no rule {rule_id}: give its id as the report shows it")
    if rule.severity != "block":
        raise WaiverRefused(f"{rule_id} does not block (its severity is {rule.severity}): there is nothing to waive")
    if not rule.may_be_waived:
        raise WaiverRefused(
            f"{rule_id} cannot be waived: figures or money would be wrong; mend the data, or ask for a corrected delivery"
        )
    longest = int(parameter(profile.folder, "waiver_max_days", today))
    if not today <= expires_on <= today + timedelta(days=longest):
        raise WaiverRefused(f"a waiver ends within {longest} days, from {today} to {today + timedelta(days=longest)}")
    if first > last:
        raise WaiverRefused(f"the first business date, {first}, is after the last, {last}")
    if ceiling < 1:
        raise WaiverRefused("the ceiling is the largest number of bad rows that may pass: 1 or more")
    _require_person(by, reason)
    asked = {
        "rule": rule_id, "first_date": first.isoformat(), "last_date": last.isoformat(), "ceiling": ceiling,
        "expires_on": expires_on.isoformat(), "reason": reason, "asked_by": by,
    }  # fmt: skip
    with changing_list(settings.waivers) as waivers:
        asked = {"number": len(waivers) + 1, **asked}
        waivers.append(_recorded(settings, "waiver_asked", asked, "asked"))
    return waivers[-1]


def approve(settings: Settings, number: int, *, by: str, today: date) -> dict:
    """Let a waiver come into force. Who asked for it cannot approve it."""

    def check(waiver: dict) -> None:
        if state_of(waiver, today) != "asked":
            raise WaiverRefused(
                f"waiver {number} is {state_of(waiver, today)}: only one that was asked for can be approved"
            )
        if by.strip().casefold() == waiver["asked_by"].strip().casefold():
            raise WaiverRefused(
                f"waiver {number} was asked for by {waiver['asked_by']}: another person has to approve it"
            )

    return _decide(settings, number, "approved", by, "as asked", check)


def revoke(settings: Settings, number: int, *, by: str, reason: str, today: date) -> dict:
    """End a waiver before its time."""

    def check(waiver: dict) -> None:
        if state_of(waiver, today) not in ("asked", "in force"):
            raise WaiverRefused(f"waiver {number} is {state_of(waiver, today)} already")

    return _decide(settings, number, "revoked", by, reason, check)


def apply_waivers(settings: Settings, gate: GateResult, dates: Sequence[date], today: date) -> GateResult:
    """The gate's result, in which a rule that failed within a waiver in force is waived, and says by whom and until when.

    The waiver has to cover every business date of the run; more bad rows than its ceiling are not covered.
    """
    in_force = [waiver for waiver in read_waivers(settings) if state_of(waiver, today) == "in force"]

    def judged(result: RuleResult) -> RuleResult:
        if result.status != "failed" or result.rule["severity"] != "block":
            return result
        for waiver in (waiver for waiver in in_force if waiver["rule"] == result.rule["id"]):
            if not waiver["first_date"] <= min(dates).isoformat() <= max(dates).isoformat() <= waiver["last_date"]:
                continue
            if result.failed_rows > waiver["ceiling"]:
                detail = f"Waiver {waiver['number']} covers {waiver['ceiling']} bad rows, not {result.failed_rows}."
                result = replace(result, detail=detail)
                continue
            said = f"Waiver {waiver['number']} until {waiver['expires_on']}, asked for by {waiver['asked_by']}, approved by"
            detail = f"{said} {waiver['approved_by']}: {waiver['reason']}"
            by = {name: waiver[name] for name in ("number", "asked_by", "approved_by", "expires_on")}
            return replace(result, status=WAIVED, detail=detail, waiver=by)
        return result

    return replace(gate, results=[judged(result) for result in gate.results])


def _decide(settings: Settings, number: int, what: str, by: str, reason: str, check: Callable[[dict], None]) -> dict:
    _require_person(by, reason)
    with changing_list(settings.waivers) as waivers:
        waiver = next((waiver for waiver in waivers if waiver["number"] == number), None)
        if waiver is None:
            raise WaiverRefused(f"there is no waiver {number}; `crm-warehouse waive list` shows all")
        check(waiver)
        body = {"number": number, f"{what}_by": by} | ({"revoked_reason": reason} if what == "revoked" else {})
        waiver |= _recorded(settings, f"waiver_{what}", body, what)
    return waiver


def _recorded(settings: Settings, event: str, body: dict, what: str) -> dict:
    """The entry for the file, once it is in the evidence log."""
    entry = log.append(settings, event, {"bank": settings.bank, **body})
    return {**body, f"{what}_at": datetime.now(UTC).isoformat(timespec="seconds"), f"{what}_entry": entry["sequence"]}


def _require_person(by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise WaiverRefused("a waiver takes a person's name and a reason: give --by and --reason")
