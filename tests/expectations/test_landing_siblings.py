"""What the tables of one date say of each other: good and bad rows at every boundary."""

import pytest
from unit.tiny_rows import found, thresholds

THINGS = {
    "id": "text", "owner": "text", "currency": "text", "role": "text", "share": "fraction", "units": "quantity",
    "amount": "decimal", "on_day": "date", "since": "date", "until": "date",
}  # fmt: skip
OWNERS = {"owner": "text", "currency": "text", "opened": "date", "left": "date", "price": "quantity", "role": "text"}
TUESDAY = "2026-06-02"


def judged(folder, expect, rows, owners, policy: str = "") -> list[list[int]]:
    """Bad rows of each rule, in the rules' order."""
    return list(found(folder, THINGS, expect, rows, policy, {"owners": (OWNERS, owners)}).values())


def test_found_on_the_same_date(tmp_path):
    rows = [
        {"id": "1", "currency": "CNY"},
        {"id": "2", "currency": "USD"},
        {"id": "3"},
        {"id": "4", "currency": "CNY", "on": TUESDAY},
    ]
    owners = [{"owner": "o", "currency": "CNY"}]
    assert judged(tmp_path, {"found": {"currency": "core.owners.currency"}}, rows, owners) == [[1, 3]]


OWNER = {"owner": "o", "currency": "CNY", "opened": "2026-01-02", "role": "x"}
WITH = {"with": "core.owners", "by": {"owner": "owner"}}


@pytest.mark.parametrize(
    ("entry", "row", "owner", "is_bad"),
    [
        ({"columns": {"currency": "currency"}}, {"currency": "CNY"}, {}, False),
        ({"columns": {"currency": "currency"}}, {"currency": "USD"}, {}, True),
        ({"columns": {"currency": "currency"}}, {"currency": "USD", "owner": "z"}, {}, False),
        ({"columns": {"currency": "currency"}}, {"currency": "USD", "on": TUESDAY}, {}, False),
        ({"columns": {"currency": "currency"}, "if": {"role": "a"}}, {"currency": "USD", "role": "b"}, {}, False),
        ({"columns": {"currency": "currency"}, "if": {"role": "a"}}, {"currency": "USD", "role": "a"}, {}, True),
        ({"values": {"role": ["x", "y"]}}, {}, {"role": "y"}, False),
        ({"values": {"role": ["x", "y"]}}, {}, {"role": "z"}, True),
        ({"order": [["on_day", "opened"]]}, {"on_day": "2026-01-02"}, {}, False),
        ({"order": [["on_day", "opened"]]}, {"on_day": "2026-01-01"}, {}, True),
        ({"empty": ["left"], "if": {"until": None}}, {}, {}, False),
        ({"empty": ["left"], "if": {"until": None}}, {}, {"left": "2026-01-01"}, True),
        ({"empty": ["left"], "if": {"until": None}}, {"until": "2026-01-01"}, {"left": "2026-01-01"}, False),
    ],
)
def test_agrees(tmp_path, entry, row, owner, is_bad):
    rows = [{"id": "1", "owner": "o", **row}]
    assert judged(tmp_path, {"agrees": [{**WITH, **entry}]}, rows, [{**OWNER, **owner}]) == [[0] if is_bad else []]


@pytest.mark.parametrize(
    ("owners", "is_bad"),
    [
        ([{"owner": "o", "role": "owner"}], False),
        ([{"owner": "o", "role": "joint"}], True),
        ([{"owner": "z", "role": "owner"}], True),
        ([{"owner": "o", "role": "owner", "on": TUESDAY}], True),
        ([], True),
    ],
)
def test_has(tmp_path, owners, is_bad):
    expect = {"has": [{"in": "core.owners", "by": {"owner": "owner"}, "where": {"role": "owner"}}]}
    assert judged(tmp_path, expect, [{"id": "1", "owner": "o"}], owners) == [[0] if is_bad else []]


@pytest.mark.parametrize(
    ("shares", "is_bad"),
    [
        (["1"], False),
        (["0.5", "0.5"], False),
        (["0.5"], True),
        (["0.5", "0.500000001"], True),
        (["0.333333333"] * 3, True),
    ],
)
def test_adds_up(tmp_path, shares, is_bad):
    rows = [{"id": "1", "share": share} for share in shares] + [{"id": "1", "share": "1", "on": TUESDAY}]
    expected = list(range(len(shares))) if is_bad else []
    assert judged(tmp_path, {"adds_up": {"share": {"per": ["id"], "to": 1}}}, rows, []) == [expected]


@pytest.mark.parametrize(
    ("second", "is_bad"),
    [
        ({"since": "2026-03-01"}, False),  # the day the first one ends
        ({"since": "2026-02-28"}, True),
        ({"since": "2025-01-01", "until": "2026-01-01"}, False),
        ({"since": "2025-01-01", "until": "2026-01-02"}, True),
        ({"since": "2025-01-01"}, True),
        ({"since": "2026-02-01", "role": "backup"}, False),
        ({"since": "2026-02-01", "owner": "z"}, False),
        ({"since": "2026-02-01", "on": TUESDAY}, False),
    ],
)
def test_one_at_a_time(tmp_path, second, is_bad):
    first = {"id": "1", "owner": "o", "role": "primary", "since": "2026-01-01", "until": "2026-03-01"}
    rows = [first, {"id": "2", "owner": "o", "role": "primary", **second}]
    expect = {"one_at_a_time": [{"per": ["owner"], "from": "since", "to": "until", "if": {"role": "primary"}}]}
    assert judged(tmp_path, expect, rows, []) == [[0, 1] if is_bad else []]


