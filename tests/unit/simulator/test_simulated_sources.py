"""The simulated bank's other ways to send: its CRM as pages of JSON, its core banking system as tables."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import requests
import yaml
from typer.testing import CliRunner

from crm_warehouse import cli, pipeline
from crm_warehouse.errors import ExtractError, SettingsError
from crm_warehouse.extract import extract, open_source
from crm_warehouse.profile import Profile, load_profile
from crm_warehouse.progress import silent
from crm_warehouse.settings import PROJECT, Settings
from crm_warehouse.simulator import postgresql as simulated_database
from crm_warehouse.simulator.crm_server import LONGEST_PAGE, serving

TOKEN = "simulated"
FIRST, LAST = date(2026, 5, 31), date(2026, 6, 1)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return load_profile(Settings(bank="reference_bank", home=tmp_path, project=PROJECT, source_root=tmp_path))


@pytest.fixture
def crm_bank(tmp_path: Path, simulated_bank: Path) -> Settings:
    """The simulated bank with two days of its CRM and nothing else, in folders of its own."""
    project = tmp_path / "project"
    folder = project / "dbt_project" / "banks" / "reference_bank"
    shutil.copytree(PROJECT / "dbt_project" / "banks" / "reference_bank", folder)
    body = yaml.safe_load((folder / "extracts.yml").read_text(encoding="utf-8"))
    crm = body["sources"]["crm"]
    for spec in crm["extracts"].values():
        for column in spec["columns"].values():
            column.pop("references", None)
    body["sources"] = {"crm": {**crm, "page_size": 50}}
    body["customer_column"] = "crm.rm_assignments.customer_id"
    (folder / "extracts.yml").write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    settings = Settings("reference_bank", tmp_path / "home", project, tmp_path / "sent")
    for day in (FIRST, LAST):
        shutil.copytree(simulated_bank / "crm" / str(day), settings.source_root / "crm" / str(day))
    pipeline.plan_run(settings, "r1", FIRST, LAST)
    return settings


def sent_lines(settings: Settings, name: str, day: date) -> list[dict]:
    text = (settings.source_root / "crm" / str(day) / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def as_text(value: object) -> str:
    """A JSON value as it stands in a delimited file."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def without_source_row(rows: pa.Table) -> list[dict]:
    return sorted(rows.drop_columns("_source_row").to_pylist(), key=lambda row: tuple(row.values()))


@pytest.fixture
def server(crm_bank: Settings):
    with serving(crm_bank.source_root, TOKEN) as base:
        yield base


def ask(url: str, token: str = TOKEN, **parameters: object) -> requests.Response:
    return requests.get(url, params=parameters, headers={"Authorization": f"Bearer {token}"}, timeout=10)


def test_pages_follow_each_other_by_cursor_to_the_last(server):
    items, cursor, pages = [], {}, 0
    while cursor is not None:
        page = ask(f"{server}/v1/programmes", business_date=FIRST, limit=20, **cursor).json()
        assert (page["extract"], page["business_date"], page["sequence"]) == ("programmes", str(FIRST), 1)
        assert len(page["items"]) <= 20
        items += page["items"]
        pages += 1
        cursor = None if page["next_cursor"] is None else {"cursor": page["next_cursor"]}
    assert len(items) == page["rows"] > 20
    assert pages == -(-len(items) // 20)


@pytest.mark.parametrize("token", ["", "other", "simulated ", "Bearer simulate", "bearer simulated", "模拟"])
def test_nothing_is_served_without_the_token(server, token):
    answer = requests.get(
        f"{server}/v1/programmes?business_date={FIRST}", headers={"Authorization": token.encode()}, timeout=10
    )
    assert (answer.status_code, list(answer.json())) == (401, ["error"])


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("v1/programmes", {"business_date": "2026-06-07"}, 404),
        ("v1/no_such", {"business_date": FIRST}, 404),
        ("v1/programmes", {}, 400),
        ("v1/programmes", {"business_date": "../2026-05-31"}, 400),
        ("v1/../../secrets/key", {"business_date": FIRST}, 400),
        ("v1/..%2Fcontacts", {"business_date": FIRST}, 400),
        ("", {"business_date": FIRST}, 400),
        ("v1/programmes", {"business_date": FIRST, "limit": 0}, 400),
        ("v1/programmes", {"business_date": FIRST, "limit": "x"}, 400),
        ("v1/programmes", {"business_date": FIRST, "cursor": "-1"}, 400),
        ("v1/programmes", {"business_date": FIRST, "cursor": "7"}, 400),
        ("v1/programmes", {"business_date": FIRST, "cursor": "99999999"}, 400),
    ],
)
def test_what_is_not_there_or_not_understood_is_said(server, path, parameters, status):
    answer = ask(f"{server}/{path}", **parameters)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_delivery_is_there_once_its_control_file_is(crm_bank, server):
    (crm_bank.source_root / "crm" / str(FIRST) / "programmes.ctl").unlink()
    assert ask(f"{server}/v1/programmes", business_date=FIRST).status_code == 404


