"""When things happened: good and bad rows at every boundary."""

import pytest
from unit.tiny_rows import found, thresholds

DATES = {"id": "text", "a": "date", "b": "date", "c": "date"}
NUMBERS = {"id": "text", "a": "integer", "b": "integer", "c": "integer"}
DATE_AND_INSTANT = {"id": "text", "a": "date", "b": "timestamp"}


@pytest.mark.parametrize(
    ("a", "b", "c", "is_bad"),
    [
        ("2026-01-02", "2026-01-02", "2026-01-02", False),
        ("2026-01-01", "2026-01-02", "2026-01-03", False),
        ("2026-01-03", "2026-01-02", "2026-01-04", True),
        ("2026-01-01", "2026-01-03", "2026-01-02", True),
        ("2026-01-03", "", "2026-01-02", True),
        ("2026-01-01", "", "2026-01-02", False),
        ("", "", "2026-01-02", False),
        ("", "", "", False),
    ],
)
def test_dates_in_order(tmp_path, a, b, c, is_bad):
    rows = [{"id": "1", "a": a, "b": b, "c": c}]
    assert found(tmp_path, DATES, {"in_order": [["a", "b", "c"]]}, rows) == {"a+b+c.in_order": [0] if is_bad else []}


@pytest.mark.parametrize(
    ("a", "b", "is_bad"), [("1", "1", False), ("1", "2", False), ("2", "1", True), ("2", "", False)]
)
def test_numbers_in_order(tmp_path, a, b, is_bad):
    rows = [{"id": "1", "a": a, "b": b}]
    assert found(tmp_path, NUMBERS, {"in_order": [["a", "b"]]}, rows)["a+b.in_order"] == ([0] if is_bad else [])


@pytest.mark.parametrize(
    ("a", "b", "is_bad"),
    [
        ("2026-06-01", "2026-05-31T16:00:00Z", False),  # midnight of the first of June in Shanghai
        ("2026-06-01", "2026-05-31T15:59:59Z", True),
    ],
)
def test_an_instant_counts_as_its_day_in_the_banks_zone(tmp_path, a, b, is_bad):
    rows = [{"id": "1", "a": a, "b": b}]
    assert found(tmp_path, DATE_AND_INSTANT, {"in_order": [["a", "b"]]}, rows)["a+b.in_order"] == (
        [0] if is_bad else []
    )


@pytest.mark.parametrize(
    ("column", "moment", "is_bad"),
    [
        ("a", "2026-06-01", False),
        ("a", "2026-06-02", True),
        ("a", "", False),
        ("b", "2026-06-01T15:59:59Z", False),
        ("b", "2026-06-01T16:00:00Z", True),
    ],
)
def test_not_in_the_future(tmp_path, column, moment, is_bad):
    rows = [{"id": "1", column: moment}]
    assert found(tmp_path, DATE_AND_INSTANT, {"not_in_future": [column]}, rows)[f"{column}.not_in_future"] == (
        [0] if is_bad else []
    )


@pytest.mark.parametrize(("moment", "is_bad"), [("2000-01-01", False), ("1999-12-31", True), ("", False)])
def test_not_before_the_first_sensible_date(tmp_path, moment, is_bad):
    rows = [{"id": "1", "a": moment}]
    policy = thresholds(first="2000-01-01", text_length_max="9")
    assert found(tmp_path, DATES, {"not_before": {"a": "first"}}, rows, policy)["a.not_before"] == (
        [0] if is_bad else []
    )


@pytest.mark.parametrize(
    ("on", "moment", "is_bad"),
    [
        ("2026-05-29", "2020-01-01", False),  # the initial delivery holds the history
        ("2026-06-01", "2026-05-30", False),  # a Monday: since Friday, the initial delivery
        ("2026-06-01", "2026-05-29", True),
        ("2026-06-02", "2026-06-02", False),
        ("2026-06-02", "2026-06-01", True),
        ("2026-06-02", "2026-06-03", True),
        ("2026-06-22", "2026-06-19", False),  # after a Monday came a Friday without business: since Thursday
        ("2026-06-22", "2026-06-18", True),
        ("2026-06-28", "2026-06-27", False),  # a Sunday with business
        ("2026-06-28", "2026-06-26", True),
        ("2026-06-29", "2026-06-28", True),
        ("2026-06-29", "2026-06-29", False),
    ],
)
def test_of_this_delivery(tmp_path, on, moment, is_bad):
    rows = [{"id": "1", "a": moment, "on": on}]
    exceptions = "2026-06-19,false,x\n2026-06-28,true,x\n"
    assert found(tmp_path, DATES, {"of_this_delivery": ["a"]}, rows, exceptions=exceptions)["a.of_this_delivery"] == (
        [0] if is_bad else []
    )


@pytest.mark.parametrize(
    ("instant", "is_bad"),
    [
        ("2026-05-31T16:00:00Z", False),
        ("2026-06-01T15:59:59Z", False),
        ("2026-05-31T15:59:59Z", True),
        ("2026-06-01T16:00:00Z", True),
        ("", False),
    ],
)
def test_an_instant_falls_on_its_date(tmp_path, instant, is_bad):
    rows = [{"id": "1", "a": "2026-06-01", "b": instant}]
    assert found(tmp_path, DATE_AND_INSTANT, {"same_day": {"b": "a"}}, rows) == {"b+a.same_day": [0] if is_bad else []}


@pytest.mark.parametrize(("at_night", "of", "is_bad"), [(1, 10, False), (2, 10, True), (9, 9, False), (0, 10, False)])
def test_usual_hours_are_judged_by_share_and_only_where_there_are_enough_rows(tmp_path, at_night, of, is_bad):
    """Ten rows at least, one in ten outside 09:00 to 18:00 in Shanghai."""
    policy = thresholds(
        h_from_hour="9", h_to_hour="18", h_share_max="0.1", code_share_rows_min="10", text_length_max="9"
    )
    day = ["2026-06-01T01:00:00Z", "2026-06-01T09:59:59Z"]
    night = ["2026-06-01T00:59:59Z", "2026-06-01T10:00:00Z"]
    rows = [{"id": str(n), "b": (night if n < at_night else day)[n % 2]} for n in range(of)]
    expected = list(range(at_night)) if is_bad else []
    assert found(tmp_path, DATE_AND_INSTANT, {"hours": {"b": "h"}}, rows, policy) == {"b.usual_hours": expected}
