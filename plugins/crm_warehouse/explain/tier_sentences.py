"""A customer's tier in a month in plain sentences, English and Chinese; numbers, keys and files, never a name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crm_warehouse.explain.files_behind import show_files

Said = Iterator[tuple[str, str]]
WINDOWS = {
    "month": ("the month's average", "月日均"),
    "quarter": ("the three months' average", "三个月日均"),
    "month_end": ("the last day's amount", "月末余额"),
}
BASES = {
    "total": ("assets", "资产"),
    "net": ("assets less debts", "净资产"),
    "weighted": ("weighted assets", "加权资产"),
}
SCOPES = {
    "bank": ("the whole bank", "全行"),
    "branch": ("the home branch", "所属网点"),
    "household": ("the household", "家庭"),
}
REASONS_ZH = {
    "history_begins": "历史起点",
    "account_opened": "开户",
    "returned": "回归",
    "rating_reached_threshold": "达到门槛",
    "rating_below_threshold": "低于门槛",
    "grace_ended": "宽限期满",
    "relationship_closed": "关系终止",
    "merged": "合并",
    "unmerged": "解除合并",
}
CALENDARS_ZH = {"monthly": "每月", "quarterly": "每季", "half_yearly": "每半年", "yearly": "每年"}


def sentences(facts: dict) -> list[tuple[str, str]]:
    """What decided, in the order in which it decides."""
    return [*_rated(facts), *_policy(facts), *_held(facts), *_grace(facts), *_known(facts)]


def _names(ladder: list[dict]) -> dict:
    return {tier["tier_code"]: (tier["tier_name_en"], tier["tier_name_zh"]) for tier in ladder} | {
        None: ("no tier", "无等级")
    }


def _rated(facts: dict) -> Said:
    rating, policy, month = facts["rating"], facts["ladder"][0], f"{facts['month']:%Y-%m}"
    names, currency = _names(facts["ladder"]), facts["currency"]
    if rating["rating_amount"] is None:
        yield (
            f"a feed of positions did not come on every business day of {month}: nobody is rated, what was held stays",
            f"{month}有持仓数据缺失：当月不评定，等级保持不变",
        )
        return
    (window, window_zh), (base, base_zh) = WINDOWS[policy["rating_window"]], BASES[policy["rating_base"]]
    scope, scope_zh = SCOPES[policy["rating_scope"]]
    by, by_zh = f", divided by {facts['divisor']} days", f"，除以 {facts['divisor']} 天"
    if policy["rating_window"] == "month_end":
        by = by_zh = ""
    said = f"in {month} the customer is rated at {_money(rating['rating_amount'])} {currency}: {window} of {base} at {scope}{by}"
    zh = f"{month}评定金额 {_money(rating['rating_amount'])} {currency}：{scope_zh}{base_zh}的{window_zh}{by_zh}"
    if policy["rating_window"] == "quarter":
        months = f"{facts['window'][0]:%Y-%m} to {facts['window'][-1]:%Y-%m}"
        said, zh = f"{said} ({months})", f"{zh}（{months.replace(' to ', '至')}）"
    yield said, zh
    if facts["members"]:
        whose, whose_zh = (
            ("same person", "同一人") if policy["rating_scope"] != "household" else ("household", "同一家庭")
        )
        keys = ", ".join(facts["members"])
        yield (
            f"amounts of {len(facts['members'])} more of the {whose} count: {keys}",
            f"另计入{whose_zh}的 {len(facts['members'])} 条记录：{keys}",
        )
    if rating["is_partial_month"]:
        yield "the month is partial: days without the customer count as 0", "当月不完整：未在行的天数按 0 计"
    reached, reached_zh = names[rating["tier_code"]]
    if rating["next_threshold_amount"] is None:
        yield f"that reaches {reached}, the highest tier", f"达到{reached_zh}，为最高等级"
    else:
        gap = _money(rating["next_threshold_amount"] - rating["rating_amount"])
        above = next(tier for tier in facts["ladder"] if tier["tier_rank"] == rating["tier_rank"] + 1)
        yield (
            f"that reaches {reached}; {gap} more would reach {above['tier_name_en']} at {_money(above['threshold_amount'])}",
            f"达到{reached_zh}；距{above['tier_name_zh']}（{_money(above['threshold_amount'])}）还差 {gap}",
        )


def _policy(facts: dict) -> Said:
    policy, rating = facts["ladder"][0], facts["rating"]
    tier = next((tier for tier in facts["ladder"] if tier["tier_code"] == rating["tier_code"]), None)
    begins = f", where {tier['tier_name_en']} begins at {_money(tier['threshold_amount'])}" if tier else ""
    begins_zh = f"，其中{tier['tier_name_zh']}门槛 {_money(tier['threshold_amount'])}" if tier else ""
    yield (
        f"the ladder in force is {policy['policy_version']} since {policy['effective_from']}{begins}; approved by"
        f" {policy['approved_by']}, decision {policy['decision_reference']}",
        f"适用规则 {policy['policy_version']}，自 {policy['effective_from']} 起{begins_zh}；批准 {policy['approved_by']}，"
        f"决议 {policy['decision_reference']}",
    )
    if rating["decided_by_version"] not in (None, rating["policy_version"]):
        old = rating["decided_by_version"]
        yield (
            f"{old} still decides: the grace period began under it, and is finished by it",
            f"仍由 {old} 决定：宽限期在其有效期内开始，由其走完",
        )


def _held(facts: dict) -> Said:
    rating, state, effect, before = facts["rating"], facts["state"], facts["effect"], facts["before"]
    names, policy = _names(facts["deciding_ladder"]), facts["deciding_ladder"][0]
    if before and before["tier_code"]:
        name, name_zh = names.get(before["tier_code"], (before["tier_code"],) * 2)
        yield (
            f"on {rating['month_end']} {name} was in force, since {before['valid_from']} ({before['reason'].replace('_', ' ')})",
            f"{rating['month_end']} 的有效等级为{name_zh}，自 {before['valid_from']} 起（{REASONS_ZH[before['reason']]}）",
        )
    elif before:
        yield (
            f"on {rating['month_end']} no tier was in force: left on {before['valid_from']} ({before['reason'].replace('_', ' ')})",
            f"{rating['month_end']} 无有效等级：{before['valid_from']} 离开（{REASONS_ZH[before['reason']]}）",
        )
    if not state:
        why, why_zh = (
            "the customer was not with the bank, as a record of its own, on its last day",
            "月末客户不在行或已合并",
        )
        if not rating["is_complete"]:
            why, why_zh = "it is not over", "当月尚未结束"
        elif not rating["is_fed"]:
            why, why_zh = "nobody is rated in it", "当月不评定"
        elif not rating["is_review"]:
            why = f"reviews are {policy['review_calendar'].replace('_', ' ')}"
            why_zh = f"{CALENDARS_ZH[policy['review_calendar']]}评定一次"
        yield f"the month decides nothing: {why}", f"当月不作决定：{why_zh}"
        return
    name, name_zh = names[state["held_tier_code"]]
    if not effect:
        yield f"the review of the month keeps {name}", f"当月评定：保持{name_zh}"
        return
    interval = effect["interval"]
    said, zh = (
        f"the review of the month decides {name}, for {effect['on']}",
        f"当月评定：{name_zh}，自 {effect['on']} 生效",
    )
    if not effect["is_shown"]:
        yield f"{said}: after the business date, so not in the history yet", f"{zh}：晚于业务日期，尚未进入历史"
    elif interval and interval["valid_from"] == effect["on"] and interval["tier_code"] == state["held_tier_code"]:
        until = (
            "still in force" if interval["valid_to"] == date(9999, 12, 31) else f"in force until {interval['valid_to']}"
        )
        until_zh = "至今" if until == "still in force" else f"至 {interval['valid_to']}"
        yield (
            f"{said}: {interval['movement'].replace('_', ' ')} ({interval['reason'].replace('_', ' ')}), {until},"
            f" known since {_moment(interval['known_from'])}",
            f"{zh}（{REASONS_ZH[interval['reason']]}），{until_zh}，{_moment(interval['known_from'])} 获知",
        )
    elif interval and interval["tier_code"] == state["held_tier_code"]:
        yield f"{said}: it was in force already", f"{zh}：此前已是该等级"
    else:
        yield (
            f"{said}: it never took effect, for a later decision or the end of the relationship was there first",
            f"{zh}：未生效，被更晚的决定或关系终止取代",
        )


def _grace(facts: dict) -> Said:
    state = facts["state"]
    if not state:
        return
    tier = next(tier for tier in facts["deciding_ladder"] if tier["tier_code"] == state["held_tier_code"])
    name, name_zh, misses = tier["tier_name_en"], tier["tier_name_zh"], state["misses_in_grace"]
    loses = max(tier["grace_months"], 1)
    landing, landing_zh = "the tier of that rating", "该月评定的等级"
    if tier["landing_rule"] == "max":
        landing, landing_zh = "the best tier of these ratings", "各次评定中的最高等级"
    if misses:
        yield (
            f"it was rated below {name} for the {_nth(misses)} time in a row, which is forgiven (miss {loses} loses the tier)",
            f"连续第 {misses} 次低于{name_zh}，予以宽限（第 {loses} 次降级）",
        )
    if state["misses_ended"]:
        yield (
            f"the grace is over: it was miss {state['misses_ended']}",
            f"宽限结束：已是第 {state['misses_ended']} 次低于门槛",
        )
    if tier["tier_rank"] == 1:
        return
    if misses + 1 >= loses:
        yield (
            f"the next review below {name} loses it, to {landing}, from the first of the following month",
            f"下次评定若低于{name_zh}即降级，降至{landing_zh}，次月一日生效",
        )
    else:
        yield (
            f"the next review below {name} would be forgiven as miss {misses + 1}; miss {loses} loses it, to {landing}",
            f"下次评定若低于{name_zh}仍予宽限（第 {misses + 1} 次）；第 {loses} 次降级，降至{landing_zh}",
        )


def _known(facts: dict) -> Said:
    names, rating = _names(facts["ladder"]), facts["rating"]
    if rating["known_at"]:
        at = _moment(rating["known_at"])
        if rating["is_complete"]:
            yield f"the deliveries of the month were complete on {at}", f"当月数据于 {at} 收齐"
        else:
            yield (
                f"of the month that is not over, the last delivery came on {at}",
                f"当月尚未结束，最近一次数据于 {at} 收到",
            )
    for believed in facts["believed_before"]:
        what, what_zh = [], []
        if "held_tier_code" in believed:
            name, name_zh = names.get(believed["held_tier_code"], (believed["held_tier_code"],) * 2)
            day = facts["believed_of"]
            what.append(f"{name} in force on {day}")
            what_zh.append(f"{day} 的等级为{name_zh}")
        if "rated_tier_code" in believed:
            name, name_zh = names.get(believed["rated_tier_code"], (believed["rated_tier_code"],) * 2)
            what.append(f"a rating of {name}")
            what_zh.append(f"评定等级为{name_zh}")
        at = _moment(believed["until"])
        yield (
            f"until {at}, when a correction was received, we believed: {', '.join(what)}",
            f"{at} 收到更正之前，认为{'，'.join(what_zh)}",
        )


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _nth(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def show(facts: dict, console: Console) -> None:
    """The sentences, the parts of the rating and the files behind it."""
    console.rule(f"tier 等级 {facts['customer_key']} {facts['month']:%Y-%m}")
    for en, zh in sentences(facts):
        console.print(f"{escape(en)}\n[dim]{escape(zh)}[/]", soft_wrap=True, highlight=False)
    if facts["families"]:
        table = Table(title="parts of the rating 评定金额的构成", title_justify="left")
        table.add_column("product family 产品类别")
        table.add_column(f"amount 金额, {facts['currency']}", justify="right")
        for family, amount in facts["families"].items():
            weight = f" x {facts['weights'][family].normalize():f}" if family in facts["weights"] else ""
            table.add_row(f"{family}{weight}", _money(amount))
        table.add_section()
        table.add_row("all 合计", _money(sum(facts["families"].values())))
        console.print(table)
    show_files(facts, console)
