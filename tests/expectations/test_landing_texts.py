"""How a text is written, and who it says somebody is: good and bad rows at every boundary."""

import pytest
from unit.tiny_rows import bad, found, profile_of, tables, thresholds

from expectations.landing import texts

TEXTS = {"id": "text", "name": "text", "token": "text"}
LUHN_RIGHT = {
    "13 digits": "4222222222222",
    "15 digits": "378282246310005",
    "16 digits": "4111111111111111",
    "19 digits": "6299990000000000004",
    "in groups": "4111 1111 1111 1111",
    "with dashes": "4111-1111-1111-1111",
    "among words": "卡号4111111111111111。",
    "beside another": "4111111111111112 4111111111111111",
    "in two groups": "629999 0000000000004",
    "after a date, in groups": "2026-06-30 4111 1111 1111 1111",
    "after a date": "2026-06-30 4111111111111111",
}
NO_CARD = {
    "a wrong check digit": "4111111111111112",
    "12 digits": "411111111110",
    "20 digits": "41111111111111111111",
    "begins as no card does": "1111111111111117",
    "part of an identifier": "T4111111111111111",
    "a mobile": "15400000000",
    "nothing": "",
}


def unusual(folder, name: str, **policy: str) -> dict[str, list[int]]:
    """What the rules of every extract find in one text."""
    expect = {"digits_are_no_card": ["token"]}
    profile = profile_of(folder, {"things": {"columns": TEXTS, "expect": expect}}, thresholds(text_length_max="100"))
    extract = next(extract for extract in profile.extracts if extract.name == "things")
    rows = [{"id": "1", "name": name, "token": "4111111111111111"}]
    with tables(profile, {"things": rows}) as connection:
        every = {rule.id.split(".", 2)[2]: bad(connection, rule) for rule in texts.build_rules(profile, extract)}
    return {name: places for name, places in every.items() if places}


@pytest.mark.parametrize("text", LUHN_RIGHT.values(), ids=LUHN_RIGHT)
def test_a_full_card_number_is_found(tmp_path, text):
    assert unusual(tmp_path, text) == {"texts.no_card_number": [0]}


@pytest.mark.parametrize("text", NO_CARD.values(), ids=NO_CARD)
def test_what_is_no_card_number_is_left_alone(tmp_path, text):
    assert unusual(tmp_path, text) == {}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("王\ufffd", "texts.whole"),
        ("王锟斤拷", "texts.whole"),
        ("王??", "texts.whole"),
        ("王\x07芳", "texts.whole"),
        ("NULL", "texts.no_value_spelled_out"),
        ("#N/A", "texts.no_value_spelled_out"),
        ("x" * 101, "texts.length"),
    ],
)
def test_a_text_that_is_not_as_texts_are_is_found(tmp_path, text, rule):
    assert unusual(tmp_path, text) == {rule: [0]}


@pytest.mark.parametrize("text", ["王芳?", "Null", "x" * 100, "None", "O'Brien: {a}"])
def test_a_text_as_texts_are_is_left_alone(tmp_path, text):
    assert unusual(tmp_path, text) == {}


@pytest.mark.parametrize(("key", "is_bad"), [("A1", False), ("A1 ", True), (" A1", True)])
def test_blanks_around_a_key(tmp_path, key, is_bad):
    profile = profile_of(tmp_path, {"things": {"columns": TEXTS}})
    extract = next(extract for extract in profile.extracts if extract.name == "things")
    with tables(profile, {"things": [{"id": key, "name": "a "}]}) as connection:
        rules = {rule.id.split(".", 2)[2]: rule for rule in texts.build_rules(profile, extract)}
        assert bad(connection, rules["codes.no_blanks_around"]) == ([0] if is_bad else [])


