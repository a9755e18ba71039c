"""`crm-warehouse profile ...`: the verbs of onboarding a bank."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crm_warehouse.errors import BuildFailed, SettingsError
from crm_warehouse.onboarding.findings import Finding, blocking
from crm_warehouse.profile_schema import NAME
from crm_warehouse.settings import PROJECT, Settings, load_settings

app = typer.Typer(no_args_is_help=True, help="Onboard a bank: write its profile, check it, see what it feeds.")
console = Console()

Bank = Annotated[str, typer.Argument(help="A folder of dbt_project/banks.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
MARKS = {
    "fine": "[green]fine[/]",
    "blocks": "[bold red]blocks[/]",
    "warning": "[yellow]look[/]",
    "todo": "[cyan]to do[/]",
    "note": "[dim]note[/]",
}


@app.command()
def new(
    bank: Annotated[str, typer.Argument(help="Name of the new folder: small letters, digits and _.")],
    data: Annotated[Path | None, typer.Option("--from", help="Guess extracts from the files of this folder.")] = None,
) -> None:
    """Write a first profile: right in form, a TODO wherever only the bank knows. Never overwrites."""
    from crm_warehouse.onboarding.scaffold import new_profile

    if not re.fullmatch(NAME, bank):
        raise SettingsError(f"'{bank}' cannot be a bank's name: small letters, digits and _, a letter first")
    if data and not data.is_dir():
        raise SettingsError(f"the folder {data} does not exist: give a folder with files of the bank")
    for path in new_profile(PROJECT, bank, data):
        console.print(f"[green]wrote[/] {path}", highlight=False, soft_wrap=True)
    console.print(f"next: fill in what is marked TODO, and ask `crm-warehouse profile check {bank}`", soft_wrap=True)


@app.command()
def check(
    bank: Bank,
    data: Annotated[Path | None, typer.Option(help="Read the initial delivery in this folder too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is fine, what is in the way, and what to do next. Exit code 1 when something blocks."""
    from crm_warehouse.onboarding.check import check_profile, next_step

    settings = load_settings(bank)
    findings = check_profile(settings, data)
    step = next_step(settings, findings, data)
    if as_json:
        body = {
            "bank": bank,
            "blocks": len(blocking(findings)),
            "next": step,
            "findings": [f.to_json() for f in findings],
        }
        print(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        _show(bank, findings, step)
    if blocking(findings):
        raise typer.Exit(1)


def _show(bank: str, findings: list[Finding], step: str) -> None:
    console.rule(f"profile of {bank}")
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(MARKS[finding.level], finding.area, escape(finding.text))
    console.print(table)
    counts = Counter(finding.level for finding in findings)
    console.print(", ".join(f"{counts[level]} {mark}" for level, mark in MARKS.items() if counts[level]))
    console.print(f"next: {escape(step)}", soft_wrap=True)


@app.command()
def coverage(bank: Bank, as_json: AsJson = False) -> None:
    """List the canonical tables a bank provides, and the marts they feed: whole, in part, or not at all."""
    from crm_warehouse.coverage import coverage_of_marts, coverage_of_tables
    from crm_warehouse.profile import load_profile

    settings = load_settings(bank)
    profile = load_profile(settings)
    with tempfile.TemporaryDirectory() as target:
        manifest = _lineage(settings, Path(target))
        tables, marts = coverage_of_tables(profile, manifest), coverage_of_marts(profile, manifest)
    if as_json:
        print(json.dumps({"bank": bank, "canonical_tables": tables, "marts": marts}, ensure_ascii=False, indent=2))
        return
    console.rule(f"what {bank} feeds")
    shown = Table(box=None, padding=(0, 1))
    for column in ("mart", "coverage", "not provided by the bank"):
        shown.add_column(column, overflow="fold")
    colours = {"fed": "green", "partly": "yellow", "dark": "red"}
    for mart, body in marts.items():
        colour = colours[body["coverage"]]
        shown.add_row(mart, f"[{colour}]{body['coverage']}[/]", ", ".join(body["missing"]) or "-")
    console.print(shown)
    given = [table for table, is_provided in tables.items() if is_provided]
    console.print(f"canonical tables: {len(given)} of {len(tables)} provided: {', '.join(given)}", soft_wrap=True)
    missing = ", ".join(table for table in tables if table not in given)
    console.print(f"not provided: {missing or 'none'}", soft_wrap=True)


def _lineage(settings: Settings, target: Path) -> Path:
    """dbt's manifest of the project as this bank would build it; nothing is built."""
    from crm_warehouse.build import dbt_environment, dbt_variables
    from crm_warehouse.profile import load_profile

    profile = load_profile(settings)
    project = str(settings.project / "dbt_project")
    environment = {**os.environ, **dbt_environment(replace(settings, home=target), profile.initial_delivery_on)}
    command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "--log-level-file", "none", "parse"]
    command += [
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--target-path",
        str(target),
        "--log-path",
        str(target),
    ]
    command += ["--vars", json.dumps(dbt_variables(profile))]
    done = subprocess.run(command, env=environment, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode or not (target / "manifest.json").is_file():
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise BuildFailed(
            f"dbt cannot read the project for {profile.bank}: {lines[-1].strip()}; run `profile check` first"
        )
    return target / "manifest.json"
