"""The publish step of a run: files first, then the database; what went wrong is told, and a re-run converges."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from conftest import settings_in
from publish.candidates import candidate_of
from publish.serving_database import ask, clean

from crm_warehouse import pipeline
from crm_warehouse.errors import ServingFailed
from crm_warehouse.evidence import log
from crm_warehouse.files import write_json
from crm_warehouse.publish import serving, versions
from crm_warehouse.settings import Settings

CANARY = "canary-51d0"
UNREACHABLE = f"postgresql://writer:{CANARY}@127.0.0.1:1/serving"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


def ready_to_publish(settings: Settings, content: int, run_id: str) -> None:
    """What the steps before have left: a plan with its lease, a candidate, an audit."""
    file, audited = candidate_of(settings, content)
    folder = settings.run_folder(run_id)
    plan = {"as_of": "2026-06-30", "switch_bank": False, "sources": [], "lease": asdict(versions.take_lease(settings))}
    write_json(folder / "plan.json", {**plan, "run_id": run_id})
    write_json(folder / "build.json", {"candidate": str(file)})
    write_json(folder / "mart_gate.json", {"audited": {name: audited[name] for name in ("sha256", "tables")}})


def test_without_a_database_files_are_the_only_endpoint(home: Settings):
    ready_to_publish(home, 1, "first")
    result = pipeline.publish_marts(home, "first", lambda bank: None)
    assert (result["is_new"], "serving" in result) == (True, False)
    assert serving.describe_serving(home, None) is None


def test_the_database_follows_the_files(home: Settings, postgresql: str):
    clean(postgresql)
    ready_to_publish(home, 1, "first")
    result = pipeline.publish_marts(home, "first", lambda bank: postgresql)
    assert result["serving"]["version"] == result["version"] == versions.live_version(home)["version"]
    assert ask(postgresql, "select max(n) from marts.a") == [(1,)]
    assert serving.describe_serving(home, postgresql) == {
        "version": result["version"],
        "is_live": True,
        "problem": None,
    }
    clean(postgresql)


def test_a_database_that_cannot_follow_makes_the_run_red_with_the_files_live_and_a_re_run_converges(
    home: Settings, postgresql: str
):
    clean(postgresql)
    ready_to_publish(home, 1, "first")
    pipeline.publish_marts(home, "first", lambda bank: postgresql)
    ready_to_publish(home, 2, "second")
    with pytest.raises(ServingFailed, match="the files are live with marts_2026-06-30_second_"):
        pipeline.publish_marts(home, "second", lambda bank: UNREACHABLE)
    live = versions.live_version(home)
    assert live["run_id"] == "second"
    summary = pipeline.summarise(home, "second")
    assert summary["outcome"] == "failed"
    assert "PostgreSQL stays at the version it had" in summary["problem"]
    assert summary["results"]["publish"]["version"] == live["version"]
    told = serving.describe_serving(home, postgresql)
    assert (told["is_live"], told["version"]) == (False, serving.served_version(postgresql)["version"])
    pipeline.publish_marts(home, "second", lambda bank: postgresql)
    assert pipeline.summarise(home, "second")["outcome"] == "published"
    assert ask(postgresql, "select max(n) from marts.a") == [(2,)]
    assert [entry["event"] for entry in log.read_entries(home)] == [
        "publish_intended", "serving_followed", "publish_intended", "serving_failed", "publish_intended", "serving_followed",
    ]  # fmt: skip
    clean(postgresql)


def test_the_password_of_the_database_is_in_no_file_of_the_run(home: Settings):
    ready_to_publish(home, 1, "first")
    with pytest.raises(ServingFailed):
        pipeline.publish_marts(home, "first", lambda bank: UNREACHABLE)
    files = [path for path in home.home.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 5
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_where_the_database_is_not_configured_the_status_tells_what_the_log_says_last(home: Settings, postgresql: str):
    clean(postgresql)
    ready_to_publish(home, 1, "first")
    pipeline.publish_marts(home, "first", lambda bank: postgresql)
    ready_to_publish(home, 2, "second")
    pipeline.publish_marts(home, "second", lambda bank: None)
    told = serving.describe_serving(home, None)
    assert not told["is_live"]
    assert "it was not asked" in told["problem"]
    clean(postgresql)
