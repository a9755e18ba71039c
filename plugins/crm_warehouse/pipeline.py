"""The main job, step by step, without Airflow: plan, extract, landing gate, build, mart gate, publish, evidence.

Every step reads the plan of its run, does its work, and leaves its result in the run's folder
(`evidence/runs/<run_id>/<step>.json`), so each can run in a process of its own and be run again.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

from crm_warehouse.arrivals import late_arrivals, sequence_notes
from crm_warehouse.build import build
from crm_warehouse.coverage import coverage_of_marts, coverage_of_tables
from crm_warehouse.errors import ForbiddenData, MachineRefused, NothingDelivered, SettingsError, SourceInterrupted
from crm_warehouse.evidence import kept, lineage, log, quality_results
from crm_warehouse.extract import Delivery, extract, open_source
from crm_warehouse.extract.connections import FindAddress, address_in_environment
from crm_warehouse.files import read_json, sha256_of, write_json
from crm_warehouse.landing import arriving_folder, clear_arriving, current_batches, deliveries_arriving, land
from crm_warehouse.machine import refusals_told, refuse_other_engines
from crm_warehouse.onboarding.policies import read_ladder, refuse_bad_ladder, refuse_bad_policy
from crm_warehouse.privacy import erasure
from crm_warehouse.processes import one_writer
from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.progress import Progress
from crm_warehouse.publish import serving, versions
from crm_warehouse.publish.candidate import prove_whole, write_candidate
from crm_warehouse.publish.leases import Lease
from crm_warehouse.quality import decisions
from crm_warehouse.retention import age_out_originals
from crm_warehouse.settings import Settings

STEPS = ("landing_gate", "build", "mart_gate", "publish")  # after the extracts, in this order
STEPS_WITH_PROGRESS = ("extract_source", "judge_landing", "build_warehouse", "judge_marts")
READING_ATTEMPTS = 3  # of one source, when it breaks off; between them 2 and 4 seconds


@refusals_told()
def plan_run(settings: Settings, run_id: str, first: date, last: date, switch_bank: bool = False) -> dict:
    """Decide what a run is about, and take its lease: a number, and which version is live as it begins.

    Raises NothingDelivered when the bank delivers nothing in [first, last]. A run that is started again is planned anew.
    """
    refuse_other_engines()
    profile = load_profile(settings)
    erasure.finish(settings, profile)  # one that was killed half way
    policy = profile.folder / "policy"
    refuse_bad_ladder(read_ladder(policy), str(policy), profile.initial_delivery_on)
    refuse_bad_policy(profile)
    dates = profile.business_dates(first, last)
    if not dates:
        raise NothingDelivered(
            f"{profile.bank} delivers nothing from {first} to {last}: its first delivery is of"
            f" {profile.initial_delivery_on}, and then one each business day"
        )
    lease = versions.take_lease(settings)
    plan = {
        "run_id": run_id,
        "bank": profile.bank,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "business_dates": [day.isoformat() for day in dates],
        "as_of": dates[-1].isoformat(),
        "sources": list(profile.sources),
        "switch_bank": switch_bank,
        "lease": asdict(lease),
        "code_sha256": kept.keep_code(settings),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    clear_arriving(settings)
    write_json(settings.run_folder(run_id) / "plan.json", plan)
    return plan


def extract_source(
    settings: Settings,
    run_id: str,
    source: str,
    progress: Progress,
    find_address: FindAddress = address_in_environment,
    sleep: Callable[[float], None] = time.sleep,
) -> dict:
    """Land every extract of one source for every business date of the run. What has landed already is skipped.

    A source that breaks off is read again from its first extract: only then do all of them show the same moment.
    """
    profile, dates = _profile_and_dates(settings, run_id)
    with _result_of(settings, run_id, f"extract_{source}") as result:
        for attempt in range(1, READING_ATTEMPTS + 1):
            result.update(landed=0, skipped=0, rows=0)
            try:
                with opened_source(settings, profile, source, find_address, sleep) as opened:
                    _land_source(settings, profile, dates, source, opened, result, progress)
                break
            except SourceInterrupted:
                if attempt == READING_ATTEMPTS:
                    raise
                sleep(2**attempt)
    return result


@contextmanager
def opened_source(
    settings: Settings,
    profile: Profile,
    source: str,
    find_address: FindAddress = address_in_environment,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[object]:
    """The source, open for reading. A simulated bank's interface that runs nowhere is started here, for as long."""
    spec = profile.extracts_of(source)[0]
    with ExitStack() as stack:
        if profile.simulated and spec.kind == "http" and not find_address(profile.bank, spec.connection):
            from crm_warehouse.simulator.crm_server import serving_on_socket

            token = secrets.token_hex(16)
            address = stack.enter_context(serving_on_socket(settings.source_root, token, source))

            def find_address(bank: str, connection: str) -> str:
                return address

        yield stack.enter_context(open_source(profile, source, settings.source_root, find_address, sleep))


