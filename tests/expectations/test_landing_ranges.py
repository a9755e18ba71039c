"""How large a number may be and which sign it has: good and bad rows at every boundary, policy as of the row's date."""

import pytest
from unit.tiny_rows import found, thresholds

from crm_warehouse.errors import SettingsError

COLUMNS = {"id": "text", "x": "fraction", "code": "text"}


@pytest.mark.parametrize(
    ("meaning", "good", "bad"),
    [
        ("probability", ["0", "1", "0.5", ""], ["-0.000000001", "1.000000001", "85"]),
        ("share", ["0.000000001", "1"], ["0", "1.000000001", "-1"]),
        ("positive", ["0.000000001"], ["0", "-0.000000001"]),
        ("not_negative", ["0", "1"], ["-0.000000001"]),
        ("not_zero", ["-0.000000001", "0.000000001"], ["0", "0.000000000"]),
        ("rate", ["0.01", "0.36"], ["0.009999999", "0.360000001", "4.5"]),
    ],
)
def test_in_range(tmp_path, meaning, good, bad):
    policy = thresholds(rate_min="0.01", rate_max="0.36", text_length_max="9")
    rows = [{"id": "1", "x": text} for text in (*good, *bad)]
    expected = list(range(len(good), len(rows)))
    assert found(tmp_path, COLUMNS, {"in_range": [{"column": "x", "is": meaning}]}, rows, policy) == {
        f"x+{meaning}.in_range": expected
    }


def test_a_range_may_hold_for_some_codes_only(tmp_path):
    rows = [{"id": "1", "x": "7", "code": "fraction"}, {"id": "2", "x": "7", "code": "index"}, {"id": "3", "x": "7"}]
    expect = {"in_range": [{"column": "x", "is": "probability", "if": {"code": "fraction"}}]}
    assert found(tmp_path, COLUMNS, expect, rows) == {"x+probability.in_range": [0]}


def test_a_threshold_is_the_one_in_force_on_the_rows_date(tmp_path):
    policy = thresholds(rate_max="0.10@2026-01-01 0.20@2026-06-02", text_length_max="9")
    rows = [{"id": str(n), "x": "0.15", "on": f"2026-06-0{n}"} for n in (1, 2, 3)]
    expect = {"in_range": [{"column": "x", "is": "rate"}]}
    assert found(tmp_path, COLUMNS, expect, rows, policy) == {"x+rate.in_range": [0]}


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (thresholds(), "has neither rate_min nor rate_max"),
        (thresholds(rate_max="0.10@2026-06-01"), "has no rate_max in force from 2026-05-29 on"),
        (thresholds(rate_max="ten"), "rate_max has a value or date that cannot be read"),
        (thresholds(rate_max="NaN"), "rate_max has a value or date that cannot be read"),
        (thresholds(rate_max="1@soon"), "rate_max has a value or date that cannot be read"),
    ],
)
def test_a_threshold_that_is_not_there_is_named(tmp_path, policy, sentence):
    with pytest.raises(SettingsError, match=sentence):
        found(tmp_path, COLUMNS, {"in_range": [{"column": "x", "is": "rate"}]}, [], policy)


@pytest.mark.parametrize(
    ("x", "code", "is_bad"),
    [
        ("1", "credit", False),
        ("-1", "debit", False),
        ("0", "credit", False),
        ("-0.000000001", "credit", True),
        ("0.000000001", "debit", True),
        ("-1", "other", False),
        ("-1", "", False),
    ],
)
def test_sign_agrees_with_a_code(tmp_path, x, code, is_bad):
    rows = [{"id": "1", "x": x, "code": code}]
    expect = {"sign": {"x": {"by": "code", "positive": ["credit"], "negative": ["debit"]}}}
    assert found(tmp_path, COLUMNS, expect, rows) == {"x+code.sign": [0] if is_bad else []}
