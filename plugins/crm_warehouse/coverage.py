"""Which canonical tables a bank provides and which marts it feeds: computed from dbt's lineage and the canonical tables the bank provides."""

from __future__ import annotations

from pathlib import Path

from crm_warehouse.files import read_json
from crm_warehouse.policy import read_policy
from crm_warehouse.profile import Profile
from crm_warehouse.publish.candidate import marts_of


def coverage_of_tables(profile: Profile, manifest: Path) -> dict[str, bool]:
    """`{canonical table: whether the bank provides it}`, of every table of the contract."""
    nodes = read_json(manifest)["nodes"].values()
    tables = sorted(
        node["name"].removeprefix("stg_")
        for node in nodes
        if node["resource_type"] == "model" and node["name"].startswith("stg_")
    )
    return {table: table in profile.provided for table in tables}


def coverage_of_marts(profile: Profile, manifest: Path) -> dict[str, dict]:
    """`{mart: {coverage, missing}}`, where coverage is `fed`, `partly` or `dark`.

    `fed`: every canonical table it reads is provided. `dark`: a table it cannot do without (its `meta.requires`), or all
    that it reads, is not; or the bank's policy lacks what it is about (its `meta.requires_policy`). `missing` names the
    canonical tables that are not provided, and what the policy lacks.
    """
    content = read_json(manifest)
    parents = {key: node["depends_on"].get("nodes", []) for key, node in content["nodes"].items()}
    report = {}
    for mart, node in marts_of(manifest).items():
        read = _staging_tables(node["unique_id"], parents)
        missing = sorted(read - set(profile.provided))
        required = set(node["config"]["meta"].get("requires", []))
        lacking = [name for name in node["config"]["meta"].get("requires_policy", []) if not POLICIES[name](profile)]
        if lacking:
            coverage = "dark"
            missing += [f"policy: {name}" for name in lacking]
        elif not missing:
            coverage = "fed"
        elif required & set(missing) or set(missing) == read:
            coverage = "dark"
        else:
            coverage = "partly"
        report[mart] = {"coverage": coverage, "missing": missing}
    return report


def _has_private_banking(profile: Profile) -> bool:
    """Whether the active ladder has a tier of private banking, with a limit of its volatile band."""
    active = {
        (row["policy_id"], row["policy_version"])
        for row in read_policy(profile.folder, "tier_policies")
        if row["is_active"] == "true" and row["volatile_to_amount"]
    }
    return any(
        row["is_private_banking"] == "true" and (row["policy_id"], row["policy_version"]) in active
        for row in read_policy(profile.folder, "tier_thresholds")
    )


def _has_ledger_lines(profile: Profile) -> bool:
    """Whether policy says what lines of the ledger are reconciled with."""
    return bool(read_policy(profile.folder, "ledger_contribution_lines"))


def _has_payment_platforms(profile: Profile) -> bool:
    """Whether policy says what payments to or from a payment platform are."""
    return any(
        row["counterparty_type"] == "payment_platform" for row in read_policy(profile.folder, "transaction_classes")
    )


# What a mart may require of a bank's policy, by the name it has in `meta.requires_policy`.
POLICIES = {
    "private_banking": _has_private_banking,
    "ledger_lines": _has_ledger_lines,
    "payment_platforms": _has_payment_platforms,
}


def _staging_tables(node: str, parents: dict[str, list[str]]) -> set[str]:
    """Canonical tables (`core__accounts`) at the source of a node."""
    found, todo, seen = set(), [node], set()
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        name = current.rsplit(".", 1)[-1]
        if name.startswith("stg_"):
            found.add(name.removeprefix("stg_"))
        else:
            todo += parents.get(current, [])
    return found