@pytest.mark.parametrize(
    ("amount", "owner", "is_bad"),
    [("20.00", "o", False), ("20.01", "o", False), ("19.99", "o", False), ("20.02", "o", True), ("99.00", "z", False)],
)
def test_product_of(tmp_path, amount, owner, is_bad):
    rows = [{"id": "1", "owner": owner, "units": "8", "amount": amount}]
    price = {"in": "core.owners", "column": "price", "by": {"owner": "owner"}}
    expect = {"product_of": [{"amount": "amount", "units": "units", "price": price, "tolerance": "gap"}]}
    policy = thresholds(gap="0.0100001", text_length_max="9")
    assert judged(tmp_path, expect, rows, [{"owner": "o", "price": "2.5"}], policy) == [[0] if is_bad else []]


RATES = {"id": "text", "day": "date", "rate": "fraction"}
BOUNDS = thresholds(fx_USD_min="5", fx_USD_max="10", fx_HKD_min="0.6", text_length_max="9")
EXCHANGE = {"exchange_rates": {"currency": "id", "date": "day", "rate": "rate", "base": "CNY", "bounds": "fx"}}


@pytest.mark.parametrize(
    ("cny", "usd", "hkd", "rule", "places"),
    [
        ("1", "10", "0.6", None, []),
        ("1", "5", "9", None, []),
        ("1.02", "7", "0.9", "rate.base_is_one", [0]),
        ("1", "0.139", "0.9", "rate.within_bounds", [1]),
        ("1", "10.000000001", "0.9", "rate.within_bounds", [1]),
        ("1", "4.999999999", "0.9", "rate.within_bounds", [1]),
        ("1", "7", "0.599999999", "rate.within_bounds", [2]),
        ("1", "7", None, "rate.every_currency", [0, 1]),
        (None, "7", "0.9", "rate.every_currency", [0, 1]),
    ],
)
def test_exchange_rates(tmp_path, cny, usd, hkd, rule, places):
    sent = (("CNY", cny), ("USD", usd), ("HKD", hkd))
    rows = [{"id": code, "day": "2026-06-01", "rate": rate} for code, rate in sent if rate]
    failed = {name: bad for name, bad in found(tmp_path, RATES, EXCHANGE, rows, BOUNDS).items() if bad}
    assert failed == ({rule: places} if rule else {})


def test_a_currency_that_the_policy_does_not_know(tmp_path):
    codes = ("CNY", "USD", "HKD", "RMB")
    rows = [{"id": code, "day": "2026-06-01", "rate": {"USD": "7"}.get(code, "1")} for code in codes]
    failed = {name: bad for name, bad in found(tmp_path, RATES, EXCHANGE, rows, BOUNDS).items() if bad}
    assert failed == {"rate.agreed_currency": [3]}


WEEK = {f"2026-06-0{n}": "true" if n < 6 else "false" for n in range(1, 8)}  # a Monday to a Sunday


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, None),
        ({"2026-06-03": None}, "day.no_gaps"),
        ({"2026-06-01": None}, "day.no_gaps"),  # the business date is not there
        ({"2026-06-07": None}, None),  # the calendar ends a day sooner
        ({"2026-06-03": "true"}, "day.as_policy"),  # a holiday of the policy
        ({"2026-06-04": "false"}, "day.as_policy"),
        ({"2026-06-06": "false"}, "day.as_policy"),  # a Saturday with business
        ({"2026-06-07": "true"}, "day.as_policy"),
    ],
)
def test_calendar(tmp_path, change, rule):
    days = {**WEEK, "2026-06-03": "false", "2026-06-06": "true", **change}
    rows = [{"day": day, "is_open": is_open} for day, is_open in days.items() if is_open]
    columns, expect = {"day": "date", "is_open": "boolean"}, {"calendar": {"date": "day", "is_business_day": "is_open"}}
    exceptions = "2026-06-03,false,x\n2026-06-06,true,x\n"
    failed = [name for name, bad in found(tmp_path, columns, expect, rows, exceptions=exceptions).items() if bad]
    assert failed == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("row", "moved", "is_bad"),
    [
        ({"role": "buy", "amount": "10.00"}, {"price": "-10"}, False),
        ({"role": "buy", "amount": "10.00"}, {"price": "10"}, True),  # the wrong way round
        ({"role": "redeem", "amount": "10.00"}, {"price": "10"}, False),
        ({"role": "redeem", "amount": "10.01"}, {"price": "10"}, True),
        ({"role": "dividend", "amount": "10.00"}, {"price": "-7"}, False),  # says nothing of such a code
        ({"role": "buy", "amount": "10.00", "on": TUESDAY}, {"price": "-10"}, True),  # on another date
        ({"role": "buy", "amount": "10.00", "owner": "z"}, {"price": "-10"}, True),
    ],
)
def test_settled(tmp_path, row, moved, is_bad):
    expect = {
        "settled": [
            {
                "in": "core.owners",
                "by": {"owner": "owner"},
                "amount": {"amount": "price"},
                "signs": {"role": {"buy": -1, "redeem": 1}},
            }
        ]
    }
    rows = [{"id": "1", "owner": "o", **row}]
    assert judged(tmp_path, expect, rows, [{"owner": "o", **moved}]) == [[0] if is_bad else []]
