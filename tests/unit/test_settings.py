"""Settings are read once and validated: each error is one sentence that says what is wrong and what to do."""

from pathlib import Path

import pytest

from crm_warehouse.errors import SettingsError
from crm_warehouse.settings import DEFAULT_BANK, PROJECT, known_banks, load_settings, safe_name

VARIABLES = ("CRM_WAREHOUSE_BANK", "CRM_WAREHOUSE_HOME", "CRM_WAREHOUSE_DATA", "CRM_WAREHOUSE_CUSTOMER_KEY_FILE")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home below tmp_path, and none of the variables of the shell that runs the tests."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRM_WAREHOUSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_without_settings_it_is_the_reference_bank_in_its_own_source_folder(home):
    settings = load_settings()
    assert settings.bank == DEFAULT_BANK == "reference_bank"
    assert settings.home == home
    assert settings.project == PROJECT
    assert settings.source_root == home / "source_systems" / "reference_bank"


def test_an_argument_goes_before_the_environment(monkeypatch, tmp_path):
    (tmp_path / "given").mkdir()
    monkeypatch.setenv("CRM_WAREHOUSE_BANK", "reference_bank")
    monkeypatch.setenv("CRM_WAREHOUSE_DATA", str(tmp_path))
    settings = load_settings("eagle_bank", tmp_path / "given")
    assert (settings.bank, settings.source_root) == ("eagle_bank", tmp_path / "given")


def test_the_environment_goes_before_the_defaults(monkeypatch, tmp_path):
    monkeypatch.setenv("CRM_WAREHOUSE_BANK", "eagle_bank")
    monkeypatch.setenv("CRM_WAREHOUSE_DATA", str(tmp_path))
    settings = load_settings()
    assert (settings.bank, settings.source_root) == ("eagle_bank", tmp_path)


@pytest.mark.parametrize("bank", ["no_such_bank", "../reference_bank", "Reference_Bank"])
def test_an_unknown_bank_is_refused_and_the_known_ones_are_named(bank):
    with pytest.raises(SettingsError) as refused:
        load_settings(bank)
    assert f"'{bank}'" in str(refused.value)
    assert "dbt_project/banks" in str(refused.value)
    for known in known_banks():
        assert known in str(refused.value)


def test_an_unknown_bank_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("CRM_WAREHOUSE_BANK", "no_such_bank")
    with pytest.raises(SettingsError, match="unknown bank 'no_such_bank'"):
        load_settings()


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_data_folder_that_does_not_exist_is_named(tmp_path, monkeypatch, by_environment):
    missing = tmp_path / "nowhere"
    if by_environment:
        monkeypatch.setenv("CRM_WAREHOUSE_DATA", str(missing))
    with pytest.raises(SettingsError) as refused:
        load_settings(data=None if by_environment else missing)
    assert str(missing) in str(refused.value)
    assert "give the folder of the bank's extracts" in str(refused.value)


def test_a_file_is_not_a_data_folder(tmp_path):
    file = tmp_path / "file.csv"
    file.touch()
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(data=file)


@pytest.mark.parametrize("below", ["", "home", "deep/home"])
def test_a_home_that_cannot_be_written_is_named_with_what_to_do(tmp_path, monkeypatch, below):
    file = tmp_path / "a_file"
    file.touch()
    monkeypatch.setenv("CRM_WAREHOUSE_HOME", str(file / below))
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert f"cannot write to {file / below}" in str(refused.value)
    assert "CRM_WAREHOUSE_HOME" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_trying_the_home_leaves_nothing_in_it(home):
    load_settings()
    assert list(home.iterdir()) == []


def test_every_runtime_file_is_below_home(home):
    settings = load_settings()
    folders = (
        settings.landing,
        settings.warehouse,
        settings.quarantine,
        settings.published,
        settings.evidence,
        settings.report,
        settings.airflow,
        settings.secrets,
        settings.customer_key_file,
        settings.run_folder("scheduled__2026-06-30T00:00:00+00:00"),
    )
    assert all(path.is_relative_to(home) for path in folders)


def test_the_customer_key_is_outside_the_warehouse_unless_a_file_is_given(tmp_path, monkeypatch):
    settings = load_settings()
    assert not settings.customer_key_file.is_relative_to(settings.warehouse)
    monkeypatch.setenv("CRM_WAREHOUSE_CUSTOMER_KEY_FILE", str(tmp_path / "vault" / "key"))
    assert settings.customer_key_file == tmp_path / "vault" / "key"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("manual__2026-06-30T01:02:03+00:00", "manual__2026-06-30T01-02-03-00-00"),
        ("a/../b", "a-..-b"),
        ("运行 1", "-1"),
        ("plain-1.2_3", "plain-1.2_3"),
    ],
)
def test_a_name_for_files_holds_no_separator_and_no_colon(text, safe):
    assert safe_name(text) == safe
