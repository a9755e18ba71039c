"""`crm-warehouse report`: the report of a run on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from crm_warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The quality report of a run, as PDF.")
console = Console()


@app.callback()
def report() -> None:
    """The quality report of a run."""


@app.command()
def pdf(
    run: Annotated[str | None, typer.Argument(help="Folder of the run below var/report; else the newest.")] = None,
    to: Annotated[Path | None, typer.Option(help="Folder to write to; else var/report/pdf/<run>.")] = None,
) -> None:
    """Print first page and figures of a run's report, in English and in Chinese, with a Chromium of this machine."""
    from crm_warehouse.errors import ReportRefused
    from crm_warehouse.report.printing import print_report
    from crm_warehouse.report.trends import read_digests

    settings = load_settings()
    kept = [digest["folder"] for digest in read_digests(settings.report)]
    if not kept:
        raise ReportRefused(f"{settings.report} has no report yet: run the main job first")
    run = run or kept[-1]
    if run not in kept:
        raise ReportRefused(
            f"{settings.report} has no report {run}: the newest is {kept[-1]}; index.html there lists all"
        )
    for file in print_report(settings.report / run, to or settings.report / "pdf" / run):
        console.print(str(file), soft_wrap=True, highlight=False)
