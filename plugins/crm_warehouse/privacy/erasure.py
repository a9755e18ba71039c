"""Erasure on request: a customer is taken out of landing and quarantine, and of whatever comes later.

erasures/<bank>.json          every erasure, oldest first: pseudonyms (never an id or a token), who asked, why, and when it was done
erasures/<bank>_<n>.jsonl     while it is at work: each file with its sha256 before and after

The next build knows the customer no more: out of every mart of customers; what the ledger has of it is in `erased_amount`
of fct_ledger_reconciliation. Versions of before are gone `VERSIONS_KEPT` after the request, pinned or not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TextIO

from crm_warehouse.errors import ErasureRefused
from crm_warehouse.evidence import kept, log
from crm_warehouse.extract import Delivery
from crm_warehouse.files import changing_list, read_json
from crm_warehouse.landing import ACCEPTED, ROWS, Batch, batches_on, landed_dates, none_arriving
from crm_warehouse.privacy.redaction import find_erased, personal_values, pseudonym_of, redact
from crm_warehouse.privacy.tokens import forget_tokens, read_key
from crm_warehouse.processes import one_writer
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.settings import Settings

# Law and policy say 28 days at the latest; a publish removes what would be older before the next one.
VERSIONS_KEPT = timedelta(days=27)


def read_erasures(settings: Settings) -> list[dict]:
    """Every erasure of the bank, oldest first."""
    return read_json(settings.erasures) if settings.erasures.is_file() else []


def erased_pseudonyms(settings: Settings) -> frozenset[str]:
    """Pseudonyms of everybody who was erased, or is about to be."""
    return frozenset(name for erasure in read_erasures(settings) for name in erasure["pseudonyms"])


def fingerprint(settings: Settings) -> dict[str, str]:
    """One hash over all erasures: landing is the same only with the same ones. Empty where there is none."""
    names = sorted(erased_pseudonyms(settings))
    return {"erasures": hashlib.sha256("\n".join(names).encode()).hexdigest()} if names else {}


def is_outdated(settings: Settings, version: dict, now: datetime) -> bool:
    """Whether a published version still shows somebody whose erasure was asked for so long ago that it has to go."""
    published = datetime.fromisoformat(version["published_at"])
    asked = (datetime.fromisoformat(erasure["asked_at"]) for erasure in read_erasures(settings))
    return any(published <= at <= now - VERSIONS_KEPT for at in asked)


def last_day(erasure: dict) -> date:
    """The day by which no version of before is kept."""
    return (datetime.fromisoformat(erasure["asked_at"]) + VERSIONS_KEPT).date()


def erase(settings: Settings, profile: Profile, customer_id: str, *, by: str, reason: str) -> dict:
    """Take a customer out of landing and quarantine for good. On record before it begins; killed half way, the next run ends it.

    Returns the erasure, with how many files it changed. Raises ErasureRefused in one sentence.
    """
    if not by.strip() or not reason.strip():
        raise ErasureRefused("an erasure takes a person's name and a reason: give --by and --reason")
    finish(settings, profile)
    name = pseudonym_of(read_key(settings), customer_id)
    before = next((erasure for erasure in read_erasures(settings) if erasure["customer"] == name), None)
    if before:
        raise ErasureRefused(
            f"this customer was erased before: erasure {before['number']}, asked for by {before['asked_by']}"
        )
    pseudonyms = _pseudonyms_of(settings, profile, customer_id)
    if not pseudonyms:
        raise ErasureRefused(
            f"no delivery of {profile.bank} names such a customer: give the id as the bank's own systems have it"
        )
    with changing_list(settings.erasures) as erasures:
        asked = {"number": len(erasures) + 1, "customer": name, "asked_by": by, "reason": reason}
        entry = log.append(settings, "erasure_asked", {"bank": profile.bank, **asked})
        erasures.append({**asked, "pseudonyms": pseudonyms, "asked_at": entry["at"], "asked_entry": entry["sequence"]})
    return finish(settings, profile)[-1]


def finish(settings: Settings, profile: Profile) -> list[dict]:
    """Carry out what was asked for and is not done; what was done now. Refused while a gate or a build is at work; waits for
    extracts, so that what lands knows of every erasure or is seen by it."""
    if all("erased_at" in erasure for erasure in read_erasures(settings)):
        return []
    with one_writer(settings), none_arriving(settings), changing_list(settings.erasures) as erasures:
        waiting = [erasure for erasure in erasures if "erased_at" not in erasure]
        for erasure in waiting:
            files = _carry_out(settings, profile, erasure)
            said = {name: erasure[name] for name in ("number", "customer", "asked_by")}
            entry = log.append(settings, "customer_erased", {"bank": profile.bank, **said, **files})
            erasure |= {"erased_at": entry["at"], "erased_entry": entry["sequence"], **files}
            _journal(settings, erasure).unlink(missing_ok=True)
    return waiting


def _carry_out(settings: Settings, profile: Profile, erasure: dict) -> dict:
    """How many files were changed, and the hash under which the list of them is kept as evidence."""
    erased = frozenset(erasure["pseudonyms"])
    forget_tokens(settings, lambda key, customer_id: pseudonym_of(key, customer_id) in erased)
    with _journal(settings, erasure).open("a", encoding="utf-8") as journal:
        for spec in profile.extracts:
            batches = {batch.folder / ROWS: batch for batch in _batches(settings, spec)}
            for rows, found in find_erased(settings, profile, spec, list(batches), erased).items():
                _erase_from(settings, profile, spec, batches[rows], found, journal)
    for holds_rows in (settings.exports, settings.warehouse / "beliefs" / "kept"):
        shutil.rmtree(holds_rows, ignore_errors=True)
    for holds_rows in settings.warehouse.glob("landing_gate.duckdb*"):
        holds_rows.unlink()
    changes = {line["file"]: line for line in map(json.loads, _journal(settings, erasure).read_text().splitlines())}
    content = "".join(json.dumps(changes[file], sort_keys=True) + "\n" for file in sorted(changes)).encode()
    return {"files": len(changes), "files_sha256": kept.keep(settings, content)}


def _erase_from(
    settings: Settings, profile: Profile, spec: Extract, batch: Batch, found: dict[str, str], journal: TextIO
) -> None:
    """Redact one batch; its rows as they came go last, so that after a crash they tell that it is not done."""

    def note(file: Path, before: str, after: str | None) -> None:
        line = {"file": str(file.relative_to(settings.home)), "sha256_before": before, "sha256_after": after}
        journal.write(json.dumps(line) + "\n")
        journal.flush()

    original = batch.folder / batch.manifest["file"]
    if original.is_file() and original.name not in (ROWS, ACCEPTED):
        note(original, batch.sha256, None)
        original.unlink()
    quarantined = settings.quarantine / batch.folder.relative_to(settings.landing).with_suffix(".parquet")
    for file in (quarantined, batch.folder / ACCEPTED, batch.folder / ROWS):
        if file.is_file():
            redact(profile, spec, file, found, lambda before, after, file=file: note(file, before, after))


def take_out_erased(settings: Settings, profile: Profile, spec: Extract, delivery: Delivery) -> bool:
    """Take erased customers that a source still sends out of a delivery before it lands; its original goes, its sha256 stays."""
    rows = delivery.rows_file
    found = find_erased(settings, profile, spec, [rows], erased_pseudonyms(settings)).get(rows, {})
    if found:
        redact(profile, spec, rows, found)
        delivery.received.original.unlink()
    return bool(found)


def _pseudonyms_of(settings: Settings, profile: Profile, customer_id: str) -> list[str]:
    """Of the customer's id, first, and of the personal values that the bank has of the customer; empty if it has none."""
    files = [batch.folder / ROWS for batch in _batches(settings, profile.customer_extract[0])]
    values = personal_values(profile, files, customer_id) if files else None
    key = read_key(settings)
    return [] if values is None else [pseudonym_of(key, value) for value in (customer_id, *sorted(values))]


def _batches(settings: Settings, spec: Extract) -> Iterator[Batch]:
    """Every batch of an extract, accepted or not."""
    for day in landed_dates(settings, spec):
        yield from batches_on(settings, spec, day)


def _journal(settings: Settings, erasure: dict) -> Path:
    return settings.erasures.with_name(f"{settings.bank}_{erasure['number']}.jsonl")