@pytest.mark.parametrize(
    ("pattern", "good", "bad_texts"),
    [
        ("1[3-9][0-9]{9}", ["13800000000", ""], ["138****0000", "12800000000", "1380000000", "１３８００００００００"]),
        ("C[0-9]{8}", ["C00000001"], ["c00000001", "C0000001", "C1", "XC00000001"]),
        ("it's: (?:a|b){1,2}", ["it's: ab"], ["it's: c"]),
    ],
)
def test_form(tmp_path, pattern, good, bad_texts):
    rows = [{"id": "1", "name": text} for text in (*good, *bad_texts)]
    expected = list(range(len(good), len(rows)))
    assert found(tmp_path, TEXTS, {"form": {"name": pattern}}, rows) == {"name.form": expected}


@pytest.mark.parametrize(
    ("text", "is_bad"), [("=1+1", True), ("+86", True), ("-a", True), ("@x", True), ("a=b", False), ("", False)]
)
def test_no_formula(tmp_path, text, is_bad):
    rows = [{"id": "1", "name": text}]
    assert found(tmp_path, TEXTS, {"no_formula": ["name"]}, rows) == {"name.no_formula": [0] if is_bad else []}


@pytest.mark.parametrize(("rows", "expected"), [(2, []), (3, [0, 1, 2])])
def test_shared_by_few(tmp_path, rows, expected):
    sent = [{"id": str(n), "name": "one"} for n in range(rows)]
    sent += [{"id": "9", "name": "one", "on": "2026-06-02"}, *({"id": "8", "name": ""} for _ in range(5))]
    policy = thresholds(most="2", text_length_max="9")
    assert found(tmp_path, TEXTS, {"shared_by_few": {"name": "most"}}, sent, policy) == {"name.shared_by_few": expected}


PERSON = {"id": "text", "kind": "text", "number": "text", "born": "date", "sex": "text"}
EXPECTED = {
    "identity": {
        "number": "number", "type": "kind", "resident": "R", "credit_code": "U",
        "birth_date": "born", "gender": "sex", "female": "F", "male": "M",
    }
}  # fmt: skip
RIGHT = {"id": "1", "kind": "R", "number": "11010519491231002X", "born": "1949-12-31", "sex": "F"}  # the standard's own
FIRM = {"id": "1", "kind": "U", "number": "91350100M000100Y43"}  # the standard's own


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (RIGHT, set()),
        ({**RIGHT, "number": "110105194912310021"}, {"number.resident_id"}),
        ({**RIGHT, "number": "11010519491231002x"}, {"number.resident_id"}),
        ({**RIGHT, "number": "1101051949123100"}, {"number.resident_id"}),
        ({**RIGHT, "number": "110105194913310026"}, {"number.resident_id"}),  # month 13
        ({**RIGHT, "number": "1.10105E+17"}, {"number.resident_id"}),
        ({**RIGHT, "number": "111111111111111111"}, {"number.resident_id", "number.no_placeholder"}),
        ({**RIGHT, "number": "123456789012345678"}, {"number.resident_id", "number.no_placeholder"}),
        ({**RIGHT, "kind": "P", "number": "000000000"}, {"number.no_placeholder"}),
        ({**RIGHT, "kind": "P", "number": "E70000004"}, set()),
        ({**RIGHT, "kind": "P", "number": "121212121212"}, {"number.no_placeholder"}),
        ({**RIGHT, "number": ""}, set()),  # `required` says that it is missing
        ({**RIGHT, "born": "1949-12-30"}, {"born+number.agree"}),
        ({**RIGHT, "born": ""}, set()),
        ({**RIGHT, "sex": "M"}, {"sex+number.agree"}),
        ({**RIGHT, "sex": ""}, set()),
        (FIRM, set()),
        ({**FIRM, "number": "91350100M000100Y44"}, {"number.credit_code"}),
        ({**FIRM, "number": "91350100M000100I43"}, {"number.credit_code"}),
        ({**FIRM, "number": "91350100M000100Y4"}, {"number.credit_code"}),
    ],
)
def test_identity(tmp_path, row, rules):
    assert {rule for rule, places in found(tmp_path, PERSON, EXPECTED, [row]).items() if places} == rules
