"""How a text is written: in its form, in whole characters, without what a spreadsheet would run, and no card number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm_warehouse.privacy.redaction import PSEUDONYM
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import thresholds
from expectations.landing.declared import column_of, entries, literal, per_date, rule, value

# What is left when an encoding went wrong: replacement characters, their bytes read as GBK, question marks.
BROKEN = "[\\x00-\\x1f\\x7f\ufffd]|锟斤拷|烫烫|屯屯|[?？][?？]"
# How programs write that there is no value.
NO_VALUE = ("NULL", "null", "(null)", "\\N", "N/A", "#N/A", "#REF!", "#VALUE!", "NaN", "nan", "undefined")
FORMULA = "^[=+@-]"


def build_rules(profile: Profile, extract: Extract) -> Iterator[Rule]:
    """What holds for the texts of every extract, declared or not."""
    texts = [column.name for column in extract.columns if column.type == "text"]
    if not texts:
        return
    empty = ", ".join(literal(each) for each in NO_VALUE)
    # All columns at once: a pass over a table costs less than a rule for each.
    together = f"concat_ws(' ', {', '.join(value(name) for name in texts)})"
    yield rule(
        extract,
        "texts.whole",
        f"regexp_matches({together}, {literal(BROKEN)})",
        name_en="No text has broken or control characters",
        name_zh="文本不含乱码或控制字符",
        reason="A name that went through a wrong encoding can be neither read nor matched.",
    )
    yield rule(
        extract,
        "texts.no_value_spelled_out",
        "(" + " or ".join(f"{value(name)} in ({empty})" for name in texts) + ")",
        name_en="An empty value is empty, not spelled NULL or N/A",
        name_zh="空值未写成 NULL、N/A 等文字",
        reason="A word for nothing is counted as a value.",
    )
    longest = thresholds.number(profile, "text_length_max")
    yield rule(
        extract,
        "texts.length",
        f"greatest({', '.join(f'length({value(name)})' for name in texts)}, 0) > {longest}",
        name_en="No text is longer than policy allows",
        name_zh="文本长度不超过政策上限",
        reason="A field of megabytes is a file that lost its line ends, or worse.",
    )
    coded = [c.name for c in extract.columns if c.key or (c.type == "text" and (c.references or c.values))]
    if coded:
        yield rule(
            extract,
            "codes.no_blanks_around",
            "(" + " or ".join(value(f"{name}__padded") for name in coded) + ")",
            name_en="Keys and codes have no blanks around them",
            name_zh="主键与代码前后没有空格",
            reason="The gate reads them without, but another reader would not find what they refer to.",
            severity="warn",
        )


def form(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column: regular expression}: the whole text has this form."""
    for name, pattern in written.items():
        if profile.names_customer(extract, column_of(profile, extract, name)):
            pattern = f"{pattern}|{PSEUDONYM}"
        yield rule(
            extract,
            f"{name}.form",
            f"not regexp_full_match({value(f'{name}__text')}, {literal(str(pattern))})",
            name_en=f"{name} has its form",
            name_zh=f"{name} 格式正确",
            reason="What is cut, masked, in another case or in another column's place matches nothing.",
        )


def no_formula(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Texts that no spreadsheet would run: they do not start with = + - @."""
    for entry in entries(profile, extract, written, "column"):
        name = column_of(profile, extract, entry["column"]).name
        yield rule(
            extract,
            f"{name}.no_formula",
            f"regexp_matches({value(name)}, {literal(FORMULA)})",
            name_en=f"{name} does not start like a formula",
            name_zh=f"{name} 不以公式符号开头",
            reason="A spreadsheet that opens an export would run it; exports put it out of action.",
            severity="warn",
        )


def shared_by_few(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column: threshold}: no value stands in more rows of a date than policy allows."""
    for name, threshold_id in written.items():
        column_of(profile, extract, name)
        most = thresholds.number(profile, threshold_id)
        groups = per_date(
            extract, f"(checked.business_date, {value(name)})", f"count(*) > {most}", f"{value(name)} is not null",
            f"checked.business_date, {value(name)}",
        )  # fmt: skip
        yield rule(
            extract,
            f"{name}.shared_by_few",
            f"(checked.business_date, {value(name)}) in ({groups})",
            name_en=f"No {name} is shared by more rows than policy allows",
            name_zh=f"同一 {name} 的记录数不超过政策上限",
            reason="A contact of many customers is a placeholder, or one person who acts for them.",
            severity="warn",
            dimension="uniqueness",
        )


PRINCIPLES = {
    "form": form,
    "no_formula": no_formula,
    "shared_by_few": shared_by_few,
}
