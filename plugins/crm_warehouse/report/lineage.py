"""From a mart to the files it was built from: dbt's graph, the bank's mapping, and the batches of the run."""

from __future__ import annotations

import re
from pathlib import Path

from crm_warehouse.files import read_json
from crm_warehouse.profile import Profile
from crm_warehouse.publish.candidate import marts_of

_LANDED = re.compile(r"landed\(\s*'(\w+)'\s*,\s*'(\w+)'")


def read_lineage(profile: Profile, manifest: Path) -> list[dict]:
    """Each mart with the marts, models, policy files, canonical tables and extracts it is built from."""
    nodes = read_json(manifest)["nodes"]
    marts = marts_of(manifest)
    return [_of_mart(name, marts, nodes, profile) for name in marts]


def _of_mart(name: str, marts: dict[str, dict], nodes: dict[str, dict], profile: Profile) -> dict:
    node = marts[name]
    lineage = {"marts": set(), "models": set(), "policies": set(), "tables": set(), "extracts": set()}
    todo, seen = list(node["depends_on"]["nodes"]), set()
    while todo:
        parent = nodes.get(key := todo.pop())
        if parent is None or key in seen:
            continue
        seen.add(key)
        todo += parent["depends_on"].get("nodes", [])
        if parent["resource_type"] == "seed":
            lineage["policies"].add(parent["name"])
        elif parent["name"] in marts:
            lineage["marts"].add(parent["name"])
        elif parent["name"].startswith("stg_"):
            lineage["tables"].add(parent["name"].removeprefix("stg_"))
        elif parent["original_file_path"].startswith("banks/"):
            lineage["extracts"] |= {f"{source}__{extract}" for source, extract in _LANDED.findall(parent["raw_code"])}
        else:
            lineage["models"].add(parent["name"])
    known = {spec.table for spec in profile.extracts}
    lineage["extracts"] &= known
    return {
        "name": name,
        "description": node["description"],
        "zh": node["config"]["meta"]["zh"],
        "grain": node["config"]["meta"]["grain"],
        **{kind: sorted(found) for kind, found in lineage.items()},
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
