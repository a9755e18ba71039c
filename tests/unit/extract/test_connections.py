"""Addresses come from outside, and what is secret in them goes nowhere."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from unit.tiny_bank import DAY, profile_body, write_profile

from crm_warehouse import pipeline
from crm_warehouse.errors import CrmWarehouseError, SettingsError
from crm_warehouse.extract import open_source
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent

CANARY = "canary-c0ffee42"
COLUMNS = {"columns": {"id": {"type": "text", "key": True}}, "delivery": "full"}
HTTP = {"kind": "http", "connection": "remote", "extracts": {"things": COLUMNS}}
POSTGRESQL = {"kind": "postgresql", "connection": "remote", "table": "public.things", "extracts": {"things": COLUMNS}}


def settings_of(folder: Path, source: dict):
    body = profile_body()
    body["sources"]["remote"] = source
    return write_profile(folder, body)


@pytest.mark.parametrize(
    ("source", "form"), [(HTTP, "http://:TOKEN@HOST:PORT"), (POSTGRESQL, "postgresql://USER:PASSWORD@HOST/DATABASE")]
)
def test_a_missing_connection_is_one_sentence_that_names_the_variable(tmp_path, monkeypatch, source, form):
    monkeypatch.delenv("CRM_WAREHOUSE_CONNECTION_REMOTE", raising=False)
    settings = settings_of(tmp_path, source)
    with pytest.raises(SettingsError) as refused, open_source(load_profile(settings), "remote", settings.source_root):
        pass
    assert f"source remote has no address: set CRM_WAREHOUSE_CONNECTION_REMOTE to {form}" in str(refused.value)
    assert "crm_warehouse_tiny_remote" in str(refused.value)


def test_an_empty_variable_is_a_missing_connection(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_WAREHOUSE_CONNECTION_REMOTE", "")
    settings = settings_of(tmp_path, HTTP)
    with pytest.raises(SettingsError, match="has no address"), open_source(load_profile(settings), "remote", tmp_path):
        pass


def test_files_need_no_connection(tmp_path):
    settings = settings_of(tmp_path, HTTP)
    with open_source(load_profile(settings), "core", settings.source_root) as opened:
        assert opened == settings.source_root


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (HTTP, f"http://:{CANARY}@127.0.0.1:1"),
        (HTTP, f"http://{CANARY}@127.0.0.1:1"),
        (HTTP, f"http://:{CANARY} @127.0.0.1:1"),
        (POSTGRESQL, f"postgresql://reader:{CANARY}@127.0.0.1:1/core"),
        (POSTGRESQL, f"postgresql://reader:pa/{CANARY}@127.0.0.1:1/core"),
        (POSTGRESQL, f"http://:{CANARY}@127.0.0.1:1"),
    ],
)
def test_a_secret_reaches_no_error_no_log_and_no_evidence(tmp_path, monkeypatch, source, address, capfd):
    """A whole run that fails, looked through byte for byte."""
    monkeypatch.setenv("CRM_WAREHOUSE_CONNECTION_REMOTE", address)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        settings = settings_of(tmp_path, source)
        pipeline.plan_run(settings, "r1", DAY, DAY)
        with pytest.raises(CrmWarehouseError) as refused:
            pipeline.extract_source(settings, "r1", "remote", silent, sleep=lambda seconds: None)
        summary = pipeline.record_evidence(settings, "r1")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    output = "".join(capfd.readouterr())
    found = [path for path in settings.home.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert summary["outcome"] == "failed" and summary["problem"]
    assert found == []
    for text in (str(refused.value), repr(refused.value), str(summary), output, written.getvalue()):
        assert CANARY not in text
