"""How long originals are kept: those of accepted batches age out by policy, their sha256 stays in the manifest.

`original_retention_days` in `policy_parameters.csv` is in days after acceptance; a bank without it keeps all. Rows and
accepted batches stay for ever, and so does everything of a batch that was not accepted: somebody still has to look at it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crm_warehouse.evidence import log
from crm_warehouse.files import sync
from crm_warehouse.landing import ACCEPTED, MANIFEST, ROWS, Batch, batches_on, landed_dates
from crm_warehouse.policy import parameter, read_policy
from crm_warehouse.profile import Profile
from crm_warehouse.settings import Settings

PARAMETER = "original_retention_days"
KEPT = {MANIFEST, ROWS, ACCEPTED}


def age_out_originals(settings: Settings, profile: Profile, now: datetime) -> list[dict]:
    """Remove the originals whose time is over, after putting them on record; what was removed.

    Killed half way, the next call removes and records the rest.
    """
    known = {row["parameter"] for row in read_policy(profile.folder, "policy_parameters")}
    if PARAMETER not in known:
        return []
    days = parameter(profile.folder, PARAMETER, now.date())
    over = [batch for batch in _with_original(settings, profile) if _accepted_at(batch) + timedelta(int(days)) <= now]
    removed = [
        {"table": batch.table, **{name: batch.manifest[name] for name in ("business_date", "batch", "file", "sha256")}}
        for batch in over
    ]
    if removed:
        log.append(settings, "originals_aged_out", {"bank": profile.bank, "days": int(days), "originals": removed})
    for batch in over:
        (batch.folder / batch.manifest["file"]).unlink(missing_ok=True)
        sync(batch.folder)
    return removed


def _with_original(settings: Settings, profile: Profile) -> list[Batch]:
    """Accepted batches whose original is still there, in the order of the profile."""
    return [
        batch
        for spec in profile.extracts
        for day in landed_dates(settings, spec)
        for batch in batches_on(settings, spec, day)
        if batch.is_accepted
        and (batch.folder / batch.manifest["file"]).is_file()
        and batch.manifest["file"] not in KEPT
    ]


def _accepted_at(batch: Batch) -> datetime:
    """When the batch was accepted: when its accepted rows were written, or written again after a decision."""
    return datetime.fromtimestamp((batch.folder / ACCEPTED).stat().st_mtime, UTC)
