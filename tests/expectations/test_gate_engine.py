"""Great Expectations on DuckDB works as set up here, and a pass means that everything planned was checked."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import great_expectations.expectations as gxe
import pytest

from crm_warehouse.errors import GateFailed
from crm_warehouse.progress import silent
from crm_warehouse.quality.gate import GateResult, RuleResult, run_gate
from crm_warehouse.quality.rule import Rule
from crm_warehouse.settings import PROJECT

CANARY = "CANARY-51f0"
NEGATIVE = "checked.amount < 0"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`good` holds what rules ask for, `bad` violates every one, `empty` has no rows, `many` more bad rows than GX fetches."""
    path = tmp_path_factory.mktemp("gate") / "gate.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema judged")
        for table, rows in {
            "good": "select * from (values (1, 'a', 1.00), (2, 'b', 2.00)) as t(id, name, amount)",
            "bad": f"select * from (values (1, '{CANARY}', -1.00, 0), (1, '{CANARY}', 2.00, 0)) as t(id, name, amount, extra)",
            "empty": "select 1 as id, 'a' as name, 1.00 as amount where false",
            "many": f"select range as id, '{CANARY}' as name, -1.00 as amount from range(5000)",
        }.items():
            connection.execute(f"create table judged.{table} as {rows}")
    return path


def unexpected_rows(bad_rows: str) -> gxe.UnexpectedRowsExpectation:
    return gxe.UnexpectedRowsExpectation(
        description="no such rows",
        unexpected_rows_query=f"select 1 as bad from (select * from {{batch}}) as checked where {bad_rows}",
    )


def rule(table: str, expectation, severity: str = "block", bad_rows: str | None = None, id: str = "") -> Rule:
    return Rule(
        id=id or f"test.{table}.{type(expectation).__name__}",
        table=table,
        name_en="A name",
        name_zh="名称",
        reason="A reason.",
        severity=severity,
        dimension="validity",
        owner="data-engineering",
        on_failure="Do this.",
        principle="BCBS 239 P3",
        expectation=expectation,
        bad_rows=bad_rows,
    )


def judge(database: Path, rules: Iterable[Rule]) -> GateResult:
    return run_gate("test", database, "judged", list(rules), silent)


def refusal_of(gate: GateResult) -> str:
    with pytest.raises(GateFailed) as shut:
        gate.require_open()
    assert not gate.is_open
    assert "\n" not in str(shut.value)
    return str(shut.value)


EXPECTATIONS = {
    "ExpectTableRowCountToBeBetween": lambda: gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=1_000_000),
    "ExpectTableColumnsToMatchSet": lambda: gxe.ExpectTableColumnsToMatchSet(
        column_set=["id", "name", "amount"], exact_match=True
    ),
    "UnexpectedRowsExpectation": lambda: unexpected_rows(NEGATIVE),
    "UnexpectedRowsExpectation.group": lambda: gxe.UnexpectedRowsExpectation(
        description="no two rows share an id",
        unexpected_rows_query="select id from (select * from {batch}) as checked group by id having count(*) > 1",
    ),
    "UnexpectedRowsExpectation.measure": lambda: gxe.UnexpectedRowsExpectation(
        description="two names",
        unexpected_rows_query="select measured.n from (select count(distinct name) from judged.good) as measured(n)"
        " cross join (select count(*) from (select * from {batch})) as _ where measured.n <> 2",
    ),
}


def test_every_type_of_expectation_of_the_project_is_known_here():
    used = {
        name
        for path in (PROJECT / "expectations").rglob("*.py")
        for name in re.findall(r"\bgxe\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert used == {name.split(".")[0] for name in EXPECTATIONS}


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_each_type_of_expectation_passes_on_good_rows(database, name):
    gate = judge(database, [rule("good", EXPECTATIONS[name]())])
    assert [(result.status, result.table_rows, result.failed_rows, result.detail) for result in gate.results] == [
        ("passed", 2, 0, "")
    ]
    gate.require_open()


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("ExpectTableRowCountToBeBetween", "empty"),
        ("ExpectTableColumnsToMatchSet", "bad"),
        ("UnexpectedRowsExpectation", "bad"),
        ("UnexpectedRowsExpectation.group", "bad"),
    ],
)
def test_each_type_of_expectation_fails_on_bad_rows_and_does_not_err(database, name, table):
    gate = judge(database, [rule(table, EXPECTATIONS[name]())])
    (result,) = gate.results
    assert (result.status, result.detail) == ("failed", "")
    assert result.failed_rows >= 1
    assert (gate.planned, gate.run, gate.passed) == (1, 1, 0)
    refusal_of(gate)


@pytest.mark.parametrize("columns", [["id", "name"], ["id", "name", "amount", "mobile"], ["id", "name", "balance"]])
def test_columns_must_match_exactly(database, columns):
    expectation = gxe.ExpectTableColumnsToMatchSet(column_set=columns, exact_match=True)
    assert judge(database, [rule("good", expectation)]).results[0].status == "failed"


def test_all_types_together_on_several_tables_are_judged_one_by_one(database):
    rules = [
        rule(table, make(), id=f"test.{table}.{name}")
        for table in ("good", "empty")
        for name, make in EXPECTATIONS.items()
    ]
    gate = judge(database, rules)
    assert (gate.planned, gate.run) == (len(rules), len(rules))
    assert {result.rule["id"] for result in gate.failures()} == {"test.empty.ExpectTableRowCountToBeBetween"}
    assert sorted(result.rule["id"] for result in gate.results) == sorted(rule.id for rule in rules)


