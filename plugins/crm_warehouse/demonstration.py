"""What people see of a run: progress while it lasts, a summary they understand when it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from crm_warehouse import airflow_home
from crm_warehouse.errors import CrmWarehouseError
from crm_warehouse.evidence import log
from crm_warehouse.files import read_json
from crm_warehouse.processes import die_with_parent, only_one
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import FILE_VARIABLE
from crm_warehouse.publish import kept, serving, versions
from crm_warehouse.settings import Settings

if TYPE_CHECKING:
    from crm_warehouse.score import Score
    from crm_warehouse.simulator import Simulation


MOST_LISTED = 30  # of what a rule names; learned bounds have a section of the report


class RunFailed(CrmWarehouseError):
    """A run ended red; the sentence says why."""


class Bars:
    """Progress bars by step name."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, int] = {}

    def show(self, step: str, item: str, done: int, total: int) -> None:
        """Move the bar of `step`; the first call makes it."""
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step, total=total or None, item="")
        self._progress.update(self._tasks[step], completed=done, total=total or None, item=item[:44])

    def of_step(self, step: str):
        """A progress callback of one step."""
        return lambda item, done, total: self.show(step, item, done, total)


@contextmanager
def progress_bars(console: Console) -> Iterator[Bars]:
    """Bars on a terminal, nothing when the output goes to a file."""
    columns = (TextColumn("{task.description:>18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("[dim]{task.fields[item]}"), console=console) as progress:
        yield Bars(progress)


def simulate_source_systems(settings: Settings, console: Console, simulation: Simulation | None = None) -> None:
    """Let the reference bank's source systems write their extracts, and give out the bank's token key."""
    from crm_warehouse.privacy.tokens import write_key
    from crm_warehouse.simulator import Simulation, draw_portrait, simulate

    simulation = simulation or Simulation()
    portrait = settings.source_root / "portrait.html"
    with progress_bars(console) as bars:
        is_new = simulate(settings.source_root, simulation, settings.ground_truth, bars.of_step("source systems"))
        if is_new or not portrait.exists():
            draw_portrait(settings.source_root, portrait)
    if not settings.customer_key_file.exists():
        # Nobody real is behind these tokens, so the simulated bank's key follows from its seed: two demos, one result.
        write_key(settings.customer_key_file, f"{simulation.seed:064x}")
    state = "written" if is_new else "already there, not written again"
    console.print(f"source systems of {settings.bank}: {simulation.customers:,} customers, {state}")
    console.print(f"look at them     {portrait}", soft_wrap=True)


def load_into_postgresql(settings: Settings, console: Console, dsn: str) -> None:
    """Put the simulated sources that write delimited files into a PostgreSQL as well, a schema each."""
    from crm_warehouse.simulator import postgresql

    profile = load_profile(settings)
    for source in postgresql.loadable(profile):
        rows = postgresql.load(dsn, settings.source_root, source, profile)
        console.print(f"PostgreSQL schema {source}: {rows:,} rows")


def run_demo(settings: Settings, console: Console) -> None:
    """The whole path in real Airflow; raises RunFailed when the run is red."""
    profile = load_profile(settings)
    console.rule(f"{profile.name_en} {profile.name_zh}")
    if profile.simulated:
        simulate_source_systems(settings, console)
    before = versions.live_version(settings)
    params = {
        "bank": profile.bank,
        "data": str(settings.source_root),
        "switch_bank": True,
        "first_date": profile.initial_delivery_on.isoformat(),
        "last_date": profile.demo_last_business_date.isoformat(),
    }
    # Two at once would write one Airflow database and one log.
    refusal = RunFailed(f"another demo is running in {settings.home}: wait until it ends, or stop it, then run again")
    with only_one(settings.airflow / ".demo.lock", refusal) as lock:
        console.print("preparing Airflow (SQLite metadata database, no server) ...")
        airflow_home.prepare(settings)
        run_id = _run_dag(settings, "crm_warehouse_rebuild", params, lock, console)
    summary = read_json(settings.run_folder(run_id) / "summary.json")
    show_summary(settings, summary, console)
    if before and before["bank"] != profile.bank:
        console.print(
            f"[yellow]note:[/] {before['bank']} was live before; `crm-warehouse rollback {before['version']}` goes back to it"
        )


def _run_dag(settings: Settings, dag_id: str, params: dict, lock: int, console: Console) -> str:
    """Run a DAG in a process of its own that holds `lock` too, show its progress, return its run id."""
    airflow_log = settings.airflow / f"{dag_id}.log"
    events = settings.airflow / f"{dag_id}.progress"
    events.write_text("", encoding="utf-8")
    environment = {**airflow_home.environment(settings), FILE_VARIABLE: str(events)}
    command = [sys.executable, "-m", "crm_warehouse.operators.local_run", dag_id, json.dumps(params)]
    with airflow_log.open("w", encoding="utf-8") as output, progress_bars(console) as bars:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
            preexec_fn=die_with_parent,
        )
        try:
            for event in _follow(events, process):
                bars.show(event["step"], event["item"], event["done"], event["total"])
        finally:
            process.terminate()
            process.wait()
    last_line = airflow_log.read_text(encoding="utf-8").strip().rsplit("\n", 1)[-1]
    try:
        outcome = json.loads(last_line)
    except ValueError:
        raise RunFailed(f"Airflow stopped before the run ended; read {airflow_log}") from None
    if outcome["state"] != "success":
        summary = settings.run_folder(outcome["run_id"] or "none") / "summary.json"
        problem = (
            read_json(summary)["problem"] if summary.is_file() else str(outcome.get("import_errors", "see the log"))
        )
        raise RunFailed(f"{problem} (log: {airflow_log})")
    return outcome["run_id"]


def _follow(events: Path, process: subprocess.Popen) -> Iterator[dict]:
    """Lines of a growing file as they come, until the process that writes it has ended."""
    with events.open(encoding="utf-8") as file:
        while True:
            running = process.poll() is None
            for line in file:
                yield json.loads(line)
            if not running:
                return
            time.sleep(0.2)


def show_summary(settings: Settings, summary: dict, console: Console) -> None:
    """What a newcomer wants to know of a run that did not fail."""
    results = summary["results"]
    landed = [results[f"extract_{source}"] for source in summary["sources"]]
    console.rule("what the run did")
    console.print(
        f"business dates   {len(summary['business_dates'])}: {summary['business_dates'][0]} to {summary['as_of']}"
    )
    console.print(
        f"landing          {sum(r['landed'] for r in landed)} files landed,"
        f" {sum(r['skipped'] for r in landed)} already there; {sum(r['rows'] for r in landed):,} rows"
    )
    for name in ("landing_gate", "mart_gate"):
        gate = results[name]
        console.print(
            f"{name.replace('_', ' '):<16} {gate['planned']} checks planned, {gate['run']} run, {gate['passed']} passed"
        )
    console.print(
        f"build            {results['build']['models']} models and seeds, {results['build']['tests']} tests passed"
    )
    _show_arrivals(results["landing_gate"], console)
    _show_not_passed(results, console)
    _show_facts(results["landing_gate"], console)
    _show_marts(results, console)
    live = versions.live_version(settings)
    _show_tier_history(settings, live, console)
    console.rule("published")
    state = "new version" if summary["outcome"] == "published" else "nothing differs from the live version, which stays"
    console.print(f"version          {live['version']} ({state})")
    console.print(f"open it          {settings.published / live['file']}", soft_wrap=True)
    console.print(f"report           {summary['report']}", soft_wrap=True)


def _show_arrivals(gate: dict, console: Console) -> None:
    """What came late or corrected, and which months move because of it; what is missing in a day's sequence."""
    for late in gate["late"]:
        console.print(
            f"[yellow]{late['kind']}[/] {late['table']} of {late['business_date']}, batch {late['batch']}:"
            f" {late['rebuild_from']} to {late['rebuild_to']} are rebuilt ({', '.join(late['months'])})"
        )
    for note in gate["sequence"]:
        said = [f"sequence {number} has not come" for number in note["missing"]]
        said += [f"sequence {number} brought the same bytes again and was skipped" for number in note["redelivered"]]
        console.print(f"[yellow]note[/] {note['table']} of {note['business_date']}: {'; '.join(said)}")


def _show_not_passed(results: dict, console: Console) -> None:
    for name in ("landing_gate", "mart_gate"):
        for result in results[name]["results"]:
            if result["status"] != "passed":
                rule = result["rule"]
                shown = "waived" if result["status"] == "waived" else rule["severity"]
                console.print(
                    f"[yellow]{shown}[/] {rule['name_en']} {rule['name_zh']}: {result['failed_rows']} rows ({rule['id']})"
                    + (f" {result['detail']}" if shown == "waived" else "")
                )
                if result["detail"]:
                    console.print(f"  {result['detail']}", style="dim", markup=False, soft_wrap=True)
    for rule, rows in results["landing_gate"]["listed"].items():
        shown = rows[: 3 if ".learned." in rule else MOST_LISTED]
        more = f" and {len(rows) - len(shown)} more, in the report" if len(rows) > len(shown) else ""
        console.print(f"  {len(rows)} named by {rule}: {', '.join(' '.join(row) for row in shown)}{more}", style="dim")


def _show_facts(gate: dict, console: Console) -> None:
    if not gate["facts"]:
        return
    table = Table(title="known facts of the delivery 已知事实", title_justify="left")
    table.add_column("fact")
    table.add_column("expected", justify="right")
    table.add_column("found", justify="right")
    for fact in gate["facts"]:
        mark = "green" if fact["found"] == fact["expected"] else "bold red"
        expected, found = (f"{n:,}" if isinstance(n, int) else n for n in (fact["expected"], fact["found"]))
        table.add_row(fact["name_en"], expected, f"[{mark}]{found}[/]")
    console.print(table)


def _show_marts(results: dict, console: Console) -> None:
    table = Table(title="marts 数据集市", title_justify="left")
    for column, justify in (
        ("mart", "left"),
        ("rows", "right"),
        ("coverage", "left"),
        ("not provided by the bank", "left"),
    ):
        table.add_column(column, justify=justify)
    for mart, row in results["build"]["coverage"].items():
        rows = results["publish"]["tables"][mart]["rows"]
        table.add_row(mart, f"{rows:,}", row["coverage"], ", ".join(row["missing"]) or "-")
    console.print(table)
    tables = results["build"]["canonical_tables"]
    missing = [name for name, is_provided in tables.items() if not is_provided]
    console.print(f"canonical tables {len(tables) - len(missing)} of {len(tables)} provided by the bank")
    if missing:
        console.print(f"not provided     {', '.join(missing)}")


def _show_tier_history(settings: Settings, live: dict, console: Console) -> None:
    """The customer with the most tier movements, as BI would ask for it."""
    with duckdb.connect(str(settings.published / live["file"]), read_only=True) as connection:
        rows = connection.execute(
            """
            select customer_key, valid_from, valid_to, previous_tier_code, tier_code, movement, reason
            from marts.fct_customer_tier_history
            where known_to = timestamp '9999-12-31' and customer_key = (
                select customer_key from marts.fct_customer_tier_history where known_to = timestamp '9999-12-31'
                group by customer_key order by count(*) desc, customer_key limit 1
            )
            order by valid_from limit 6
            """
        ).fetchall()
    if not rows:  # a first delivery may leave nobody with a tier yet
        return
    table = Table(title=f"tier history 等级历史 of customer {rows[0][0]}", title_justify="left")
    for column in ("from", "to", "before", "tier", "movement", "reason"):
        table.add_column(column)
    for _, *values in rows:
        table.add_row(*("-" if value is None else str(value) for value in values))
    console.print(table)


def read_status(settings: Settings) -> dict:
    """The live version, kept versions, the last run and whether the evidence is whole."""
    finished = [entry for entry in log.read_entries(settings) if entry.get("event") == "run_finished"]
    last = finished[-1] if finished else None
    live = versions.live_version(settings)
    return {
        "live": live,
        "kept": [
            {name: version[name] for name in ("version", "bank", "business_date", "published_at")}
            for version in versions.kept_versions(settings)
        ],
        "pinned": kept.pins(settings),
        "link_is_right": live is None or versions.link_is_right(settings, live),
        "serving": serving.describe_serving(settings, serving.database_in_environment(settings.bank)),
        "last_run": last
        and {"at": last["at"], **{name: last["body"][name] for name in ("run_id", "bank", "outcome", "problem")}},
        "evidence": log.verify(settings) or "whole",
    }


def show_status(found: dict, console: Console) -> None:
    """The same for people."""
    live = found["live"]
    if not live:
        console.print("nothing is published yet: run `make demo` or `crm-warehouse run`")
    else:
        console.print(
            f"live       {live['version']}  {live['bank']}, business date {live['business_date']}, {live['published_at']}"
        )
        for name, table in live["tables"].items():
            console.print(f"           {name:<32} {table['rows']:>12,} rows  {table['content_hash'][:16]}")
    for version in found["kept"]:
        pinned = found["pinned"].get(version["version"])
        said = f"  pinned: {escape(pinned)}" if pinned else ""
        console.print(f"kept       {version['version']}  {version['bank']}{said}", soft_wrap=True)
    if not found["link_is_right"]:
        console.print("[bold red]BEHIND[/]     current.duckdb is not the live version: run again")
    if found["serving"]:
        serves = found["serving"]
        state = "same as files" if serves["is_live"] else "[bold red]BEHIND[/]: `crm-warehouse serve`"
        said = f"  ({escape(serves['problem'])})" if serves["problem"] else ""
        console.print(f"postgresql {serves['version'] or 'nothing'}  {state}{said}", soft_wrap=True)
    if found["last_run"]:
        run = found["last_run"]
        console.print(f"last run   {run['run_id']}  {run['outcome']}  {run['problem'] or ''}")
    console.print(f"evidence   {found['evidence']}")


def show_scores(scores: list[Score], awaited: dict[str, str], console: Console) -> None:
    """What the marts see of the truth, and what is still to come."""
    table = Table(title="marts against the ground truth 与真实情况对照", title_justify="left")
    for column, justify in (
        ("measure", "left"),
        ("found", "right"),
        ("of", "right"),
        ("share", "right"),
        ("wrong", "right"),
    ):
        table.add_column(column, justify=justify)
    for score in scores:
        share = "-" if score.recall is None else f"{score.recall:.1%}"
        wrong = "-" if score.wrong is None else f"{score.wrong:,}"
        table.add_row(
            f"{score.meaning_en}\n{score.meaning_zh} ({score.mart})",
            f"{score.found:,}",
            f"{score.total:,}",
            share,
            wrong,
        )
    console.print(table)
    for mart, what in awaited.items():
        console.print(f"[dim]not published yet: {mart} ({what})[/]")