def _land_source(
    settings: Settings,
    profile: Profile,
    dates: list[date],
    source: str,
    opened: object,
    result: dict,
    progress: Progress,
) -> None:
    specs = profile.extracts_of(source)
    for done, (day, spec) in enumerate((day, spec) for day in dates for spec in specs):
        progress(f"{spec.table} {day}", done, len(dates) * len(specs))
        accepted = [batch for batch in current_batches(settings, spec, [day]) if batch.is_accepted]
        if spec.shows_only_now and accepted:
            batch, is_new = accepted[0], False  # by now the table shows another day
        else:
            batch, is_new = land(settings, spec, _receive(settings, profile, spec, opened, day))
        result["landed" if is_new else "skipped"] += 1
        result["rows"] += batch.manifest["rows_read"]
    progress("done", len(dates) * len(specs), len(dates) * len(specs))


def _receive(settings: Settings, profile: Profile, spec: Extract, opened: object, day: date) -> Delivery:
    """The delivery, made ready beside landing. One that may not be kept is gone by the time it is put on record."""
    try:
        delivery = extract(profile, spec, opened, day, arriving_folder(settings))
    except ForbiddenData as refused:
        log.append(settings, "forbidden_data_refused", {"bank": profile.bank, **refused.found})
        raise
    erasure.take_out_erased(settings, profile, spec, delivery)
    return delivery


def judge_landing(settings: Settings, run_id: str, progress: Progress) -> dict:
    """Run the landing gate over the run's batches; accept them, or raise GateFailed."""
    from crm_warehouse.quality import learned
    from crm_warehouse.quality.landing_gate import run_landing_gate
    from crm_warehouse.report.data_docs import keep_data_docs

    profile, dates = _profile_and_dates(settings, run_id)
    with _result_of(settings, run_id, "landing_gate") as result:
        # Before the gate: what it accepts is no longer late.
        result.update(late=late_arrivals(settings, profile, dates), sequence=sequence_notes(settings, profile, dates))
        if result["late"]:
            log.append(settings, "late_arrivals", {"run_id": run_id, "bank": profile.bank, "late": result["late"]})
        database = settings.warehouse / "landing_gate.duckdb"
        verdict = run_landing_gate(settings, profile, dates, database, progress)
        result.update(verdict.to_json())
        quality_results.keep(settings.run_folder(run_id), read_plan(settings, run_id), verdict.gate)
        learned.keep(database, settings.run_folder(run_id) / "learned_bounds.parquet")
        keep_data_docs(settings.run_folder(run_id), "landing_gate", verdict.gate.validations)
        verdict.require_open()
    return result


def build_warehouse(settings: Settings, run_id: str, progress: Progress) -> dict:
    """Build and test the warehouse as of the run's last business date, and write the candidate."""
    profile, dates = _profile_and_dates(settings, run_id)
    with _result_of(settings, run_id, "build") as result:
        built = build(settings, profile, dates[-1], progress)
        candidate = settings.warehouse / "candidate.duckdb"
        write_candidate(built.database, built.manifest, profile, candidate)
        result.update(
            models=built.models,
            tests=built.tests,
            warnings=built.warnings,
            candidate=str(candidate),
            candidate_sha256=sha256_of(candidate),
            dbt_manifest=str(built.manifest),
            dbt_tests=lineage.verdicts_of_tests(built.manifest),
            lineage_sha256=lineage.keep_lineage(settings, built.manifest),
            canonical_tables=coverage_of_tables(profile, built.manifest),
            coverage=coverage_of_marts(profile, built.manifest),
            inputs={f"{b.table} {b.business_date} batch {b.number}": b.sha256 for b in built.batches}
            | decisions.fingerprints(settings)
            | erasure.fingerprint(settings),
        )
    return result


