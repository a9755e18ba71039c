"""`crm-warehouse erasure`: take a customer out of the warehouse on request, and say who was."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crm_warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Erase a customer on request: request, list.")
console = Console()

Bank = Annotated[str | None, typer.Option("--bank", help="Profile in dbt_project/banks [CRM_WAREHOUSE_BANK].")]
By = Annotated[str, typer.Option("--by", help="Who asks for it in the bank; it goes on record.")]
Reason = Annotated[
    str, typer.Option("--reason", help="Why, or the request's number; it goes on record. No personal data, please.")
]


@app.command()
def request(
    customer: Annotated[str, typer.Argument(help="The bank's own customer id.")],
    by: By,
    reason: Reason,
    bank: Bank = None,
) -> None:
    """Take a customer out of landing and quarantine, for good. The marts follow with the next run."""
    from crm_warehouse.privacy import erasure
    from crm_warehouse.profile import load_profile

    settings = load_settings(bank)
    with console.status("taking the customer out of every file of landing and quarantine"):
        done = erasure.erase(settings, load_profile(settings), customer, by=by, reason=reason)
    console.print(
        f"[green]erased:[/] {done['files']} files changed, on record as entry {done['erased_entry']}. Run again to publish without the"
        f" customer; versions of before are removed by {erasure.last_day(done)}. The source systems are not changed: what they still"
        " send of the customer is taken out as it lands.",
        soft_wrap=True,
    )


@app.command("list")
def list_(bank: Bank = None, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Every erasure: when, asked for by whom, why, and until when versions of before may be kept. Never who."""
    from crm_warehouse.privacy import erasure

    told = ("number", "asked_at", "asked_by", "reason", "erased_at", "files")
    found = [
        {**{name: one.get(name) for name in told}, "versions_until": erasure.last_day(one).isoformat()}
        for one in erasure.read_erasures(load_settings(bank))
    ]
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table(title="erasures 个人信息删除", title_justify="left")
    for column in ("number", "asked on", "asked by", "reason", "erased on", "files", "older versions until"):
        table.add_column(column)
    for one in found:
        on = {name: one[name] and one[name][:10] for name in ("asked_at", "erased_at")}
        shown = {**one, **on}.values()
        table.add_row(*("not yet: the next run does it" if value is None else str(value) for value in shown))
    console.print(table if found else "nobody was erased")