def test_bad_rows_are_counted_in_full_beyond_what_is_fetched(database):
    gate = judge(database, [rule("many", unexpected_rows(NEGATIVE), bad_rows=NEGATIVE)])
    assert gate.results[0].failed_rows == 5000
    assert "5000 bad of 5000 rows" in refusal_of(gate)


@pytest.mark.parametrize(
    "bad_rows",
    ["checked.no_such_column < 0", "this is no SQL", "cast(checked.name as integer) > 0", "1 / 0 = error('x')"],
)
def test_an_expectation_that_errs_makes_the_gate_shut(database, bad_rows):
    gate = judge(
        database,
        [rule("good", EXPECTATIONS["ExpectTableRowCountToBeBetween"]()), rule("good", unexpected_rows(bad_rows))],
    )
    assert (gate.planned, gate.run, gate.passed) == (2, 1, 1)
    text = refusal_of(gate)
    assert "test.good.UnexpectedRowsExpectation" in text and "the check itself failed" in text


@pytest.mark.parametrize("severity", ["warn", "quarantine", "block"])
def test_a_check_that_errs_shuts_the_gate_whatever_its_severity(database, severity):
    refusal_of(judge(database, [rule("good", unexpected_rows("checked.no_such_column < 0"), severity)]))


def test_a_missing_table_makes_the_gate_shut(database):
    gate = judge(database, [rule("no_such_table", make(), id=name) for name, make in EXPECTATIONS.items()])
    assert {result.status for result in gate.results} == {"error"}
    assert gate.run == 0
    assert "no_such_table is not there to be checked" in refusal_of(gate)


def test_a_table_of_another_schema_is_a_missing_table(database):
    gate = run_gate("test", database, "main", [rule("good", EXPECTATIONS["ExpectTableRowCountToBeBetween"]())], silent)
    refusal_of(gate)


def test_an_empty_list_of_rules_makes_the_gate_shut(database):
    gate = judge(database, [])
    assert (gate.planned, gate.run, gate.passed) == (0, 0, 0)
    assert "ran 0 of 0 planned checks: nothing passes unchecked" in refusal_of(gate)


def test_fewer_results_than_planned_make_the_gate_shut(database):
    passed = judge(database, [rule("good", EXPECTATIONS["UnexpectedRowsExpectation"]())])
    refusal_of(GateResult(gate="test", planned=2, results=passed.results))


def test_two_rules_of_one_id_are_refused(database):
    twice = [rule("good", make(), id="test.same") for make in (EXPECTATIONS["UnexpectedRowsExpectation"],) * 2]
    with pytest.raises(GateFailed, match="two rules of one id"):
        judge(database, twice)


@pytest.mark.parametrize(("severity", "opens"), [("block", False), ("quarantine", True), ("warn", True)])
def test_only_a_failure_of_a_rule_that_blocks_shuts_the_gate(database, severity, opens):
    gate = judge(database, [rule("bad", unexpected_rows(NEGATIVE), severity, NEGATIVE)])
    assert gate.is_open == opens
    assert [result.failed_rows for result in gate.failures(severity)] == [1]


def test_a_shut_gate_names_the_rule_the_rows_and_what_to_do_and_counts_the_others(database):
    rules = [rule("bad", make(), id=f"test.{name}") for name, make in EXPECTATIONS.items()]
    text = refusal_of(judge(database, rules))
    for part in ("the test gate is shut", "(A name) on bad", "bad of 2 rows", "(and 2 more rules)", "Do this."):
        assert part in text


@pytest.mark.parametrize(
    "bad_rows",
    [
        pytest.param(NEGATIVE, id="a failure"),
        pytest.param("checked.no_such_column < 0", id="an error of the rule"),
        pytest.param("cast(checked.name as integer) > 0", id="an error that a value causes"),
    ],
)
def test_no_value_of_a_row_is_in_the_results(database, bad_rows):
    rules = [
        rule("bad", unexpected_rows(bad_rows), bad_rows=bad_rows),
        rule("bad", gxe.UnexpectedRowsExpectation(unexpected_rows_query="select * from {batch}"), id="test.whole_rows"),
    ]
    gate = judge(database, rules)
    assert CANARY not in json.dumps(gate.to_json()) + refusal_of(gate)


def test_a_result_says_everything_of_its_rule_but_the_expectation(database):
    body = judge(database, [rule("good", unexpected_rows(NEGATIVE))]).to_json()
    assert {name: body[name] for name in ("gate", "planned", "run", "passed", "is_open")} == {
        "gate": "test",
        "planned": 1,
        "run": 1,
        "passed": 1,
        "is_open": True,
    }
    assert set(body["results"][0]) == set(RuleResult.__dataclass_fields__)
    assert set(body["results"][0]["rule"]) == set(Rule.__dataclass_fields__) - {
        "expectation",
        "bad_rows",
        "missing",
        "listing",
    }


def test_judging_twice_gives_the_same_results_and_changes_nothing(database):
    before = database.read_bytes()
    rules = [rule(table, unexpected_rows(NEGATIVE), bad_rows=NEGATIVE, id=table) for table in ("good", "bad", "many")]
    assert judge(database, rules) == judge(database, rules)
    assert database.read_bytes() == before
    assert not database.with_name(database.name + ".wal").exists()


def test_the_database_is_free_to_be_written_after_the_gate(database):
    judge(database, [rule("good", unexpected_rows(NEGATIVE))])
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("select count(*) from judged.good").fetchone() == (2,)
