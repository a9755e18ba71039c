"""The report as PDF: its printable page, printed by a headless Chromium, which embeds the Chinese glyphs it draws.

No library of the locked environment sets Chinese text; a browser does, and the reader's own browser prints the same page.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from crm_warehouse.errors import ReportRefused
from crm_warehouse.report.pages import LANGUAGES, file_name

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PRINT_SECONDS = 120


def find_browser() -> str | None:
    """The Chromium on this machine: CRM_WAREHOUSE_BROWSER, or the first of the usual names."""
    given = os.environ.get("CRM_WAREHOUSE_BROWSER")
    return given or next((found for name in BROWSERS if (found := shutil.which(name))), None)


def browser_command(profile: Path) -> list[str]:
    """How to start it: headless, with a profile of its own, without a word to the network."""
    browser = find_browser()
    if browser is None:
        raise ReportRefused(
            "no Chromium was found to print with: install one (Debian: chromium, fonts-noto-cjk), or name it in"
            " CRM_WAREHOUSE_BROWSER, or print the report's print.html from any browser"
        )
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-extensions"]
    # Root may not use Chromium's sandbox; the page is our own and has no script.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [
        browser,
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        *quiet,
        *sandbox,
    ]


def print_report(site: Path, target: Path) -> list[Path]:
    """Write `report.pdf` and `report.zh.pdf` of the site of a run into `target`. Returns the files."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for language in LANGUAGES:
        page = site / file_name("print", language)
        if not page.is_file():
            raise ReportRefused(f"{site} has no {page.name}: give the folder of a run's report")
        file = target / file_name("report", language).replace(".html", ".pdf")
        with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
            command = [
                *browser_command(Path(profile)),
                "--no-pdf-header-footer",
                f"--print-to-pdf={file}",
                page.as_uri(),
            ]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=PRINT_SECONDS)
            except (OSError, subprocess.TimeoutExpired) as problem:
                raise ReportRefused(f"the browser {command[0]} did not print {page.name}: {problem}") from None
        if done.returncode or not file.is_file():
            reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise ReportRefused(f"the browser {command[0]} did not print {page.name}: {reason[0]}")
        written.append(file)
    return written
