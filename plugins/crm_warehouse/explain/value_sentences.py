"""What a customer contributes and is worth, in plain sentences and as a waterfall, English and Chinese; never a name."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crm_warehouse.explain.files_behind import show_files
from crm_warehouse.explain.value_facts import STEPS

Said = Iterator[tuple[str, str]]
NAMES = {
    "net_interest_deposits_amount": ("margin on deposits", "存款利差"),
    "net_interest_loans_amount": ("margin on loans", "贷款利差"),
    "fee_income_amount": ("fees, net of waivers", "手续费（扣除减免）"),
    "expected_loss_amount": ("expected loss", "预期损失"),
    "perks_amount": ("perks", "权益"),
    "cost_to_serve_avoidable_amount": ("cost to serve, avoidable", "服务成本（可避免）"),
}
SOURCES = {
    "own": ("the assets kept here", "本行资产"),
    "declared": ("what was declared", "客户申报"),
    "peer_quantile": ("what is usual among the wealthier of their peers", "同类客户分位数"),
}
REASONS = {
    "rate": ("the margin", "利差"), "balance": ("the balances", "规模"), "channel_mix": ("dear channels", "渠道结构"),
    "rm_time": ("the manager's time", "客户经理时间"), "expected_loss": ("expected loss", "预期损失"),
    "perks": ("perks", "权益"), "waiver": ("waived fees", "减免"),
}  # fmt: skip
LEVELS_ZH = {"platinum": "白金", "gold": "黄金", "iron": "铁", "lead": "铅"}
CLASSES = {
    "most_valuable": ("most valuable", "最具价值"),
    "most_growable": ("most growable", "最具成长性"),
    "ordinary": ("ordinary", "一般"),
    "prospect": ("prospect", "潜在"),
    None: ("not available: what lies ahead is not known", "不可得（未来价值未知）"),
}
# Codes of the canonical contract; a bank's own stand as they are.
CODES_ZH = {
    "transaction": "交易", "contact": "接触", "account_maintenance": "账户维护",
    "branch": "网点", "atm": "自助设备", "mobile": "手机银行", "online": "网上银行", "system": "系统",
    "visit": "走访", "call": "电话", "message": "短信", "event": "活动",
    "loyalty": "忠诚回报", "special_treatment": "特殊礼遇", "affinity": "亲和", "community": "团体", "knowledge": "知识互动",
}  # fmt: skip
WIDTH = 32  # of the longest bar


def sentences(facts: dict) -> list[tuple[str, str]]:
    """The contribution, whether the bank loses, and the value, in this order."""
    return [*_contribution(facts), *_missing(facts), *_loss(facts), *_value(facts), *_decided(facts)]


def waterfall(facts: dict) -> list[tuple[str, str, Decimal, Decimal]]:
    """Steps as (en, zh, amount with its sign, what they add up to so far), of the parts that are known."""
    rows, total = [], Decimal(0)
    for column, sign in STEPS:
        amount = facts["contribution"][column]
        if amount is not None:
            total += sign * amount
            rows.append((*NAMES[column], sign * amount + 0, total))  # never -0.00
    return rows


def _contribution(facts: dict) -> Said:
    found, month, currency = facts["contribution"], f"{facts['month']:%Y-%m}", facts["currency"]
    if found["contribution_avoidable_amount"] is None:
        yield (
            f"the contribution of {month} is not available: a part of it is not known",
            f"{month}贡献度不可得：有分项缺失",
        )
        return
    yield (
        f"in {month} this customer contributed {_money(found['contribution_avoidable_amount'])} {currency} at avoidable cost, rank"
        f" {found['contribution_rank']}; at full cost, which ties to the ledger, {_money(found['contribution_full_amount'])}",
        f"{month}贡献度（可避免成本）{_money(found['contribution_avoidable_amount'])} {currency}，排名第 {found['contribution_rank']}；"
        f"完全成本口径（与总账勾稽）{_money(found['contribution_full_amount'])}",
    )


def _missing(facts: dict) -> Said:
    if reason := facts["contribution"]["unavailable_reason"]:
        yield f"not available, and not taken for zero: {reason}", f"不可得，未以零代替：{reason}"


def _loss(facts: dict) -> Said:
    loss, currency = facts["loss"], facts["currency"]
    if not loss:
        return
    reason = ("nothing this month", "当月无") if not loss["reason_code"] else REASONS[loss["reason_code"]]
    gap = (
        ""
        if not loss["reason_code"]
        else f", {_money(loss['reason_gap_amount'])} {currency} worse than usual among profitable peers"
    )
    gap_zh = (
        "" if not loss["reason_code"] else f"，较同类盈利客户中位水平差 {_money(loss['reason_gap_amount'])} {currency}"
    )
    yield (
        f"the bank loses on this customer: below zero in {loss['months_negative_of_6']} of the last six months; the reason is {reason[0]}{gap}"
        + ("; new customers are exempt" if loss["is_exempt"] else ""),
        f"亏损客户：最近六个月中 {loss['months_negative_of_6']} 个月为负；原因：{reason[1]}{gap_zh}"
        + ("；新客户豁免" if loss["is_exempt"] else ""),
    )


def _value(facts: dict) -> Said:
    value, currency = facts["value"], facts["currency"]
    if not value:
        return
    if value["explicit_value"] is not None:
        part = f" (from {value['months_observed']} months)" if value["is_partial"] else ""
        part_zh = f"（按 {value['months_observed']} 个月年化）" if value["is_partial"] else ""
        yield (
            f"a year of it is worth {_money(value['explicit_value'])} {currency}{part}: explicit value",
            f"显性价值（近一年）{_money(value['explicit_value'])} {currency}{part_zh}",
        )
    if value["has_left"]:
        yield "the customer has left: nothing lies ahead", "客户已离行：无未来价值"
        return
    if value["lifetime_value"] is None:
        yield "lifetime value is not available: not enough is known to say who stays", "终身价值不可得：留存信息不足"
    else:
        yield (
            f"lifetime value {_money(value['lifetime_value'])} = base {_money(value['base_value'])}"
            f" + growth {_money(value['growth_value'])} + potential {_money(value['potential_value'])}",
            f"终身价值 {_money(value['lifetime_value'])} = 基础 {_money(value['base_value'])}"
            f" + 成长 {_money(value['growth_value'])} + 潜在 {_money(value['potential_value'])}",
        )
        cell = value["life_table_cell"] or "the whole bank"
        yield (
            f"of such customers ({cell}) {value['retention_12m']:.1%} are still here a year later; assets move {value['trend_rate']:+.2%}"
            " a month, fading",
            f"同类客户（{value['life_table_cell'] or '全行'}）一年后留存 {value['retention_12m']:.1%}；"
            f"资产月趋势 {value['trend_rate']:+.2%}，逐月衰减",
        )
    if value["wealth_stock_amount"] is not None:
        en, zh = SOURCES[value["wealth_stock_source"]]
        share = "" if value["share_of_wallet"] is None else f", of which {value['share_of_wallet']:.1%} are here"
        share_zh = "" if value["share_of_wallet"] is None else f"，本行占 {value['share_of_wallet']:.1%}"
        yield (
            f"wealth is taken for {_money(value['wealth_stock_amount'])} {currency} by {en}{share}",
            f"财富存量按{zh}计 {_money(value['wealth_stock_amount'])} {currency}{share_zh}",
        )
    if value["pyramid_level"]:
        level, (name, name_zh) = value["pyramid_level"], CLASSES[value["value_class"]]
        yield f"pyramid level {level}, class {name}", f"金字塔层级：{LEVELS_ZH[level]}，价值类别：{name_zh}"


def _decided(facts: dict) -> Said:
    for row in facts["policy"]["parameters"]:
        by = f"{row['approved_by']}, {row['decision_reference']}, since {row['effective_from']}"
        yield f"{row['parameter']} is {row['value']} ({by})", f"政策参数 {row['parameter']} = {row['value']}（{by}）"
    for row in facts["policy"]["deposit_rates"]:
        by = f"{row['approved_by']}, {row['decision_reference']}, since {row['effective_from']}"
        yield (
            f"{row['product_id']} pays {_rate(row['rate'])} ({by})",
            f"{row['product_id']} 客户利率 {_rate(row['rate'])}（{by}）",
        )


def show(facts: dict, console: Console) -> None:
    """The sentences, the waterfall, and what each step is made of."""
    console.rule(f"value 价值 {facts['customer_key']} {facts['month']:%Y-%m}")
    for en, zh in sentences(facts):
        console.print(f"{escape(en)}\n[dim]{escape(zh)}[/]", soft_wrap=True, highlight=False)
    console.print(_picture(facts))
    for table in (_deposits(facts), _loans(facts), _work(facts), _programmes(facts)):
        if table.row_count:
            console.print(table)
    show_files(facts, console)


def _picture(facts: dict) -> Table:
    table = Table(title=f"contribution step by step 贡献度瀑布, {facts['currency']}", title_justify="left")
    table.add_column("step 步骤")
    table.add_column("amount 金额", justify="right")
    table.add_column("")
    rows = waterfall(facts)
    ends = [Decimal(0), *(total for *_, total in rows)]
    low, high = min(ends), max(ends)
    scale = WIDTH / (high - low) if high > low else Decimal(0)
    for (en, zh, amount, total), before in zip(rows, ends, strict=False):
        left, right = sorted((round((before - low) * scale), round((total - low) * scale)))
        bar = " " * left + "█" * max(right - left, 1 if amount else 0)
        table.add_row(f"{en} {zh}", _money(amount), f"[{'green' if amount >= 0 else 'red'}]{bar}[/]")
    if rows and facts["contribution"]["contribution_avoidable_amount"] is not None:
        table.add_section()
        table.add_row("contribution 贡献度", _money(rows[-1][3]), "")
    return table


def _deposits(facts: dict) -> Table:
    table = Table(
        title="deposits 存款 (six places are kept; the sum is rounded once 合计后四舍五入)", title_justify="left"
    )
    for column in (
        "account 账户",
        "product 产品",
        "share 份额",
        "average 日均",
        "customer rate 客户利率",
        "transfer price 转移价格",
        "margin 利差",
    ):
        table.add_column(column, justify="left" if column[0] in "ap" and "average" not in column else "right")
    for deposit in facts["deposits"]:
        margin = deposit["reporting_income_amount"] - deposit["reporting_interest_amount"]
        table.add_row(
            deposit["account_id"],
            f"{deposit['product_id']} {deposit['currency_code']}",
            f"{deposit['share_fraction'].normalize():f}",
            _money(deposit["average_amount"]),
            " / ".join(map(_rate, deposit["customer_rates"])) or "-",
            " / ".join(map(_rate, deposit["transfer_prices"])) or "-",
            _money(margin),
        )
    return table


def _loans(facts: dict) -> Table:
    table = Table(title="loans 贷款", title_justify="left")
    for column in (
        "loan 贷款",
        "product 产品",
        "average 日均",
        "month end 月末",
        "rate 利率",
        "transfer price 转移价格",
        "default probability 违约概率",
        "loss given default 违约损失率",
        "interest 利息",
        "charge 转移成本",
        "expected loss 预期损失",
    ):
        table.add_column(column, justify="left" if column.startswith(("loan", "product")) else "right")
    for loan in facts["loans"]:
        amounts = (loan["reporting_interest_amount"], loan["reporting_charge_amount"], loan["reporting_loss_amount"])
        table.add_row(
            loan["loan_id"],
            f"{loan['product_id']} {loan['currency_code']}",
            _money(loan["average_amount"]),
            "-" if loan["month_end_amount"] is None else _money(loan["month_end_amount"]),
            *(
                _rate(loan[rate])
                for rate in ("customer_rate", "transfer_price", "probability_of_default", "loss_given_default")
            ),
            *map(_money, amounts),
        )
    return table


def _work(facts: dict) -> Table:
    table = Table(title="work done 作业", title_justify="left")
    for column in ("activity 作业", "channel 渠道", "units 数量", "avoidable 可避免成本", "full 完全成本"):
        table.add_column(column, justify="left" if column.startswith(("activity", "channel")) else "right")
    for work in facts["work"]:
        costs = (work["avoidable_amount"], work["full_amount"])
        table.add_row(
            _code(work["activity"]),
            _code(work["channel"]),
            f"{work['units']:,}",
            *("-" if cost is None else _money(cost) for cost in costs),
        )
    return table


def _programmes(facts: dict) -> Table:
    table = Table(title="programmes 权益项目", title_justify="left")
    for column in ("programme 项目", "member since 加入", "used of entitled 已用/可用", "cost a month 月成本"):
        table.add_column(column, justify="right" if column.startswith(("used", "cost")) else "left")
    for programme in facts["programmes"]:
        used = (programme["used_units"], programme["entitled_units"])
        table.add_row(
            _code(programme["programme_type"]),
            f"{programme['joined_on']}",
            " / ".join("-" if units is None else f"{units:,}" for units in used),
            _money(programme["cost_amount"]),
        )
    return table


def _code(code: str | None) -> str:
    return "-" if code is None else f"{code} {CODES_ZH.get(code, '')}".rstrip()


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _rate(rate: Decimal | str | None) -> str:
    return "-" if rate is None else f"{(Decimal(rate) * 100).normalize():f} %"
