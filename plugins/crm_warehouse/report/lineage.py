"""From a mart to the files it was built from: the lineage that is on record of the build, and the batches of the run."""

from __future__ import annotations

from crm_warehouse.evidence.lineage import models_behind
from crm_warehouse.profile import Profile

KINDS = {"marts": "marts", "intermediate": "models", "policy": "policies", "staging": "tables"}


def list_lineage(profile: Profile, lineage: dict) -> list[dict]:
    """Each mart with the marts, models, policy files, canonical tables and extracts it is built from."""
    known = {spec.table for spec in profile.extracts}
    return [_of_mart(name, lineage, known) for name in lineage["marts"]]


def _of_mart(name: str, lineage: dict, known: set[str]) -> dict:
    found: dict[str, set[str]] = {kind: set() for kind in (*KINDS.values(), "extracts")}
    for behind in models_behind(lineage, name)[1:]:
        model = lineage["models"][behind]
        found["extracts"] |= known & set(model["landing"])
        if model["kind"] in KINDS:
            found[KINDS[model["kind"]]].add(behind.removeprefix("stg_") if model["kind"] == "staging" else behind)
    mart = lineage["marts"][name]
    return {
        "name": name,
        **{said: mart[said] for said in ("description", "zh", "grain")},
        **{kind: sorted(names) for kind, names in found.items()},
    }


def extracts_delivered(profile: Profile, batches: list[dict]) -> list[dict]:
    """Each extract of the bank with its newest file in the run, and how many the run has of it."""
    delivered = []
    for spec in profile.extracts:
        of_it = [batch for batch in batches if batch["table"] == spec.table]
        last = max(of_it, key=lambda batch: (batch["business_date"], batch["batch"]), default=None)
        delivered.append(
            {"table": spec.table, "kind": spec.kind, "delivery": spec.delivery, "files": len(of_it), "last": last}
        )
    return delivered
