"""`crm-warehouse`: the same verbs for people."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from crm_warehouse import erasure_commands, evidence_commands, quarantine_commands, waiver_commands
from crm_warehouse.errors import CrmWarehouseError
from crm_warehouse.machine import refusals_told
from crm_warehouse.onboarding.commands import app as profile_app
from crm_warehouse.publish import commands as publish_commands
from crm_warehouse.report.commands import app as report_app
from crm_warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(quarantine_commands.app, name="quarantine")
app.add_typer(waiver_commands.app, name="waive")
app.add_typer(erasure_commands.app, name="erasure")
app.add_typer(evidence_commands.app, name="evidence")
app.add_typer(profile_app, name="profile")
app.add_typer(publish_commands.export_app, name="export")
for command in (publish_commands.pin, publish_commands.unpin, publish_commands.serve):
    app.command()(command)
app.add_typer(report_app, name="report")
explain_app = typer.Typer(no_args_is_help=True, help="Say why a figure is what it is, down to the files behind it.")
app.add_typer(explain_app, name="explain")
console = Console()

Bank = Annotated[str | None, typer.Option("--bank", help="Profile in dbt_project/banks [CRM_WAREHOUSE_BANK].")]
Data = Annotated[str | None, typer.Option("--data", help="Folder of the bank's extracts [CRM_WAREHOUSE_DATA].")]

BusinessDate = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date of the delivery.")
]

FirstMonth = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m"], help="First month; else the first of the warehouse.")
]
LastMonth = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m"], help="Last month; else the last one that is over.")
]


def main() -> None:
    """Entry point: a problem a person can mend is one sentence and exit code 1, never a stack trace."""
    try:
        with refusals_told():
            app()
    except CrmWarehouseError as problem:
        Console(stderr=True).print(
            f"[bold red]crm-warehouse:[/] {escape(str(problem))}", highlight=False, soft_wrap=True
        )
        sys.exit(1)


@app.command()
def demo(bank: Bank = None, data: Data = None) -> None:
    """Run the main job in real Airflow, from source extracts to published marts, and show what came of it."""
    from crm_warehouse import demonstration

    settings = load_settings(bank, data)
    demonstration.run_demo(settings, console)


@app.command()
def run(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business date.")],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business date; marts are as of it.")
    ],
    bank: Bank = None,
    data: Data = None,
    switch_bank: Annotated[bool, typer.Option(help="Let this bank replace another that is live here.")] = False,
) -> None:
    """Run the main job in this process, without Airflow."""
    from crm_warehouse import demonstration, pipeline

    settings = load_settings(bank, data)
    run_id = f"cli__{datetime.now().astimezone().isoformat(timespec='seconds')}"
    with demonstration.progress_bars(console) as bars:
        summary = pipeline.run(settings, run_id, first.date(), last.date(), switch_bank, bars.of_step)
    demonstration.show_summary(settings, summary, console)


@app.command()
def simulate(
    customers: Annotated[int, typer.Option(min=100, help="How many customers the bank has.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed and size: same bytes.")] = 20260101,
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last business date that is delivered.")
    ] = datetime(2026, 6, 30),
    volatile_band_sigma: Annotated[
        float, typer.Option(help="Monthly spread (logs) of assets from 6 to 8 million; 0.05: as calm as above.")
    ] = 0.22,
    postgres: Annotated[
        str | None,
        typer.Option(metavar="DSN", help="Also load the delimited sources there; a password belongs in PGPASSWORD."),
    ] = None,
) -> None:
    """Write the reference bank's extracts to var/source_systems, the truth behind them to var/ground_truth."""
    from crm_warehouse import demonstration
    from crm_warehouse.errors import SettingsError
    from crm_warehouse.simulator import Simulation

    try:
        simulation = Simulation(
            customers, seed, last_business_date=last.date(), volatile_band_sigma=volatile_band_sigma
        )
    except ValueError as problem:
        raise SettingsError(str(problem)) from None
    settings = load_settings("reference_bank")
    demonstration.simulate_source_systems(settings, console, simulation)
    if postgres:
        demonstration.load_into_postgresql(settings, console, postgres)


