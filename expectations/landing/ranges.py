"""How large a number may be, and which sign it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import thresholds
from expectations.landing.declared import column_of, condition, entries, in_words, refusal, rule, value

# What a number is by its meaning: nothing that a bank decides.
BY_MEANING = {
    "probability": (["< 0", "> 1"], "from 0 to 1", "在 0 到 1 之间"),
    "share": (["<= 0", "> 1"], "above 0 and at most 1", "大于 0 且不超过 1"),
    "positive": (["<= 0"], "above 0", "大于 0"),
    "not_negative": (["< 0"], "not below 0", "不小于 0"),
    "not_zero": (["= 0"], "not 0", "不为 0"),
}


def in_range(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column, is, [if], [severity]}: `is` names a meaning above, or a policy with `_min`, `_max`."""
    for entry in entries(profile, extract, written, "column"):
        column, name = column_of(profile, extract, entry["column"]), entry.get("is")
        if not name:
            raise refusal(profile, extract, f"in_range of {column.name} lacks what it `is`")
        if name in BY_MEANING:
            out, english, chinese = BY_MEANING[name]
            wrong = [f"{value(column.name)} {each}" for each in out]
        else:
            wrong = [f"{value(column.name)} {operator} {bound}" for operator, bound in thresholds.bounds(profile, name)]
            english, chinese = f"within the policy bounds {name}", f"在政策区间 {name} 之内"
        wanted = entry.get("if", {})
        where_en, where_zh = in_words(wanted)
        yield rule(
            extract,
            f"{column.name}+{name}.in_range",
            f"({' or '.join(wrong)})" + (f" and {condition(profile, extract, wanted)}" if wanted else ""),
            name_en=f"{column.name} is {english}" + (f" where {where_en}" if wanted else ""),
            name_zh=(f"{where_zh} 时 " if wanted else "") + f"{column.name} {chinese}",
            reason="A number out of its range is in another unit, of another sign, or no such number.",
            severity=entry["severity"],
        )


def sign(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{amount: {by: code, positive: [...], negative: [...]}}: the sign agrees with the code."""
    for name, agreed in written.items():
        column, code = column_of(profile, extract, name), column_of(profile, extract, agreed["by"])
        wrong = [
            f"({value(column.name)} {operator} 0 and {condition(profile, extract, {code.name: agreed[codes]})})"
            for operator, codes in (("<", "positive"), (">", "negative"))
            if agreed.get(codes)
        ]
        yield rule(
            extract,
            f"{name}+{code.name}.sign",
            f"({' or '.join(wrong)})",
            name_en=f"The sign of {name} agrees with {code.name}",
            name_zh=f"{name} 的正负号与 {code.name} 一致",
            reason="Money that comes in where it went out moves every balance twice its amount.",
            dimension="consistency",
        )


PRINCIPLES = {"in_range": in_range, "sign": sign}
