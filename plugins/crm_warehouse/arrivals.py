"""What the order of arrival tells: late and corrected deliveries and what they touch, gaps and repeats in a sequence.

Landing is the same whatever order deliveries come in; this only says what a run is about to change, so that nobody is
surprised by a figure of last month that moves.
"""

from __future__ import annotations

from datetime import date

from crm_warehouse.landing import (
    ACCEPTED,
    batch_in_force,
    batches_on,
    extract_folder,
    redelivered,
    sequence_gaps,
)
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.settings import Settings


def late_arrivals(settings: Settings, profile: Profile, dates: list[date]) -> list[dict]:
    """Batches of `dates` not accepted yet that come after what follows them, with the dates and months to be rebuilt.

    `kind` is `late` (later dates of the extract were accepted before it) or `correction` (its own date was).
    """
    accepted = {spec.table: accepted_dates(settings, spec) for spec in profile.extracts}
    ever = sorted(set().union(*accepted.values()))
    found = []
    for spec in profile.extracts:
        for day in dates:
            is_correction = day in accepted[spec.table]
            if not is_correction and not any(later > day for later in accepted[spec.table]):
                continue
            landed = batches_on(settings, spec, day)
            if landed and not batch_in_force(landed).is_accepted:
                touched = sorted({day, *(known for known in ever if known >= day)})
                found.append(
                    {
                        "table": spec.table,
                        "business_date": day.isoformat(),
                        "batch": batch_in_force(landed).number,
                        "kind": "correction" if is_correction else "late",
                        "rebuild_from": touched[0].isoformat(),
                        "rebuild_to": touched[-1].isoformat(),
                        "business_dates": len(touched),
                        "months": sorted({f"{known:%Y-%m}" for known in touched}),
                    }
                )
    return found


def sequence_notes(settings: Settings, profile: Profile, dates: list[date]) -> list[dict]:
    """Business dates of which a sequence number has not come, or brought the bytes that were there already."""
    notes = []
    for spec in profile.extracts:
        for day in dates:
            landed = batches_on(settings, spec, day)
            gaps, repeats = sequence_gaps(landed), redelivered(landed)
            if gaps or repeats:
                where = {"table": spec.table, "business_date": day.isoformat()}
                notes.append({**where, "missing": gaps, "redelivered": repeats})
    return notes


def accepted_dates(settings: Settings, spec: Extract) -> set[date]:
    """Business dates of which a batch was accepted, whether it is in force or not."""
    folders = (
        file.parent.parent for file in extract_folder(settings, spec).glob(f"business_date=*/batch=*/{ACCEPTED}")
    )
    return {date.fromisoformat(folder.name.removeprefix("business_date=")) for folder in folders}