def judge_marts(settings: Settings, run_id: str, progress: Progress) -> dict:
    """Run the mart gate on the candidate; raises GateFailed when BI may not see it."""
    from crm_warehouse.quality.mart_gate import run_mart_gate
    from crm_warehouse.quality.waivers import apply_waivers
    from crm_warehouse.report.data_docs import keep_data_docs

    profile, dates = _profile_and_dates(settings, run_id)
    built = read_result(settings, run_id, "build")
    with _result_of(settings, run_id, "mart_gate") as result:
        prove_whole(Path(built["candidate"]), built["candidate_sha256"])
        gate, audited = run_mart_gate(
            profile, Path(built["dbt_manifest"]), Path(built["candidate"]), dates[-1], progress
        )
        gate = apply_waivers(settings, gate, [dates[-1]], datetime.now(UTC).date())
        result.update(gate.to_json(), audited=audited)
        quality_results.keep(settings.run_folder(run_id), read_plan(settings, run_id), gate)
        keep_data_docs(settings.run_folder(run_id), "mart_gate", gate.validations)
        gate.require_open()
    return result


def publish_marts(
    settings: Settings, run_id: str, find_database: Callable[[str], str | None] = serving.database_in_environment
) -> dict:
    """Make the audited candidate the live version; what is about to happen is in the log before the pointer moves.

    Then the serving database follows, where there is one. If it cannot, the step fails with the files live, and says so.
    """
    plan, built = read_plan(settings, run_id), read_result(settings, run_id, "build")
    gate = read_result(settings, run_id, "mart_gate")
    profile = load_profile(settings)
    with _result_of(settings, run_id, "publish") as result:
        audited = {
            "bank": profile.bank,
            "reporting_currency": profile.reporting_currency,
            "business_date": plan["as_of"],
            "run_id": run_id,
            **gate["audited"],
        }
        log.append(
            settings,
            "publish_intended",
            {name: audited[name] for name in ("bank", "business_date", "run_id", "sha256")},
        )
        version = versions.publish(
            settings, Path(built["candidate"]), audited, Lease(**plan["lease"]), plan["switch_bank"]
        )
        result.update(version=version["version"], is_new=version["run_id"] == run_id, tables=version["tables"])
        address = find_database(profile.bank)
        if address:
            result["serving"] = serving.serve(settings, address, plan["switch_bank"])
    return result


def record_evidence(settings: Settings, run_id: str) -> dict:
    """Put the run on record, whatever became of it, and write its report. Returns the summary; `outcome` tells.

    After a run that ended well, originals whose time is over are removed.
    """
    from crm_warehouse.report.site import write_report

    with refusals_told(settings.home):
        summary = summarise(settings, run_id)
        log.append(settings, "run_finished", _evidence_of(settings, run_id, summary))
        summary["report"] = str(write_report(settings, load_profile(settings), summary))
        write_json(settings.run_folder(run_id) / "summary.json", summary)
        if summary["outcome"] != "failed":
            age_out_originals(settings, load_profile(settings), datetime.now(UTC))
    return summary


def summarise(settings: Settings, run_id: str) -> dict:
    """The plan and the result of every step that ran; `outcome` is `published`, `unchanged` or `failed`."""
    plan = read_plan(settings, run_id)
    names = [f"extract_{source}" for source in plan["sources"]] + list(STEPS)
    results = {
        name: read_result(settings, run_id, name) for name in names if _result_path(settings, run_id, name).is_file()
    }
    problems = [result["problem"] for result in results.values() if "problem" in result]
    published = results.get("publish", {})
    if problems or "version" not in published:
        outcome = "failed"
    else:
        outcome = "published" if published["is_new"] else "unchanged"
    problem = problems[0] if problems else None if outcome != "failed" else "the run stopped before it published"
    late = results.get("landing_gate", {}).get("late", [])
    return {**plan, "outcome": outcome, "problem": problem, "late": late, "results": results}


