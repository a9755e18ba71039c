"""`crm-warehouse evidence`: hand over what is on record, to be verified offline."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from crm_warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Hand over what is on record of a publish, to be verified offline.")
console = Console()


@app.callback()
def evidence() -> None:
    """Keep `pack` a command of its own: of a single command typer would make the group itself."""


@app.command()
def pack(
    business_date: Annotated[
        datetime, typer.Argument(formats=["%Y-%m-%d"], help="A business date that was published.")
    ],
    to: Annotated[Path | None, typer.Option("--to", help="The zip to write; else below var/evidence/packs.")] = None,
    bank: Annotated[
        str | None, typer.Option("--bank", help="Profile in dbt_project/banks [CRM_WAREHOUSE_BANK].")
    ] = None,
) -> None:
    """Write a zip of everything on record of a published date: log, results, rules, waivers, policy, code; no customer."""
    from crm_warehouse.evidence.pack import pack_evidence
    from crm_warehouse.files import sha256_of

    target = pack_evidence(load_settings(bank), business_date.date(), to)
    console.print(f"[green]packed:[/] {target} (sha256 {sha256_of(target)})", soft_wrap=True, highlight=False)
    console.print("verify it with: python -I verify.py PACK.zip, the script is inside 验证脚本在包内", soft_wrap=True)
