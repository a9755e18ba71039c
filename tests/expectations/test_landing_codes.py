"""What codes ask of other columns, and how the rows of a date are spread over them: good and bad rows at every boundary."""

import pytest
from unit.tiny_rows import found, thresholds

COLUMNS = {"id": "text", "code": "text", "day": "date", "is_on": "boolean", "n": "integer", "other": "text"}
POLICY = thresholds(most="0.5", share_min="0.2", share_max="0.8", code_share_rows_min="4", text_length_max="9")


def things(*codes: str, **more: str) -> list[dict[str, str]]:
    return [{"id": str(n), "code": code, **more} for n, code in enumerate(codes)]


@pytest.mark.parametrize(
    ("entry", "good", "bad_row"),
    [
        ({"if": {"code": "x"}, "filled": ["day"]}, {"code": "x", "day": "2026-01-01"}, {"code": "x"}),
        ({"if": {"code": "x"}, "filled": ["day"]}, {"code": "y"}, {"code": "x", "day": " "}),
        ({"if": {"code": ["x", "y"]}, "empty": ["day"]}, {"code": "y"}, {"code": "y", "day": "2026-01-01"}),
        ({"if": {"code": ["x", "y"]}, "empty": ["day"]}, {"code": "z", "day": "2026-01-01"}, {"code": "x", "day": "?"}),
        ({"if": {"is_on": True}, "empty": ["day"]}, {"is_on": "false", "day": "2026-01-01"}, {"is_on": "true", "day": "2026-01-01"}),
        ({"if": {"n": 0}, "filled": ["code"]}, {"n": "1"}, {"n": "0"}),
        ({"if": {"day": "*"}, "filled": ["code"]}, {"day": ""}, {"day": "2026-01-01"}),
        ({"if": {"day": None}, "empty": ["code"]}, {"day": "2026-01-01", "code": "x"}, {"code": "x"}),
        ({"if": {"code": "x"}, "values": {"is_on": False}}, {"code": "x", "is_on": "false"}, {"code": "x", "is_on": "true"}),
        ({"if": {"code": "x"}, "values": {"other": ["a", "b"]}}, {"code": "x", "other": "b"}, {"code": "x"}),
        ({"if": {"code": "x", "n": 1}, "filled": ["day"]}, {"code": "x", "n": "2"}, {"code": "x", "n": "1"}),
    ],
)  # fmt: skip
def test_conditional(tmp_path, entry, good, bad_row):
    ((_, places),) = found(
        tmp_path, COLUMNS, {"conditional": [entry]}, [{"id": "1", **good}, {"id": "2", **bad_row}]
    ).items()
    assert places == [1]


def test_different(tmp_path):
    rows = [{"id": "1", "code": "1"}, {"id": "1", "code": "2"}, {"id": "1"}]
    assert found(tmp_path, COLUMNS, {"different": [["id", "code"]]}, rows) == {"id+code.different": [0]}


def test_determines_within_a_date(tmp_path):
    rows = [
        {"id": "1", "code": "x", "other": "a"},
        {"id": "2", "code": "x", "other": "a"},
        {"id": "3", "code": "y", "other": "a"},
        {"id": "4", "code": "y", "other": "b"},
        {"id": "5", "code": "x", "other": "c", "on": "2026-06-02"},
    ]
    assert found(tmp_path, COLUMNS, {"determines": {"code": ["other"]}}, rows) == {"code+other.determines": [2, 3]}


def test_not_again_within_a_date(tmp_path):
    rows = [
        {"id": "1", "code": "x", "n": "1"},
        {"id": "2", "code": "x", "n": "1"},
        {"id": "3", "code": "x", "n": "2"},
        {"id": "4", "code": "x", "n": "1", "on": "2026-06-02"},
        {"id": "5", "code": "x"},
        {"id": "6", "code": "x"},
    ]
    assert found(tmp_path, COLUMNS, {"not_again": [["code", "n"]]}, rows) == {"code+n.not_again": [0, 1]}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("aabb", []),  # half is allowed
        ("aaab", [0, 1, 2]),
        ("aaa", []),  # too few to tell
        ("aaaa", [0, 1, 2, 3]),
        ("aab", []),
    ],
)
def test_varied(tmp_path, codes, expected):
    rows = [*things(*codes), *things("", "", "")]
    assert found(tmp_path, COLUMNS, {"varied": {"code": "most"}}, rows, POLICY) == {"code.varied": expected}


def test_varied_is_judged_date_by_date(tmp_path):
    rows = [*things("a", "a", "a", "b"), *things("a", "b", "b", "a", on="2026-06-02")]
    assert found(tmp_path, COLUMNS, {"varied": {"code": "most"}}, rows, POLICY) == {"code.varied": [0, 1, 2]}


@pytest.mark.parametrize(
    ("codes", "is_bad"),
    [("abbbb", False), ("bbbbb", True), ("aaaab", False), ("aaaaa", True), ("aaa", False), ("aabb", False)],
)
def test_shares(tmp_path, codes, is_bad):
    expect = {"shares": {"code": {"a": "share"}}}
    assert found(tmp_path, COLUMNS, expect, things(*codes), POLICY) == {
        "code=a.share": list(range(len(codes))) if is_bad else []
    }


@pytest.mark.parametrize(("is_on", "is_bad"), [("tfff", False), ("ffff", True), ("tttf", False), ("tttt", True)])
def test_shares_of_a_boolean(tmp_path, is_on, is_bad):
    rows = [{"id": str(n), "is_on": {"t": "true", "f": "false"}[each]} for n, each in enumerate(is_on)]
    expect = {"shares": {"is_on": {"true": "share"}}}
    assert found(tmp_path, COLUMNS, expect, rows, POLICY) == {"is_on=true.share": [0, 1, 2, 3] if is_bad else []}


@pytest.mark.parametrize(("seen", "is_bad"), [("yyyyy", False), ("nnnnn", True), ("nnnny", True), ("nnnyy", False)])
def test_shares_among_the_rows_of_which_a_condition_holds(tmp_path, seen, is_bad):
    """Five rows without the code: too few of them count where `among` leaves fewer than the policy's least."""
    columns = {**COLUMNS, "seen_at": {"type": "date"}}
    rows = [
        {**row, "seen_at": {"y": "2026-06-01", "n": ""}[each]} for row, each in zip(things(*"bbbbb"), seen, strict=True)
    ]
    expect = {"shares": {"code": {"a": "share", "among": {"seen_at": None}}}}
    assert found(tmp_path, columns, expect, rows, POLICY) == {"code=a.share": [0, 1, 2, 3, 4] if is_bad else []}
