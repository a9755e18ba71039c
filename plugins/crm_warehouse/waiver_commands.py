"""`crm-warehouse waive`: let a rule that blocks pass for a time; one person asks, another approves."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crm_warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Let a rule that blocks pass for a time: ask, approve, revoke, list.")
console = Console()

Bank = Annotated[str | None, typer.Option("--bank", help="Profile in dbt_project/banks [CRM_WAREHOUSE_BANK].")]
Number = Annotated[int, typer.Argument(help="The waiver's number, as `waive list` shows it.")]
By = Annotated[str, typer.Option("--by", help="Who; it goes on record.")]
Reason = Annotated[
    str, typer.Option("--reason", help="Why; it goes on record and into the report. No personal data, please.")
]


@app.command()
def ask(
    rule: Annotated[str, typer.Argument(help="Id of a rule that blocks, as the report shows it.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business date it is for.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business date it is for.")],
    ceiling: Annotated[int, typer.Option(help="The largest number of bad rows that may pass.")],
    expires: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day on which it holds.")],
    by: By,
    reason: Reason,
    bank: Bank = None,
) -> None:
    """Ask for a waiver of one rule. It holds once another person has approved it."""
    import expectations.landing
    import expectations.marts
    from crm_warehouse.profile import load_profile
    from crm_warehouse.quality import waivers

    settings, today = load_settings(bank), _today()
    profile = load_profile(settings)
    rules = [*expectations.landing.build_rules(profile), *expectations.marts.build_rules(profile, {}, {}, today)]
    waiver = waivers.ask(
        settings,
        profile,
        rules,
        rule,
        first.date(),
        last.date(),
        ceiling=ceiling,
        expires_on=expires.date(),
        by=by,
        reason=reason,
        today=today,
    )
    console.print(
        f"[green]on record:[/] waiver {waiver['number']} is asked for; another person approves it:"
        f" crm-warehouse waive approve {waiver['number']} --by NAME",
        soft_wrap=True,
    )


@app.command()
def approve(number: Number, by: By, bank: Bank = None) -> None:
    """Let a waiver that somebody else asked for come into force. The next run takes it into account."""
    from crm_warehouse.quality import waivers

    waiver = waivers.approve(load_settings(bank), number, by=by, today=_today())
    console.print(f"[green]on record:[/] waiver {number} holds until {waiver['expires_on']}; run again")


@app.command()
def revoke(number: Number, by: By, reason: Reason, bank: Bank = None) -> None:
    """End a waiver before its time."""
    from crm_warehouse.quality import waivers

    waivers.revoke(load_settings(bank), number, by=by, reason=reason, today=_today())
    console.print(f"[green]on record:[/] waiver {number} is revoked")


@app.command("list")
def list_(bank: Bank = None, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Every waiver ever asked for, and what became of it."""
    from crm_warehouse.quality import waivers

    found = [{**w, "state": waivers.state_of(w, _today())} for w in waivers.read_waivers(load_settings(bank))]
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table(title="waivers 豁免", title_justify="left")
    for column in ("no.", "rule", "business dates", "ceiling", "until", "state", "asked by", "approved by", "reason"):
        table.add_column(column)
    for w in found:
        dates = f"{w['first_date']} – {w['last_date']}"
        people = (w["state"], w["asked_by"], w.get("approved_by", ""), w["reason"])
        table.add_row(str(w["number"]), w["rule"], dates, f"{w['ceiling']:,}", w["expires_on"], *people)
    console.print(table if found else "no rule was ever waived")


def _today() -> date:
    return datetime.now(UTC).date()
