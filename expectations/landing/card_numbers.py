"""Full card numbers (C3 of JR/T 0171-2020): refused wherever a text holds one."""

from __future__ import annotations

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.declared import column_of, literal, rule, value

# 13 to 19 digits that begin as cards do (ISO/IEC 7812), with neither letter nor digit beside them: in one piece, or in groups.
BESIDE = "(?:^|[^0-9A-Za-z])({})(?:$|[^0-9A-Za-z])"
WHOLE = BESIDE.format("[2-68][0-9]{12,18}")
GROUPED = BESIDE.format(
    "[2-68][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}(?:[ -]?[0-9]{1,3})?"
    "|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5}|[2-68][0-9]{5}[ -][0-9]{7,13}"
)
LONGEST = 19


def no_card_numbers(profile: Profile, extract: Extract, texts: list[str]) -> Rule:
    """No text but those of `expect: digits_are_no_card` holds digits that pass Luhn's check."""
    for name in extract.expect.get("digits_are_no_card", ()):
        column_of(profile, extract, name)
    read = [value(name) for name in texts if name not in extract.expect.get("digits_are_no_card", ())]
    # Bars between columns: digits of two columns are never read as one number.
    together = f"concat_ws(' || ', {', '.join(read)})" if read else "''"
    # Blanks twice, so that of two numbers side by side the second has one of its own before it.
    whole = f"regexp_extract_all(replace({together}, ' ', '  '), {literal(WHOLE)}, 1)"
    numbers = f"list_concat({whole}, regexp_extract_all({together}, {literal(GROUPED)}, 1))"
    found = (
        f"select business_date, batch, _source_row, regexp_replace(unnest({numbers}), '[ -]', '', 'g') as number"
        f" from {extract.table} as checked where regexp_matches({together}, '[0-9][0-9 -]+[0-9]')"
    )
    return rule(
        extract,
        "texts.no_card_number",
        "(checked.business_date, checked.batch, checked._source_row) in"
        f" (select (found.business_date, found.batch, found._source_row) from ({found}) as found"
        f" where {luhn('found.number')})",
        name_en="No text holds a full card number",
        name_zh="文本不含完整卡号",
        reason="A full card number may not be kept (JR/T 0171-2020, C3).",
        severity="block",
    )


def luhn(number: str) -> str:
    """SQL of whether digits (13 to 19) end in the check digit of ISO/IEC 7812."""
    padded = f"lpad({number}, {LONGEST}, '0')"
    digits = [f"(strpos('0123456789', substr({padded}, {place}, 1)) - 1)" for place in range(1, LONGEST + 1)]
    parts = [
        digit if n % 2 == 0 else f"(2 * {digit} - case when {digit} > 4 then 9 else 0 end)"
        for n, digit in enumerate(reversed(digits))
    ]
    return f"({' + '.join(parts)}) % 10 = 0"
