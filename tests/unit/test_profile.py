"""A bank's profile is checked as it is read: each error names the file, the place and what is allowed."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from unit.tiny_bank import FRIDAY, MONDAY, profile_body, write_profile

from crm_warehouse.errors import SettingsError
from crm_warehouse.profile import COLUMN_TYPES, load_profile
from crm_warehouse.settings import PROJECT, Settings, known_banks


def refusal_of(folder: Path, body: dict | str) -> str:
    """The one sentence with which a profile is refused; it names the file."""
    settings = write_profile(folder, body)
    with pytest.raises(SettingsError) as refused:
        load_profile(settings)
    assert str(settings.bank_folder / "extracts.yml") in str(refused.value)
    return str(refused.value)


def refusal_of_changed(folder: Path, change: Callable[[dict, dict], object]) -> str:
    """The refusal of the right profile after `change(profile, customers extract)`."""
    body = profile_body()
    change(body, body["sources"]["core"]["extracts"]["customers"])
    return refusal_of(folder, body)


def test_a_right_profile_is_read_whole(tmp_path):
    profile = load_profile(write_profile(tmp_path, profile_body()))
    assert profile.sources == ("core", "wealth")
    assert [extract.table for extract in profile.extracts] == ["core__customers", "core__balances", "wealth__products"]
    customers, customer_id = profile.customer_extract
    assert (customers.table, customer_id, customers.key) == ("core__customers", "customer_id", ("customer_id",))
    assert (customers.encoding, customers.delimiter, customers.control) == ("gb18030", "|", True)
    assert customers.path(Path("/sent"), FRIDAY) == Path("/sent/core/2026-05-29/customers.csv")
    assert profile.simulated is False


def test_what_an_extract_says_goes_before_what_its_source_says(tmp_path):
    body = profile_body()
    body["sources"]["core"]["extracts"]["balances"].update(delimiter=";", control=False)
    customers, balances, _ = load_profile(write_profile(tmp_path, body)).extracts
    assert (customers.delimiter, customers.control) == ("|", True)
    assert (balances.delimiter, balances.control) == (";", False)


@pytest.mark.parametrize("bank", known_banks())
def test_every_bank_of_the_project_has_a_right_profile(tmp_path, bank):
    profile = load_profile(Settings(bank=bank, home=tmp_path, project=PROJECT, source_root=tmp_path))
    assert profile.bank == bank
    assert "core__customers" in profile.provided
    assert profile.business_dates(profile.initial_delivery_on, profile.initial_delivery_on)


def test_an_unknown_column_attribute_is_named(tmp_path):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers["columns"]["gender"].update(reqired=True))
    assert "core.customers.gender" in text and "reqired" in text


def test_an_unknown_extract_setting_is_named(tmp_path):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers.update(delimeter=";"))
    assert "core.customers" in text and "delimeter" in text


@pytest.mark.parametrize("attributes", [{"type": "money"}, {"type": None}, {"key": True}])
def test_a_bad_type_is_refused_with_the_types_there_are(tmp_path, attributes):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers["columns"].update(gender=attributes))
    assert "core.customers.gender" in text
    assert all(name in text for name in COLUMN_TYPES)


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [({"kind": "excel"}, "delimited, parquet, http, postgresql"), ({"delivery": "sometimes"}, "full, events, changes")],
)
def test_a_bad_kind_or_delivery_is_refused_with_what_there_is(tmp_path, setting, allowed):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers.update(setting))
    assert f"core.customers.{next(iter(setting))} is '{next(iter(setting.values()))}': use one of {allowed}" in text


def test_an_extract_without_key_is_refused(tmp_path):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers["columns"]["customer_id"].pop("key"))
    assert "core.customers has no key" in text and "key: true" in text


@pytest.mark.parametrize("reference", ["core.customers.no_such", "core.nobody.customer_id", "customer_id"])
def test_a_dangling_reference_is_refused(tmp_path, reference):
    def change(body: dict, _: dict) -> None:
        body["sources"]["core"]["extracts"]["balances"]["columns"]["customer_id"]["references"] = reference

    text = refusal_of_changed(tmp_path, change)
    assert f"core.balances.customer_id references {reference}" in text and "source.extract.column" in text


@pytest.mark.parametrize("delivery", ["events", "changes"])
def test_a_reference_to_an_extract_that_does_not_list_every_row_each_day_is_refused(tmp_path, delivery):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers.update(delivery=delivery))
    assert f"core.balances.customer_id references core.customers.customer_id, which is delivered as {delivery}" in text
    assert "only a full extract" in text


@pytest.mark.parametrize("bank", known_banks())
def test_the_mapping_of_changes_keeps_the_row_in_force_by_the_key_the_profile_declares(tmp_path, bank):
    profile = load_profile(Settings(bank=bank, home=tmp_path, project=PROJECT, source_root=tmp_path))
    for extract in profile.extracts:
        readers = [
            sql
            for file in (profile.folder / "staging").glob("*.sql")
            if f"landed('{extract.source}', '{extract.name}')" in (sql := file.read_text(encoding="utf-8"))
        ]
        in_force = f"in_force(landed('{extract.source}', '{extract.name}'), {list(extract.key)})"
        assert all((in_force in sql) == (extract.delivery == "changes") for sql in readers), extract.table


def test_a_customer_column_that_no_extract_has_is_refused(tmp_path):
    text = refusal_of_changed(tmp_path, lambda body, _: body.update(customer_column="core.customers.number"))
    assert "customer_column core.customers.number" in text and "source.extract.column" in text


@pytest.mark.parametrize("missing", [name for name in profile_body() if name != "simulated"])
def test_a_missing_field_is_named(tmp_path, missing):
    text = refusal_of_changed(tmp_path, lambda body, _: body.pop(missing))
    assert f"'{missing}'" in text and "every profile needs it" in text


@pytest.mark.parametrize("missing", ["kind", "file", "extracts"])
def test_a_missing_field_of_a_source_is_named(tmp_path, missing):
    text = refusal_of_changed(tmp_path, lambda body, _: body["sources"]["core"].pop(missing))
    assert missing in text


@pytest.mark.parametrize("missing", ["delivery", "columns"])
def test_a_missing_field_of_an_extract_is_named(tmp_path, missing):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers.pop(missing))
    assert missing in text


@pytest.mark.parametrize("text", ["bank: [tiny", "bank: tiny\n\tname_en: x", "{"])
def test_broken_yaml_is_refused(tmp_path, text):
    assert "is not valid YAML" in refusal_of(tmp_path, text)


@pytest.mark.parametrize("text", ["", "just a sentence", "- bank\n- name_en\n"])
def test_a_profile_that_is_not_a_mapping_is_refused(tmp_path, text):
    refusal_of(tmp_path, text)


def test_a_column_without_attributes_is_refused_by_name(tmp_path):
    text = refusal_of_changed(tmp_path, lambda _, customers: customers["columns"].update(gender=None))
    assert "core.customers.gender" in text


def test_a_date_that_does_not_exist_is_refused(tmp_path):
    settings = write_profile(tmp_path, profile_body())
    path = settings.bank_folder / "extracts.yml"
    path.write_text(path.read_text(encoding="utf-8").replace(str(FRIDAY), "2026-02-31"), encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load_profile(settings)
    assert str(path) in str(refused.value)


CALENDAR = """calendar_date,is_business_day,reason
2026-06-03,false,a holiday on a Wednesday
2026-06-06,true,a Saturday that makes up for it
2026-05-28,true,before the initial delivery
"""


@pytest.fixture
def calendar(tmp_path: Path) -> Callable[[date, date], list[date]]:
    return load_profile(write_profile(tmp_path, profile_body(), calendar_exceptions=CALENDAR)).business_dates


@pytest.mark.parametrize(
    ("day", "delivers"),
    [
        pytest.param(date(2026, 6, 2), True, id="weekday"),
        pytest.param(date(2026, 6, 3), False, id="holiday"),
        pytest.param(date(2026, 6, 6), True, id="make-up day"),
        pytest.param(date(2026, 6, 7), False, id="Sunday"),
        pytest.param(date(2026, 5, 28), False, id="before the initial delivery"),
        pytest.param(date(2026, 5, 29), True, id="initial delivery"),
    ],
)
def test_the_bank_delivers_on_its_initial_date_and_its_business_days_after(calendar, day, delivers):
    assert calendar(day, day) == ([day] if delivers else [])


def test_an_initial_delivery_may_be_on_a_day_that_is_no_business_day(tmp_path):
    sunday = date(2026, 5, 31)
    body = {**profile_body(), "initial_delivery_on": sunday}
    profile = load_profile(write_profile(tmp_path, body))
    assert profile.business_dates(FRIDAY, MONDAY) == [sunday, MONDAY]


def test_a_range_of_dates_is_whole_and_in_order(calendar):
    days = [FRIDAY, *(date(2026, 6, day) for day in (1, 2, 4, 5, 6, 8))]
    assert calendar(date(2026, 1, 1), date(2026, 6, 8)) == days


def test_a_range_that_ends_before_it_begins_is_empty(calendar):
    assert calendar(MONDAY, FRIDAY) == []


def test_a_bank_without_calendar_is_told_which_file_to_write(tmp_path):
    settings = write_profile(tmp_path, profile_body())
    (settings.bank_folder / "policy" / "calendar_exceptions.csv").unlink()
    with pytest.raises(SettingsError, match=r"calendar_exceptions\.csv is missing"):
        load_profile(settings).business_dates(FRIDAY, MONDAY)


COLUMNS = {"delivery": "full", "columns": {"id": {"type": "text", "key": True}}}
HTTP = {"kind": "http", "connection": "crm_api"}
POSTGRESQL = {"kind": "postgresql", "connection": "core_replica", "table": "core_banking.{extract}"}


def with_source(source: dict, **extract: object) -> dict:
    return {
        **profile_body(),
        "sources": {**profile_body()["sources"], "more": {**source, "extracts": {"things": {**COLUMNS, **extract}}}},
    }


def test_a_source_of_pages_is_read(tmp_path):
    spec = load_profile(write_profile(tmp_path, with_source(HTTP, page_size=50))).extracts_of("more")[0]
    assert (spec.kind, spec.connection, spec.page_size, spec.control) == ("http", "crm_api", 50, False)


def test_a_source_of_tables_is_read(tmp_path):
    body = with_source(POSTGRESQL, delivery="events", business_date_column="business_date")
    spec = load_profile(write_profile(tmp_path, body)).extracts_of("more")[0]
    assert (spec.table, spec.relation, spec.business_date_column) == (
        "more__things",
        ("core_banking", "things"),
        "business_date",
    )


@pytest.mark.parametrize(
    ("source", "missing"), [(HTTP, "connection"), (POSTGRESQL, "connection"), (POSTGRESQL, "table")]
)
def test_a_setting_that_a_kind_needs_is_named_when_it_is_missing(tmp_path, source, missing):
    text = refusal_of(tmp_path, with_source({k: v for k, v in source.items() if k != missing}))
    assert f"more.things lacks {missing}, which kind {source['kind']} needs" in text


@pytest.mark.parametrize(
    ("source", "setting"),
    [
        (HTTP, {"file": "crm/{extract}.jsonl"}),
        (HTTP, {"control": True}),
        (HTTP, {"table": "crm.contacts"}),
        (POSTGRESQL, {"encoding": "gb18030"}),
        (POSTGRESQL, {"page_size": 10}),
        ({"kind": "delimited", "file": "x.csv"}, {"connection": "crm_api"}),
        ({"kind": "parquet", "file": "x.parquet"}, {"delimiter": "|"}),
    ],
)
def test_a_setting_of_another_kind_is_refused_with_what_this_kind_knows(tmp_path, source, setting):
    text = refusal_of(tmp_path, with_source({**source, **setting}))
    assert f"more has {next(iter(setting))}, which kind {source['kind']} does not know; besides" in text


@pytest.mark.parametrize("size", [0, -1, "many", 1.5, True, None])
def test_a_page_has_at_least_one_row(tmp_path, size):
    assert "page_size" in refusal_of(tmp_path, with_source(HTTP, page_size=size))


@pytest.mark.parametrize("name", ["", "CRM", "crm-api", "http://:canary@crm", 7, "x" * 41, None])
def test_a_connection_is_a_name_and_never_an_address(tmp_path, name):
    text = refusal_of(tmp_path, with_source({**HTTP, "connection": name}))
    assert "connection is a name" in text and "canary" not in text


@pytest.mark.parametrize(
    "table",
    ["things", "a.b.c", 'core."things"', "core.things; drop table x", "core.1x", "core.", "{bank}.things", "a.b c", 7],
)
def test_a_table_is_a_schema_and_a_name_and_can_mean_nothing_else_in_sql(tmp_path, table):
    assert "is not schema.table" in refusal_of(tmp_path, with_source({**POSTGRESQL, "table": table}))


@pytest.mark.parametrize("column", ["", "a b", "a;b", 'a"b', 7])
def test_a_business_date_column_is_a_name(tmp_path, column):
    text = refusal_of(tmp_path, with_source(POSTGRESQL, business_date_column=column))
    assert "business_date_column" in text and "is not a column's name" in text


def test_a_column_of_a_database_is_a_name(tmp_path):
    columns = {"id": {"type": "text", "key": True}, 'a"; --': {"type": "text"}}
    assert "is not a column's name" in refusal_of(tmp_path, with_source(POSTGRESQL, columns=columns))


def test_events_of_a_database_need_to_know_their_day(tmp_path):
    text = refusal_of(tmp_path, with_source(POSTGRESQL, delivery="events"))
    assert "events of a database need business_date_column" in text


def test_a_date_of_a_database_has_no_format(tmp_path):
    columns = {"id": {"type": "text", "key": True}, "on": {"type": "date", "format": "%Y%m%d"}}
    assert "more.things.on has a format" in refusal_of(tmp_path, with_source(POSTGRESQL, columns=columns))


@pytest.mark.parametrize("other", [{"kind": "delimited", "file": "x.csv"}, {"connection": "other_api"}])
def test_a_source_has_one_kind_and_one_connection(tmp_path, other):
    body = with_source(HTTP)
    extracts = body["sources"]["more"]["extracts"]
    source = {key: value for key, value in HTTP.items() if key not in other or key == "kind"}
    if "kind" in other:
        body["sources"]["more"] = {"extracts": {"things": {**HTTP, **COLUMNS}, "others": {**other, **COLUMNS}}}
    else:
        body["sources"]["more"] = {
            **source,
            "extracts": {"things": {**extracts["things"], **HTTP}, "others": {**COLUMNS, **other}},
        }
    assert "more has extracts of several kinds or connections" in refusal_of(tmp_path, body)


@pytest.mark.parametrize("name", ["business_date", "Business_Date", "batch", "received_at", "_source_row"])
def test_a_column_that_landing_would_overwrite_is_refused(tmp_path, name):
    body = profile_body()
    body["sources"]["core"]["extracts"]["customers"]["columns"][name] = {"type": "date"}
    assert f"core.customers.{name} has a name that landing uses itself" in refusal_of(tmp_path, body)
