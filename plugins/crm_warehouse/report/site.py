"""The report's site: `report/<run>/`, written once and never again, and `report/index.html`, the list of what is kept.

A run that is put on record once more (a task cleared in Airflow) gets a folder of its own, `<run>.2`, if anything
differs. A folder appears whole, by one rename.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from itertools import chain
from pathlib import Path

from crm_warehouse.files import json_text, read_json, sync, sync_all, write_atomically
from crm_warehouse.profile import Profile
from crm_warehouse.publish.formulas import neutralise
from crm_warehouse.report import trends
from crm_warehouse.report.facts import gather_facts
from crm_warehouse.report.pages import LANGUAGES, PAGES, file_name, render, stylesheet
from crm_warehouse.report.workbook import write_workbook
from crm_warehouse.settings import Settings, safe_name


def write_report(settings: Settings, profile: Profile, summary: dict) -> Path:
    """Write the run's site and the list of reports. Returns the site's first page, in English."""
    digests = trends.read_digests(settings.report)
    told = hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()
    folder, is_new = _folder_of(settings.report, safe_name(summary["run_id"]), told)
    if is_new:
        digest = {**trends.digest_of(summary), "summary_sha256": told}
        _write_site(folder, _contents(settings, profile, summary, digests, digest))
        digests = trends.read_digests(settings.report)
    for language in LANGUAGES:
        page = render("runs.html", language, runs=list(reversed(digests)), style=stylesheet())
        write_atomically(settings.report / file_name("index", language), page.encode())
    return folder / "index.html"


def _folder_of(site: Path, name: str, told: str) -> tuple[Path, bool]:
    """The folder for what is told of a run, and whether it has to be written: one that tells the same is there."""
    attempt, folder = 1, site / name
    while folder.exists():
        digest = folder / trends.DIGEST
        if digest.is_file() and read_json(digest)["summary_sha256"] == told:
            return folder, False
        attempt += 1
        folder = site / f"{name}.{attempt}"
    return folder, True


def _contents(
    settings: Settings, profile: Profile, summary: dict, digests: list[dict], digest: dict
) -> dict[str, bytes]:
    """Every file of a site by its path in it."""
    facts = gather_facts(settings, profile, summary, digests)
    files = {"style.css": stylesheet().encode()}
    for language in LANGUAGES:
        for page in PAGES:
            files[file_name(page, language)] = render(f"{page}.html", language, page=page, **facts).encode()
        for suite, docs in chain.from_iterable(of_gate.items() for of_gate in facts["data_docs"].values()):
            html = render("data_docs_suite.html", language, page="data_docs", suite=suite, docs=docs, **facts)
            files[f"data_docs/{file_name(suite, language)}"] = html.encode()
    files["files.csv"] = _csv_of(facts["batches"])
    files["report.xlsx"] = write_workbook(facts)
    files[trends.VERDICTS] = json.dumps(trends.verdicts_of(summary), separators=(",", ":")).encode()
    files[trends.DIGEST] = json_text(digest).encode()
    return files


def _csv_of(batches: list[dict]) -> bytes:
    """Every file of the run with its sha256, for a spreadsheet: in UTF-8 with the mark that Excel wants."""
    columns = (
        "table",
        "business_date",
        "batch",
        "file",
        "sha256",
        "rows_read",
        "rows_loaded",
        "rows_quarantined",
        "rows_rejected",
    )
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([neutralise(str(batch[column])) for column in columns] for batch in batches)
    return text.getvalue().encode("utf-8-sig")


def _write_site(folder: Path, files: dict[str, bytes]) -> None:
    """The folder with all its files, or none of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for leftover in folder.parent.glob(f".{folder.name}.*.tmp"):  # of a process that was killed
        shutil.rmtree(leftover)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    for name, content in files.items():
        path = unfinished / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    sync_all([unfinished / name for name in files])
    sync(unfinished)
    unfinished.rename(folder)
    sync(folder.parent)
