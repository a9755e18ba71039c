"""Who a customer is: resident ids (GB 11643), unified social credit codes (GB 32100), and what must agree with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.declared import column_of, condition, literal, refusal, rule, value

RESIDENT_FORM = "[1-9][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_CHECKS = "10X98765432"
CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
CREDIT_FORM = "[0-9A-HJ-NPQRTUWXY]{18}"
# One character or two over and over, or digits in their order.
ORDERED = ("12345678", "87654321", "01234567", "98765432")


def identity(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{number, type, resident, credit_code, birth_date, gender, female, male}: columns, and the codes they hold."""
    missing = {"number", "type"} - set(written)
    if missing:
        raise refusal(profile, extract, f"identity lacks {', '.join(sorted(missing))}")
    number = column_of(profile, extract, written["number"]).name
    shown = value(number)
    yield _rule(
        extract, f"{number}.no_placeholder", _placeholder(shown),
        f"{number} is no placeholder", f"{number} 不是占位值",
    )  # fmt: skip
    if "resident" in written:
        resident = condition(profile, extract, {written["type"]: written["resident"]})
        yield _rule(
            extract, f"{number}.resident_id", f"{resident} and not {resident_id(shown)}",
            f"{number} has the form and check character of a resident id (GB 11643)",
            f"{number} 符合居民身份证格式与校验位（GB 11643）",
        )  # fmt: skip
        yield from _agreeing(profile, extract, written, f"{resident} and {resident_id(shown)}")
    if "credit_code" in written:
        credit = condition(profile, extract, {written["type"]: written["credit_code"]})
        yield _rule(
            extract, f"{number}.credit_code", f"{credit} and not {credit_code(shown)}",
            f"{number} has the form and check character of a unified credit code (GB 32100)",
            f"{number} 符合统一社会信用代码格式与校验位（GB 32100）",
        )  # fmt: skip


def _agreeing(profile: Profile, extract: Extract, written: dict, known: str) -> Iterator[Rule]:
    """What an id number says of a person: only a number that is right says it."""
    number = value(written["number"])
    if "birth_date" in written:
        born = column_of(profile, extract, written["birth_date"]).name
        yield _rule(
            extract, f"{born}+{written['number']}.agree",
            f"{known} and strftime({value(born)}, '%Y%m%d') <> substr({number}, 7, 8)",
            f"{born} is the one in the resident id", f"{born} 与身份证号一致",
        )  # fmt: skip
    if "gender" in written:
        gender = column_of(profile, extract, written["gender"]).name
        is_male = f"(strpos('0123456789', substr({number}, 17, 1)) - 1) % 2 = 1"
        expected = f"case when {is_male} then {literal(written['male'])} else {literal(written['female'])} end"
        yield _rule(
            extract, f"{gender}+{written['number']}.agree", f"{known} and {value(gender)} <> {expected}",
            f"{gender} is the one in the resident id", f"{gender} 与身份证号一致", severity="warn",
        )  # fmt: skip


def _rule(extract: Extract, name: str, bad_rows: str, english: str, chinese: str, severity: str = "quarantine") -> Rule:
    return rule(
        extract,
        name,
        bad_rows,
        name_en=english,
        name_zh=chinese,
        reason="Who somebody is decides whose money it is; a wrong number makes two customers of one.",
        severity=severity,
        dimension="accuracy",
    )


def _placeholder(number: str) -> str:
    one_over_and_over = f"length({number}) > 3 and replace({number}, substr({number}, 1, 1), '') = ''"
    two = f"length({number}) > 7 and replace({number}, substr({number}, 1, 2), '') = ''"
    start = ", ".join(literal(each) for each in ORDERED)
    return f"(({one_over_and_over}) or ({two}) or substr({number}, 1, 8) in ({start}))"


def resident_id(number: str) -> str:
    """SQL of whether a text is a resident id: form, and its last character by ISO 7064 MOD 11-2."""
    digits = (f"(strpos('0123456789', substr({number}, {place}, 1)) - 1)" for place in range(1, 18))
    total = " + ".join(f"{weight} * {digit}" for weight, digit in zip(RESIDENT_WEIGHTS, digits, strict=True))
    form = f"regexp_full_match({number}, {literal(RESIDENT_FORM)})"
    return f"({form} and substr({number}, 18, 1) = substr('{RESIDENT_CHECKS}', cast(({total}) % 11 as integer) + 1, 1))"


def credit_code(number: str) -> str:
    """SQL of whether a text is a unified social credit code: form, and its last character by MOD 31."""
    places = (f"(strpos('{CREDIT_CHARACTERS}', substr({number}, {place}, 1)) - 1)" for place in range(1, 18))
    total = " + ".join(f"{weight} * {place}" for weight, place in zip(CREDIT_WEIGHTS, places, strict=True))
    form = f"regexp_full_match({number}, {literal(CREDIT_FORM)})"
    check = f"substr('{CREDIT_CHARACTERS}', cast((31 - ({total}) % 31) % 31 as integer) + 1, 1)"
    return f"({form} and substr({number}, 18, 1) = {check})"


PRINCIPLES = {"identity": identity}