def run(
    settings: Settings, run_id: str, first: date, last: date, switch_bank: bool, progress_of: Callable[[str], Progress]
) -> dict:
    """The whole job in this process. Returns the summary; a failure is recorded as evidence and then raised."""
    plan = plan_run(settings, run_id, first, last, switch_bank)
    try:
        for source in plan["sources"]:
            extract_source(settings, run_id, source, progress_of(f"extract {source}"))
        judge_landing(settings, run_id, progress_of("landing gate"))
        build_warehouse(settings, run_id, progress_of("build"))
        judge_marts(settings, run_id, progress_of("mart gate"))
        publish_marts(settings, run_id)
    except Exception:  # whatever it was: it goes on record
        with suppress(MachineRefused):  # what stopped the run, a full disk, may keep its end out of the log as well
            record_evidence(settings, run_id)
        raise
    return record_evidence(settings, run_id)


def read_plan(settings: Settings, run_id: str) -> dict:
    path = settings.run_folder(run_id) / "plan.json"
    if not path.is_file():
        raise SettingsError(f"run {run_id} was never planned, so it did nothing: the plan task says why")
    return read_json(path)


def read_result(settings: Settings, run_id: str, step: str) -> dict:
    return read_json(_result_path(settings, run_id, step))


def _result_path(settings: Settings, run_id: str, step: str) -> Path:
    return settings.run_folder(run_id) / f"{step}.json"


def _profile_and_dates(settings: Settings, run_id: str) -> tuple[Profile, list[date]]:
    plan = read_plan(settings, run_id)
    return load_profile(settings), [date.fromisoformat(day) for day in plan["business_dates"]]


@contextmanager
def _result_of(settings: Settings, run_id: str, step: str) -> Iterator[dict]:
    """Collects a step's result and keeps it, with the problem if it ends in one."""
    path = _result_path(settings, run_id, step)
    # What an earlier attempt of this run made of this step and of those after it no longer counts.
    with refusals_told():
        for stale in (step, *STEPS[STEPS.index(step) if step in STEPS else 0 :]):
            _result_path(settings, run_id, stale).unlink(missing_ok=True)
            _result_path(settings, run_id, stale).with_suffix(".parquet").unlink(missing_ok=True)
    result: dict = {}
    try:
        with refusals_told(settings.home), (one_writer if step in STEPS else deliveries_arriving)(settings):
            yield result
    except BaseException as problem:  # SIGTERM and Ctrl-C too
        result["problem"] = str(problem) or f"it was stopped ({type(problem).__name__})"
        with suppress(OSError):  # a full disk: what is wrong is told, not kept
            write_json(path, result)
        raise
    with refusals_told():
        write_json(path, result)


def _evidence_of(settings: Settings, run_id: str, summary: dict) -> dict:
    """What the log keeps of a run: inputs by sha256, verdicts, what was published; never a value of a row."""
    results = summary["results"]
    gates = {}
    for name in ("landing_gate", "mart_gate"):
        gate = results.get(name, {})
        failed = [
            {
                "rule": r["rule"]["id"],
                "severity": r["rule"]["severity"],
                "status": r["status"],
                "rows": r["failed_rows"],
            }
            for r in gate.get("results", [])
            if r["status"] != "passed"
        ]
        gates[name] = {key: gate.get(key) for key in ("planned", "run", "passed", "is_open")} | {"not_passed": failed}
    told = ("run_id", "bank", "business_dates", "code_sha256", "outcome", "problem")
    files = (_result_path(settings, run_id, step) for step in ("plan", *STEPS))
    return {
        **{name: summary[name] for name in told},
        # What each step left in the run's folder: a result that is changed later no longer fits.
        "results_sha256": {file.stem: sha256_of(file) for file in files if file.is_file()},
        # Every batch the marts were built from, old ones too, as one hash; the list is in the run's folder.
        "inputs_sha256": _sha256_of(results.get("build", {}).get("inputs", {})),
        "batches": results.get("landing_gate", {}).get("batches", []),
        "gates": gates,
        "published": {name: results.get("publish", {}).get(name) for name in ("version", "is_new")},
        "audited": results.get("mart_gate", {}).get("audited"),
    }


def _sha256_of(body: dict) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode("utf-8")).hexdigest()
