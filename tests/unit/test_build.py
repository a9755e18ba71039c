"""The process of dbt: it ends with the step that started it, and how it ended is said."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from conftest import LAST, settings_in

from crm_warehouse import build
from crm_warehouse.errors import BuildFailed
from crm_warehouse.files import write_json
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent


def run_instead_of_dbt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let `script` be what is started as dbt."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    settings = settings_in(tmp_path / "home")
    with (tmp_path / "lock").open("w") as lock:
        build._run_dbt(settings, load_profile(settings), LAST, ("build",), tmp_path / "dbt", lock.fileno(), silent)


def test_a_step_that_is_stopped_ends_at_once_and_takes_dbt_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = []

    def stop(line: str, _: object) -> None:
        said.append(int(line))
        raise SystemExit("SIGTERM came")

    monkeypatch.setattr(build, "_show", stop)
    with pytest.raises(SystemExit, match="SIGTERM came"):
        run_instead_of_dbt(tmp_path, monkeypatch, "echo $$; exec sleep 600")
    with pytest.raises(ProcessLookupError):
        os.kill(said[0], 0)


def test_a_model_that_found_no_memory_or_room_is_told_so_and_not_where_it_is(tmp_path: Path):
    key = "model.crm_warehouse.int_accounts_valued"
    node = {"resource_type": "model", "config": {"enabled": True}}
    write_json(tmp_path / "manifest.json", {"nodes": {key: node}})
    message = "Runtime Error in model int_accounts_valued (models/a.sql)\n  Out of Memory Error: failed to pin block"
    result = {"unique_id": key, "status": "error", "message": message}
    write_json(tmp_path / "run_results.json", {"results": [result]})
    with pytest.raises(BuildFailed, match="^dbt: int_accounts_valued the memory ran out .*CRM_WAREHOUSE_MEMORY"):
        build.judge(tmp_path)


def test_a_dbt_that_stops_for_want_of_room_before_it_runs_anything_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(BuildFailed, match="before it ran anything: no room is left to write a file below"):
        run_instead_of_dbt(
            tmp_path, monkeypatch, "echo 'OSError: [Errno 28] No space left on device'; echo bye; exit 1"
        )


def test_a_dbt_that_the_kernel_killed_is_said_to_have_had_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(BuildFailed, match="dbt was ended by SIGKILL: .* the machine had no memory left .* run again"):
        run_instead_of_dbt(tmp_path, monkeypatch, "kill -9 $$")
