"""The run's report: one static page a run, kept, in plain words and pictures, English and Chinese."""

from __future__ import annotations

from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader, select_autoescape

from crm_warehouse.files import write_atomically
from crm_warehouse.profile import Profile
from crm_warehouse.quality import day_types
from crm_warehouse.settings import Settings, safe_name

TEMPLATES = Path(__file__).parent


def write_report(settings: Settings, profile: Profile, summary: dict) -> Path:
    """Write `report/<run_id>/index.html` and point `report/index.html` at it. Returns the run's page."""
    page = settings.report / safe_name(summary["run_id"]) / "index.html"
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(default=True))
    charts = read_charts(summary)
    html = environment.get_template("page.html").render(
        summary=summary, profile=profile, charts=charts, **_counts(summary)
    )
    write_atomically(page, html.encode("utf-8"))
    runs = [path.parent.name for path in settings.report.glob("*/index.html")]
    index = environment.get_template("index.html").render(latest=page.parent.name, runs=sorted(runs, reverse=True))
    write_atomically(settings.report / "index.html", index.encode("utf-8"))
    return page


def read_charts(summary: dict) -> dict:
    """Tier counts of the last month and assets by month, from the candidate the run built; empty when it built none."""
    candidate = Path(summary["results"].get("build", {}).get("candidate", ""))
    if not candidate.is_file() or "problem" in summary["results"]["build"]:
        return {}
    with duckdb.connect(str(candidate), read_only=True) as connection:
        tiers = connection.execute(
            """
            select policy.tier_name_en, policy.tier_name_zh, count(tiers.customer_key), coalesce(sum(tiers.rating_amount), 0)
            from marts.dim_tier_policies as policy
            left join marts.fct_customer_tiers_monthly as tiers
                on tiers.policy_version = policy.policy_version and tiers.tier_code = policy.tier_code
                and tiers.month = (select max(month) from marts.fct_customer_tiers_monthly)
            where policy.is_active group by all order by max(policy.tier_rank) desc
            """
        ).fetchall()
        months = connection.execute(
            "select month, sum(adb_amount) from marts.fct_customer_aum_monthly group by month order by month"
        ).fetchall()
    return {
        "tiers": [{"en": en, "zh": zh, "customers": n, "amount": float(amount)} for en, zh, n, amount in tiers],
        "months": [{"month": month.strftime("%Y-%m"), "amount": float(amount)} for month, amount in months],
    }


def _counts(summary: dict) -> dict:
    """What the page lists: rules not passed, and files with rows that were not loaded."""
    results = summary["results"]
    gates = [(name, results[name]) for name in ("landing_gate", "mart_gate") if "planned" in results.get(name, {})]
    not_passed = [result for _, gate in gates for result in gate["results"] if result["status"] != "passed"]
    landing = results.get("landing_gate", {})
    batches = landing.get("batches", [])
    return {
        "gates": gates,
        "not_passed": not_passed,
        "held_back": [batch for batch in batches if batch["rows_quarantined"] or batch["rows_rejected"]],
        "facts": landing.get("facts", []),
        "listed": landing.get("listed", {}),
        "learned": landing.get("learned", {}),
        "day_types": day_types.NAMES,
        "canonical_tables": results.get("build", {}).get("canonical_tables", {}),
        "coverage": results.get("build", {}).get("coverage", {}),
        "tables": (results.get("mart_gate", {}).get("audited") or {}).get("tables", {}),
        "rows_read": sum(batch["rows_read"] for batch in batches),
        "files_read": len(batches),
    }
