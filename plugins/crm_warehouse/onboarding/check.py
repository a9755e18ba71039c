"""`crm-warehouse profile check`: everything about a profile that can be known before the first night."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from crm_warehouse.errors import CrmWarehouseError, ExtractError, SettingsError
from crm_warehouse.extract import extract
from crm_warehouse.extract.connections import address_in_environment, variable_of
from crm_warehouse.onboarding.contract import read_contract
from crm_warehouse.onboarding.findings import Finding, blocking
from crm_warehouse.onboarding.mappings import Mappings
from crm_warehouse.onboarding.policies import check_policies
from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.profile_checks import ProfileRefused, did_you_mean
from crm_warehouse.settings import Settings

MARKS = ("TODO", "GUESS")  # of the scaffold, for a person to replace


def check_profile(settings: Settings, data: Path | None) -> list[Finding]:
    """Findings of every area, in the order in which a person mends them."""
    todos = _todos(settings.bank_folder)
    try:
        profile = load_profile(settings)
    except ProfileRefused as refused:
        return [Finding("blocks", "extracts", str(problem)) for problem in refused.problems] + todos
    except SettingsError as problem:
        return [Finding("blocks", "extracts", str(problem))] + todos
    sources = ", ".join(profile.sources)
    findings = [Finding("fine", "extracts", f"extracts.yml: {len(profile.extracts)} extracts of {sources}")]
    findings += _of_extracts(settings, profile)
    findings += Mappings(settings.project, profile, read_contract(settings.project)).check()
    findings += check_policies(profile)
    findings += _expectations(profile)
    findings += _connections(profile)
    if data and blocking(findings):
        findings.append(Finding("note", "delivery", "not read yet: mend what blocks first"))
    elif data:
        findings += _deliveries(profile, data)
    return findings + todos


def next_step(settings: Settings, findings: list[Finding], data: Path | None) -> str:
    """The one thing to do next."""
    if blocks := blocking(findings):
        count = "the line that blocks" if len(blocks) == 1 else f"the {len(blocks)} lines that block"
        return f"mend {count}, then run this check again"
    if todos := [finding for finding in findings if finding.level == "todo"]:
        return f"replace the {len(todos)} places marked {' or '.join(MARKS)}, then run this check again"
    if not data and any(spec.file for spec in load_profile(settings).extracts):
        return f"check a delivery too: crm-warehouse profile check {settings.bank} --data FOLDER"
    first = load_profile(settings).initial_delivery_on
    where = f" --data {data}" if data else ""
    return f"run it: crm-warehouse run --bank {settings.bank}{where} --from {first} --to {first}"


def _of_extracts(settings: Settings, profile: Profile) -> list[Finding]:
    found = []
    if profile.bank != settings.bank:
        found.append(
            Finding(
                "blocks",
                "extracts",
                f"extracts.yml: bank is {profile.bank}, but the folder is {settings.bank}: write the folder's name",
            )
        )
    for spec in profile.extracts:
        name = f"extract {spec.source}.{spec.name}"
        if any(column.name.lower() == "business_date" for column in spec.columns):
            found.append(
                Finding(
                    "warning",
                    "extracts",
                    f"{name} has a column business_date: the date of the delivery stands in its place",
                )
            )
    for source in profile.sources:
        without = [spec.name for spec in profile.extracts_of(source) if spec.file and not spec.control]
        if without:
            text = f"source {source} has no control file (`control: true`) for {', '.join(without)}: nobody can tell whether a file is whole"
            found.append(Finding("warning", "extracts", text))
    return found


def _expectations(profile: Profile) -> list[Finding]:
    """`expect` names principles that the landing gate knows, and what is written can be made into rules."""
    if not any(spec.expect for spec in profile.extracts) and not (profile.folder / "checks.yml").is_file():
        return []
    from expectations.landing import PRINCIPLES, bank_checks

    found, rules = [], 0
    for spec in profile.extracts:
        for name, written in spec.expect.items():
            place = f"extracts.yml: {spec.source}.{spec.name} expects {name}"
            if name not in PRINCIPLES:
                known = ", ".join(sorted(PRINCIPLES)) or "none yet"
                text = (
                    f"{place}, which the landing gate does not know{did_you_mean(name, PRINCIPLES)}; known are {known}"
                )
                found.append(Finding("blocks", "expectations", text))
                continue
            try:
                rules += len(list(PRINCIPLES[name](profile, spec, written)))
            except CrmWarehouseError as problem:
                found.append(Finding("blocks", "expectations", str(problem)))
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                found.append(
                    Finding("blocks", "expectations", f"{place}, but what it says cannot be used: {problem!r}")
                )
    try:
        rules += len(bank_checks.build_rules(profile))
    except (KeyError, TypeError) as problem:
        found.append(Finding("blocks", "expectations", f"{profile.folder / 'checks.yml'}: a check lacks {problem}"))
    return found or [Finding("fine", "expectations", f"{rules} rules beyond types, keys and references")]


def _connections(profile: Profile) -> list[Finding]:
    found = []
    for spec in {spec.source: spec for spec in profile.extracts if spec.connection}.values():
        variable = variable_of(spec.connection)
        if address_in_environment(profile.bank, spec.connection):
            found.append(Finding("fine", "connections", f"source {spec.source}: {variable} is set"))
        elif profile.simulated and spec.kind == "http":
            found.append(Finding("fine", "connections", f"source {spec.source}: simulated, served while it is read"))
        else:
            found.append(
                Finding(
                    "warning", "connections", f"source {spec.source} has no address here: set {variable},"
                    f" or in Airflow the connection crm_warehouse_{profile.bank}_{spec.connection}",
                )
            )  # fmt: skip
    return found


def _deliveries(profile: Profile, data: Path) -> list[Finding]:
    """Each file of the initial delivery, read as the job will read it."""
    if not data.is_dir():
        return [
            Finding(
                "blocks", "delivery", f"the data folder {data} does not exist: give the folder of the bank's extracts"
            )
        ]
    return [_delivery(profile, spec, data) for spec in profile.extracts if spec.file]


def _delivery(profile: Profile, spec: Extract, data: Path) -> Finding:
    try:
        delivery = extract(profile, spec, data, profile.initial_delivery_on)
    except ExtractError as problem:
        return Finding("blocks", "delivery", f"{spec.source}.{spec.name}: {problem}")
    proof = "as its control file says" if delivery.received.control else "no control file to compare with"
    return Finding("fine", "delivery", f"{spec.source}.{spec.name}: {delivery.rows.num_rows:,} rows, {proof}")


def _todos(folder: Path) -> list[Finding]:
    """What the scaffold left to a person, file and line."""
    found = []
    marked = re.compile(rf"\b({'|'.join(MARKS)})\b:?\s*(.*)")
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".yml", ".sql", ".csv")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        header = lines[0].split(",") if lines else []
        for number, line in enumerate(lines, start=1):
            if match := marked.search(line):
                text = match.group(2).strip()
                if path.suffix == ".csv":
                    cells = zip(header, next(csv.reader([line])), strict=False)
                    text = f"write your own {', '.join(name for name, cell in cells if marked.search(cell))}"
                found.append(
                    Finding("todo", "todo", f"{path.relative_to(folder)}, line {number}: {text or 'replace it'}")
                )
    return found
