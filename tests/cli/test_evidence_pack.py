"""`evidence pack` and `verify`: a zip to hand over, and a sentence when what is on record was changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from conftest import Run
from faults.homes import copy_of
from test_cli import cli, sentence_of

from crm_warehouse.files import sha256_of


def test_the_command_says_where_the_pack_is_and_how_to_verify_it(reference_run: Run, tmp_path: Path):
    pack = tmp_path / "pack.zip"
    done = cli(reference_run.settings.home, "evidence", "pack", "2026-06-30", "--to", str(pack))
    assert done.returncode == 0, done.stderr
    assert f"{pack} (sha256 {sha256_of(pack)})" in done.stdout and "python -I verify.py" in done.stdout


def test_a_date_that_was_never_published_is_one_sentence(reference_run: Run, tmp_path: Path):
    said = sentence_of(cli(reference_run.settings.home, "evidence", "pack", "2026-06-29"))
    assert "never published business date 2026-06-29: published are 2026-06-30" in said


def test_verify_names_the_results_that_were_changed_and_knows_a_run_that_was_started_again(
    reference_run: Run, tmp_path: Path
):
    settings = copy_of(reference_run, tmp_path / "home")
    assert "results of 1 runs as recorded, 1 kept versions, live file as audited" in cli(settings.home, "verify").stdout
    gate = settings.run_folder("reference") / "mart_gate.json"
    whole = gate.read_bytes()
    gate.write_bytes(whole.replace(b'"passed"', b'"failed"', 1))
    assert "reference/mart_gate.json is not what entry 2 of the log vouches for" in sentence_of(
        cli(settings.home, "verify")
    )
    gate.unlink()
    assert "reference/mart_gate.json is not what" in sentence_of(cli(settings.home, "verify"))
    plan = settings.run_folder("reference") / "plan.json"
    plan.write_bytes(plan.read_bytes().replace(b"started_at", b"started_at ", 1))
    assert "results of 0 runs as recorded (1 were started again since)" in cli(settings.home, "verify").stdout
    shutil.rmtree(settings.run_folder("reference"))
    assert "reference/build.json is not what entry 2" in sentence_of(cli(settings.home, "verify"))