@app.command()
def corrupt(
    kind: Annotated[str | None, typer.Option(help="What goes wrong: a name of --list.")] = None,
    business_date: BusinessDate = None,
    extract: Annotated[str | None, typer.Option(help="E.g. core.balances; else the first the kind is for.")] = None,
    magnitude: Annotated[float | None, typer.Option(help="Share of the rows, or a factor; see --list.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed and delivery: same bytes.")] = 7,
    in_transit: Annotated[bool, typer.Option("--in-transit", help="The control file stays and disagrees.")] = False,
    at_source: Annotated[bool, typer.Option("--at-source", help="The control file is made anew and agrees.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Show every kind and what should become of it.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put every original back, byte for byte.")] = False,
    bank: Bank = None,
    data: Data = None,
) -> None:
    """Damage a simulated bank's delivery, to see what the gates make of it; --undo takes everything back."""
    from crm_warehouse.simulator.corruption import commands

    if show_list:
        commands.show_kinds(console)
        return
    settings = load_settings(bank, data)
    if undo:
        commands.undo(settings, console)
        return
    way = commands.way_asked_for(in_transit, at_source)
    day = business_date.date() if business_date else None
    commands.corrupt_delivery(settings, console, kind, day, extract, magnitude, seed, way)


@app.command()
def redeliver(
    extract: Annotated[str, typer.Option(help="E.g. core.balances.")],
    business_date: BusinessDate = None,
    corrected: Annotated[bool, typer.Option("--corrected", help="Send a corrected file, next sequence.")] = False,
    withhold: Annotated[bool, typer.Option("--withhold", help="The delivery is late: it has not come.")] = False,
    release: Annotated[bool, typer.Option("--release", help="The withheld delivery comes.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Same seed and delivery: same correction.")] = 7,
    bank: Bank = None,
    data: Data = None,
) -> None:
    """Let a simulated bank send a delivery late, or send it again, corrected."""
    from crm_warehouse.simulator.corruption import commands

    action = commands.action_asked_for(corrected=corrected, withhold=withhold, release=release)
    day = business_date.date() if business_date else None
    commands.redeliver(load_settings(bank, data), console, action, day, extract, seed)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """What is live, what is kept, and how the last run ended."""
    from crm_warehouse import demonstration

    found = demonstration.read_status(load_settings())
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        demonstration.show_status(found, console)


@app.command()
def rollback(
    version: Annotated[str | None, typer.Argument(help="A kept version; empty: the one before the live one.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it goes on record.")] = "not given",
) -> None:
    """Serve an earlier version again, at once: the pointer moves, and the serving database follows."""
    from crm_warehouse.evidence import log
    from crm_warehouse.publish import serving, versions

    settings = load_settings()
    log.append(settings, "rollback_intended", {"to": version or "the version before", "reason": reason})
    before, after = versions.rollback(settings, version)
    log.append(settings, "rolled_back", {"from": before["version"], "to": after["version"], "reason": reason})
    console.print(f"[green]live again:[/] {after['version']} ({after['bank']}, business date {after['business_date']})")
    address = serving.database_in_environment(after["bank"])
    if address:
        serving.serve(settings, address, switch_bank=True)
    elif serving.last_served(settings):
        console.print(
            f"[bold yellow]PostgreSQL[/] was served before and is not configured here: set {serving.VARIABLE}, then"
            " `crm-warehouse serve`",
            soft_wrap=True,
        )


