"""Everything behind one published cell: what it means, what it is worked out of, who approved what, what looked at it, which files."""

from __future__ import annotations

import calendar
import csv
import io
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from crm_warehouse.errors import SettingsError
from crm_warehouse.evidence import kept
from crm_warehouse.evidence.lineage import models_behind, read_lineage
from crm_warehouse.evidence.of_run import end_of_run, proven_results, whole_log
from crm_warehouse.files import read_json
from crm_warehouse.landing import MANIFEST
from crm_warehouse.onboarding.policies import SERIES
from crm_warehouse.privacy.tokens import customer_key_of, read_key
from crm_warehouse.profile_checks import did_you_mean
from crm_warehouse.publish import versions
from crm_warehouse.publish.candidate import SCHEMA, prove_whole
from crm_warehouse.settings import Settings

TOKEN = re.compile(r"[0-9a-f]{32}")
OF_POLICY = ("policy_id", "policy_version")


def read_number_facts(settings: Settings, mart: str, column: str, key: list[str]) -> dict:
    """What is on record behind `column` of the row of `mart` that `key` names, in the live version.

    `key`: `name=value` for columns of the mart, or the values of its grain in order. Raises SettingsError, PublishRefused or
    EvidenceBroken in one sentence when there is no such cell, or when what vouches for it was changed.
    """
    live = versions.live_version(settings)
    if not live:
        raise SettingsError("nothing is published yet: run `make demo` or `crm-warehouse run` first")
    settings = replace(settings, bank=live["bank"])
    entries = whole_log(settings)
    entry = end_of_run(entries, live["bank"], live["run_id"])
    results = proven_results(settings, entry)
    lineage = read_lineage(settings, results["build"]["lineage_sha256"])
    told = _known(lineage["marts"], mart, "mart")
    meaning = _known(told["columns"], column, f"column of {mart}")
    conditions = _conditions(settings, mart, told, key)
    file = settings.published / live["file"]
    prove_whole(file, live["sha256"])
    value = _read_cell(file, mart, column, conditions)
    behind = models_behind(lineage, mart)
    as_of = _as_of(conditions, date.fromisoformat(live["business_date"]))
    return {
        "bank": live["bank"],
        "mart": mart,
        "column": column,
        "key": {name: given for name, given, _ in conditions},
        "value": value,
        "meaning": {**meaning, "unit": meaning["unit"].replace("reporting currency", live["reporting_currency"])},
        "version": {name: live[name] for name in ("version", "file", "sha256", "business_date", "published_at")},
        "code_sha256": results["plan"]["code_sha256"],
        "models": _models(settings, lineage, behind, results["plan"]["code_sha256"]),
        "policy_as_of": as_of,
        "policy": _policy(settings, lineage, behind, results["plan"]["code_sha256"], as_of),
        "tests": [test for test in results["build"]["dbt_tests"] if mart in test["models"]],
        "rules": [_verdict(result) for result in results["mart_gate"]["results"] if result["rule"]["table"] == mart],
        "landing": _landing(settings, lineage, behind, results),
        "run_id": live["run_id"],
        "log_entry": {name: entry[name] for name in ("sequence", "hash", "at")},
    }


def _known(names: dict[str, dict], name: str, what: str) -> dict:
    if name not in names:
        near = did_you_mean(name, names)
        raise SettingsError(f"'{name}' is no {what}{near}; known are {', '.join(sorted(names))}")
    return names[name]


def _conditions(settings: Settings, mart: str, told: dict, key: list[str]) -> list[tuple[str, str, str]]:
    """(column, value, type) of each part of the key."""
    grain = told["grain"]
    if not key:
        raise SettingsError(f"which row of {mart}? give its key: {' '.join(f'{name}=...' for name in grain)}")
    if all("=" in part for part in key):
        pairs = [tuple(part.split("=", 1)) for part in key]
    elif len(key) <= len(grain):
        pairs = list(zip(grain, key, strict=False))
    else:
        raise SettingsError(f"{mart} has a key of {len(grain)} parts, not {len(key)}: {', '.join(grain)}")
    conditions = []
    for name, value in pairs:
        type_ = _known(told["columns"], name, f"column of {mart}")["type"]
        if type_ == "date" and re.fullmatch(r"\d{4}-\d{2}", value):
            value += "-01"
        if name == "customer_key" and not TOKEN.fullmatch(value) and settings.customer_key_file.is_file():
            value = customer_key_of(read_key(settings), value)  # the bank's own id, for who holds the key
        conditions.append((name, value, type_))
    return conditions


def _read_cell(file: Path, mart: str, column: str, conditions: list[tuple[str, str, str]]) -> object:
    """The value; names and types are the contract's, values are bound."""
    where = " and ".join(f'"{name}" = cast(? as {type_})' for name, _, type_ in conditions)
    query = f'select "{column}" from {SCHEMA}."{mart}" where {where} limit 2'
    values = [value for _, value, _ in conditions]
    options = {"enable_external_access": "false", "lock_configuration": "true"}
    with duckdb.connect(str(file), read_only=True, config=options) as connection:
        try:  # all of them: of a row that is not there the engine may not look at the rest of the key
            connection.execute(f"select {', '.join(f'cast(? as {type_})' for _, _, type_ in conditions)}", values)
        except duckdb.ConversionException:
            shapes = ", ".join(f"{name} is a {type_}" for name, _, type_ in conditions)
            raise SettingsError(f"the key cannot be read: {shapes}") from None
        rows = connection.execute(query, values).fetchall()
    names = ", ".join(name for name, _, _ in conditions)
    if not rows:
        raise SettingsError(f"{mart} of the live version has no row with this {names}")
    if len(rows) > 1:
        raise SettingsError(f"{mart} has more than one row with this {names}: give the rest of its key too")
    return rows[0][0]


