"""`crm-warehouse quarantine`: rows that were set aside, and what a person decides on them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crm_warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Rows that were set aside: list, show, release, discard.")
console = Console()

Bank = Annotated[str | None, typer.Option("--bank", help="Profile in dbt_project/banks [CRM_WAREHOUSE_BANK].")]
TableName = Annotated[str, typer.Option("--table", help="E.g. core__customers.")]
Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date of the delivery.")]
Rows = Annotated[str | None, typer.Option("--rows", help="Source rows, e.g. 3,17.")]
RuleName = Annotated[str | None, typer.Option("--rule", help="All rows of one rule, e.g. gender.known_code.")]
By = Annotated[str, typer.Option("--by", help="Who decides; it goes on record.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes on record. No personal data, please.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_(bank: Bank = None, as_json: AsJson = False) -> None:
    """What is in quarantine: table, business date, batch, rows by rule, and what became of them."""
    from crm_warehouse.profile import load_profile
    from crm_warehouse.quality import quarantine

    settings = load_settings(bank)
    found = quarantine.list_quarantine(settings, load_profile(settings))
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table(title="quarantine 隔离区", title_justify="left")
    for column in ("table", "business date", "batch", "rows", "by rule", "state"):
        table.add_column(column)
    for batch in found:
        table.add_row(
            batch["table"],
            batch["business_date"],
            str(batch["batch"]),
            str(batch["rows"]),
            "\n".join(f"{rule}: {count}" for rule, count in batch["rules"].items()),
            ", ".join(f"{count} {state}" for state, count in batch["states"].items()),
        )
    console.print(table if found else "nothing is in quarantine")


@app.command()
def show(table: TableName, business_date: Day, bank: Bank = None, as_json: AsJson = False) -> None:
    """The rows of one delivery by their place in the source file, why they are here, and what was decided."""
    from crm_warehouse.profile import load_profile
    from crm_warehouse.quality import quarantine

    settings = load_settings(bank)
    found = quarantine.show_quarantine(settings, load_profile(settings), table, business_date.date())
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    rows = Table(title=f"{found['table']} of {found['business_date']}, batch {found['batch']}", title_justify="left")
    for column in ("source row", "rules", "state"):
        rows.add_column(column)
    for row in found["rows"]:
        rows.add_row(str(row["source_row"]), "\n".join(row["rules"]), row["state"])
    console.print(rows)
    for entry in found["decisions"]:
        said = f"{entry['decided_at']}  {entry['decision']} {len(entry['marks'])} by {entry['by']}: {entry['reason']}"
        console.print(said, markup=False, highlight=False)


@app.command()
def release(
    table: TableName,
    business_date: Day,
    by: By,
    reason: Reason,
    rows: Rows = None,
    rule: RuleName = None,
    bank: Bank = None,
) -> None:
    """Let rows pass after all; what was set aside because of them follows. The next run takes them in."""
    _decide("release", table, business_date, rows, rule, by, reason, bank)


@app.command()
def discard(
    table: TableName,
    business_date: Day,
    by: By,
    reason: Reason,
    rows: Rows = None,
    rule: RuleName = None,
    bank: Bank = None,
) -> None:
    """Give rows up: from now on they count as rejected by decision, and so does what was set aside because of them."""
    _decide("discard", table, business_date, rows, rule, by, reason, bank)


def _decide(
    decision: str,
    table: str,
    business_date: datetime,
    rows: str | None,
    rule: str | None,
    by: str,
    reason: str,
    bank: str | None,
) -> None:
    from crm_warehouse.errors import DecisionRefused
    from crm_warehouse.profile import load_profile
    from crm_warehouse.quality import quarantine

    try:
        numbers = [int(number) for number in rows.split(",")] if rows else None
    except ValueError:
        raise DecisionRefused("--rows takes source rows as numbers with commas between them, e.g. 3,17") from None
    settings = load_settings(bank)
    count = quarantine.decide(
        settings,
        load_profile(settings),
        decision,
        table,
        business_date.date(),
        rows=numbers,
        rule=rule,
        by=by,
        reason=reason,
    )
    console.print(f"[green]on record:[/] {count} rows {decision}{'d' if decision == 'release' else 'ed'}; run again")