def test_a_page_has_a_limit_of_the_servers_own(crm_bank, server):
    folder = crm_bank.source_root / "crm" / str(FIRST)
    line = json.dumps({"a": 1}) + "\n"
    (folder / "many.jsonl").write_text(line * (LONGEST_PAGE + 1))
    (folder / "many.ctl").write_bytes((folder / "programmes.ctl").read_bytes())
    assert len(ask(f"{server}/v1/many", business_date=FIRST, limit=10**6).json()["items"]) == LONGEST_PAGE


def test_a_simulated_bank_without_connection_is_served_by_the_pipeline_itself(crm_bank, profile, monkeypatch):
    monkeypatch.delenv("CRM_WAREHOUSE_CONNECTION_CRM", raising=False)
    result = pipeline.extract_source(crm_bank, "r1", "crm", silent)
    names = [spec.name for spec in profile.extracts_of("crm")]
    assert result["landed"] == 2 * len(names)
    assert result["rows"] == sum(len(sent_lines(crm_bank, name, day)) for name in names for day in (FIRST, LAST))


def test_the_pipelines_own_server_needs_no_network_at_all(crm_bank, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no network here")

    monkeypatch.delenv("CRM_WAREHOUSE_CONNECTION_CRM", raising=False)
    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    assert pipeline.extract_source(crm_bank, "r1", "crm", silent)["landed"] > 0


def test_pages_give_the_rows_of_the_files_they_are_made_of(crm_bank, server):
    address = server.replace("://", f"://:{TOKEN}@")
    paged = load_profile(crm_bank)
    with open_source(paged, "crm", crm_bank.source_root, lambda *_: address) as opened:
        for spec in paged.extracts_of("crm"):
            found = extract(paged, spec, opened, FIRST).rows.drop_columns("_source_row").to_pylist()
            sent = sent_lines(crm_bank, spec.name, FIRST)
            assert found == [{name: as_text(value) for name, value in line.items()} for line in sent]


def test_a_connection_that_is_configured_goes_before_the_pipelines_own_server(crm_bank, monkeypatch):
    monkeypatch.setenv("CRM_WAREHOUSE_CONNECTION_CRM", "http://:canary-77@127.0.0.1:1")
    paged = load_profile(crm_bank)
    with open_source(paged, "crm", crm_bank.source_root) as api, pytest.raises(ExtractError) as refused:
        extract(paged, paged.extracts[0], replace(api, sleep=lambda seconds: None), FIRST)
    assert "http://127.0.0.1:1/v1/" in str(refused.value) and "canary-77" not in str(refused.value)


@pytest.mark.parametrize("source", ["finance", "core", "reference"])
def test_tables_give_the_same_rows_as_files(profile, simulated_bank, postgresql, source):
    loaded = simulated_database.load(postgresql, simulated_bank, source, profile)
    assert loaded > 0
    specs = [
        replace(
            spec,
            kind="postgresql",
            file="",
            control=False,
            connection="replica",
            database_table=f"{source}.{{extract}}",
            business_date_column="business_date",
        )
        for spec in profile.extracts_of(source)
    ]
    as_tables = replace(profile, extracts=tuple(specs))
    with open_source(as_tables, source, simulated_bank, lambda *_: postgresql) as opened:
        for as_table, as_file in zip(specs, profile.extracts_of(source), strict=True):
            for day in (FIRST, LAST):
                found = extract(as_tables, as_table, opened, day)
                sent = extract(profile, as_file, simulated_bank, day)
                assert without_source_row(found.rows) == without_source_row(sent.rows), as_table.table
                for name, total in found.received.control.items():
                    assert Decimal(total) == Decimal(sent.received.control[name])


def test_loading_again_replaces_what_was_there(profile, simulated_bank, postgresql):
    first = simulated_database.load(postgresql, simulated_bank, "finance", profile)
    assert simulated_database.load(postgresql, simulated_bank, "finance", profile) == first


def test_only_delimited_sources_can_be_loaded(profile, simulated_bank, postgresql):
    with pytest.raises(SettingsError, match="wealth writes no delimited files; can load: core, finance, reference"):
        simulated_database.load(postgresql, simulated_bank, "wealth", profile)


def test_a_database_that_is_not_there_is_said_without_its_address(profile, simulated_bank):
    with pytest.raises(SettingsError) as refused:
        simulated_database.load("postgresql://u:canary-31@127.0.0.1:1/db", simulated_bank, "finance", profile)
    assert "cannot be used" in str(refused.value) and "canary-31" not in str(refused.value)


def test_the_simulate_command_loads_a_database_when_one_is_given(monkeypatch, postgresql):
    loaded = []
    monkeypatch.setattr("crm_warehouse.demonstration.simulate_source_systems", lambda *_: None)
    monkeypatch.setattr(
        simulated_database, "load", lambda dsn, root, source, profile: loaded.append((dsn, source)) or 7
    )
    result = CliRunner().invoke(cli.app, ["simulate", "--postgres", postgresql])
    assert result.exit_code == 0, result.output
    assert (postgresql, "finance") in loaded