def _as_of(conditions: list[tuple[str, str, str]], business_date: date) -> date:
    """The day whose policy decided: the end of the row's month, or its day, if the version is not of an earlier one."""
    for name, value, type_ in conditions:
        if type_ == "date":
            day = date.fromisoformat(value)
            last = calendar.monthrange(day.year, day.month)[1]
            return min(day.replace(day=last) if name == "month" else day, business_date)
    return business_date


def _models(settings: Settings, lineage: dict, behind: list[str], code_sha256: str) -> list[dict]:
    """Models from the mart down to the bank's mappings, each with the sha256 of its SQL as it was then."""
    files = kept.files_of_code(settings, code_sha256)
    models = [(name, lineage["models"][name]) for name in behind]
    return [
        {"model": name, "layer": model["kind"], "file": model["file"], "sha256": files[model["file"]]}
        for name, model in models
        if model["kind"] != "policy"
    ]


def _policy(settings: Settings, lineage: dict, behind: list[str], code_sha256: str, as_of: date) -> list[dict]:
    """Policy files of the lineage with the rows in force, of parameters only those that a model asks for."""
    files = kept.files_of_code(settings, code_sha256)
    words = {word for name in behind for word in lineage["models"][name]["words"]}
    read = {}
    for name in behind:
        if lineage["models"][name]["kind"] == "policy":
            path = lineage["models"][name]["file"]
            rows = list(csv.DictReader(io.StringIO(kept.read(settings, files[path]).decode("utf-8"))))
            read[name] = {"file": path, "sha256": files[path], "rows": _in_force(name, rows, as_of.isoformat())}
    if "policy_parameters" in read:
        asked = [row for row in read["policy_parameters"]["rows"] if row["parameter"] in words]
        read["policy_parameters"]["rows"] = asked
    if "tier_policies" in read and "policy_id" not in lineage["marts"][behind[0]]["grain"]:
        active = [row for row in read["tier_policies"]["rows"] if row["is_active"] == "true"]
        read["tier_policies"]["rows"] = active  # the presets beside it decide nothing
    ladders = {tuple(map(row.get, OF_POLICY)) for row in read.get("tier_policies", {"rows": []})["rows"]}
    for name in ("tier_thresholds", "tier_asset_weights"):
        if name in read and ladders:
            read[name]["rows"] = [row for row in read[name]["rows"] if tuple(map(row.get, OF_POLICY)) in ladders]
    return [read[name] for name in sorted(read)]


def _in_force(name: str, rows: list[dict], as_of: str) -> list[dict]:
    """Rows that hold on a day: begun, not ended, and not followed by another of the same series; undated ones hold always."""
    begun = [row for row in rows if row.get("effective_from", "") <= as_of < (row.get("effective_to") or "9999-12-31")]
    # A later list of age bands replaces the whole of the one before.
    series = () if name == "age_bands" else SERIES.get(name, tuple(rows[0]) if rows else ())
    latest: dict[tuple, str] = {}
    for row in begun:
        place = tuple(map(row.get, series))
        latest[place] = max(latest.get(place, ""), row.get("effective_from", ""))
    return [row for row in begun if row.get("effective_from", "") == latest[tuple(map(row.get, series))]]


def _verdict(result: dict) -> dict:
    rule = result["rule"]
    shown = {name: rule[name] for name in ("id", "name_en", "name_zh", "severity", "owner")}
    return {**shown, **{name: result[name] for name in ("status", "table_rows", "failed_rows", "waiver")}}


def _landing(settings: Settings, lineage: dict, behind: list[str], results: dict) -> list[dict]:
    """Extracts of the lineage: the batches that the version was built from, and what the run's landing gate said of the extract."""
    batches: dict[str, list[dict]] = {}
    for name, sha256 in results["build"]["inputs"].items():
        if found := re.fullmatch(r"(\w+) (\d{4}-\d{2}-\d{2}) batch (\d+)", name):
            batches.setdefault(found[1], []).append(
                {"business_date": found[2], "batch": int(found[3]), "sha256": sha256}
            )
    tables = sorted({table for name in behind for table in lineage["models"][name]["landing"]})
    told = []
    for table in tables:
        folder = settings.landing.joinpath(*table.split("__", 1))
        for batch in batches.get(table, []):
            place = folder / f"business_date={batch['business_date']}" / f"batch={batch['batch']}" / MANIFEST
            manifest = read_json(place) if place.is_file() else {}
            batch |= {"file": manifest.get("file"), "rows": manifest.get("rows_read")}
        verdicts = [result for result in results["landing_gate"]["results"] if result["rule"]["table"] == table]
        told.append(
            {
                "table": table,
                "batches": batches.get(table, []),
                "rules_passed": sum(result["status"] == "passed" for result in verdicts),
                "rules_not_passed": [_verdict(result) for result in verdicts if result["status"] != "passed"],
            }
        )
    return told
