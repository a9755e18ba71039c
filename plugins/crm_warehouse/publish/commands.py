"""Commands on what is published: `pin`, `unpin`, `serve`, and `export` for one audience."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.console import Console

from crm_warehouse.settings import load_settings

export_app = typer.Typer(no_args_is_help=True, help="Write the live version for one audience to var/exports.")
console = Console()

Version = Annotated[str, typer.Argument(help="A kept version, as `status` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes on record. No personal data, please.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV files for spreadsheets, else one DuckDB file.")]


def pin(version: Version, reason: Reason) -> None:
    """Keep a version for as long as it is pinned, however many come after it."""
    from crm_warehouse.publish import kept

    kept.pin(load_settings(), version, reason)
    console.print(f"[green]pinned:[/] {version}", soft_wrap=True)


def unpin(version: Version, reason: Reason) -> None:
    """Let retention remove the version again."""
    from crm_warehouse.publish import kept

    kept.unpin(load_settings(), version, reason)
    console.print(f"[green]unpinned:[/] {version}", soft_wrap=True)


def serve(
    switch_bank: Annotated[bool, typer.Option(help="Let this bank replace another that the database serves.")] = False,
) -> None:
    """Bring the serving database (CRM_WAREHOUSE_SERVING_DATABASE) to the version that is live in files."""
    from crm_warehouse.errors import SettingsError
    from crm_warehouse.publish import serving

    settings = load_settings()
    address = serving.database_in_environment(settings.bank)
    if not address:
        raise SettingsError(
            f"no serving database is configured: set {serving.VARIABLE} to postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    served = serving.serve(settings, address, switch_bank)
    console.print(f"[green]served:[/] {served['version']}{'' if served['is_new'] else ' (as before)'}", soft_wrap=True)


@export_app.command("analyst")
def export_analyst() -> None:
    """The marts as CSV, tokens only. As DuckDB and Parquet they are published already."""
    _export("analyst", None, True)


@export_app.command("rm")
def export_rm(
    rm_id: Annotated[str, typer.Argument(help="As in dim_customers.primary_rm_id.")], csv: Csv = False
) -> None:
    """A relationship manager's own customers, tokens only."""
    _export("rm", rm_id, csv)


@export_app.command("restricted")
def export_restricted(csv: Csv = False) -> None:
    """Every mart with the bank's customer id beside the token. Personal data: it is on record who made it."""
    _export("restricted", None, csv)


def _export(audience: str, rm_id: str | None, as_csv: bool) -> None:
    from crm_warehouse.publish.exports import export

    target, problem = export(load_settings(), audience, getpass.getuser(), rm_id, as_csv)
    if problem:
        console.print(f"[bold red]damaged:[/] {problem}", soft_wrap=True)
    console.print(f"[green]exported:[/] {target}", soft_wrap=True)