@app.command()
def score(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Compare the published marts of the simulated bank with the truth it hides."""
    from dataclasses import asdict

    from crm_warehouse import demonstration
    from crm_warehouse.score import score_marts

    scores, awaited = score_marts(load_settings())
    if as_json:
        print(json.dumps({"scores": [asdict(score) for score in scores], "awaited": awaited}, ensure_ascii=False))
    else:
        demonstration.show_scores(scores, awaited, console)


@app.command(name="what-if")
def what_if(
    ladder: Annotated[
        str | None, typer.Option(help="A preset of the bank's policy, or a folder with its files.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE=AMOUNT", help="E.g. private=8000000; more than once for more tiers."),
    ] = None,
    first: FirstMonth = None,
    last: LastMonth = None,
    customers: Annotated[int, typer.Option(min=0, help="List this many that cross, by key.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    bank: Bank = None,
) -> None:
    """Replay another tier ladder over the warehouse's history, and say what it changes."""
    from crm_warehouse.what_if import show
    from crm_warehouse.what_if.compare import compare

    settings = load_settings(bank)
    found = compare(settings, ladder, threshold or [], first and first.date(), last and last.date(), customers)
    page = show.draw(settings, found)
    if as_json:
        print(json.dumps({**found, "page": page}, ensure_ascii=False, indent=2, default=str))
    else:
        show.show(found, page, console)


@explain_app.command("tier")
def explain_tier(
    customer: Annotated[
        str, typer.Argument(help="A customer_key; where the token key is, also the bank's customer id.")
    ],
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="The month that was rated.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    bank: Bank = None,
) -> None:
    """Why a customer had its tier in a month: amounts, policy, grace, what was known when, files."""
    from crm_warehouse.explain import tier_sentences
    from crm_warehouse.explain.tier_facts import read_tier_facts

    facts = read_tier_facts(load_settings(bank), customer, month.date())
    if as_json:
        said = [{"en": en, "zh": zh} for en, zh in tier_sentences.sentences(facts)]
        print(json.dumps({**facts, "sentences": said}, ensure_ascii=False, indent=2, default=str))
    else:
        tier_sentences.show(facts, console)


@explain_app.command("value")
def explain_value(
    customer: Annotated[
        str, typer.Argument(help="A customer_key; where the token key is, also the bank's customer id.")
    ],
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="The month of the contribution.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    bank: Bank = None,
) -> None:
    """What a customer contributed in a month and is worth: step by step, down to account, rate and policy row."""
    from crm_warehouse.explain import value_sentences
    from crm_warehouse.explain.value_facts import read_value_facts

    facts = read_value_facts(load_settings(bank), customer, month.date())
    if as_json:
        said = [{"en": en, "zh": zh} for en, zh in value_sentences.sentences(facts)]
        print(json.dumps({**facts, "sentences": said}, ensure_ascii=False, indent=2, default=str))
    else:
        value_sentences.show(facts, console)


@explain_app.command("number")
def explain_number(
    mart: Annotated[str, typer.Argument(help="A published mart.")],
    column: Annotated[str, typer.Argument(help="One of its columns.")],
    key: Annotated[
        list[str] | None,
        typer.Argument(help="The row: name=value for each part of the mart's key, or the values in the key's order."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """From a cell of the live version to meaning, models, code, policy and approver, checks, files and log entry."""
    from crm_warehouse.explain import number_sentences
    from crm_warehouse.explain.number_facts import read_number_facts

    facts = read_number_facts(load_settings(), mart, column, key or [])
    if as_json:
        said = [{"en": en, "zh": zh} for en, zh in number_sentences.sentences(facts)]
        print(json.dumps({**facts, "sentences": said}, ensure_ascii=False, indent=2, default=str))
    else:
        number_sentences.show(facts, console)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def airflow(context: typer.Context) -> None:
    """Run an Airflow command on this warehouse's own Airflow home, e.g. `crm-warehouse airflow dags list`."""
    from crm_warehouse import airflow_home

    settings = load_settings()
    airflow_home.prepare(settings)
    command = [sys.executable, "-m", "airflow", *context.args]
    os.execvpe(command[0], command, airflow_home.environment(settings))


@app.command()
def verify() -> None:
    """Prove that the evidence log, the results it vouches for and every kept version are as they were written."""
    from crm_warehouse.errors import EvidenceBroken
    from crm_warehouse.evidence.of_run import find_changed_run, whole_log
    from crm_warehouse.publish import versions

    settings = load_settings()
    entries = whole_log(settings)
    runs, again, problem = find_changed_run(settings, entries)
    if problem:
        raise EvidenceBroken(problem)
    live, kept = versions.live_version(settings), versions.kept_versions(settings)
    for version in ([live] if live else []) + kept:
        versions.prove_version(settings, version)
    since = f" ({again} were started again since)" if again else ""
    console.print(
        f"[green]whole:[/] {len(entries)} entries of evidence, results of {runs} runs as recorded{since},"
        f" {len(kept)} kept versions, live file as audited",
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
