"""What people see of a replayed ladder: sentences and tables in the terminal, and a page with a picture."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from pathlib import Path

from rich.console import Console
from rich.markup import escape as plain
from rich.table import Table

from crm_warehouse.files import write_atomically
from crm_warehouse.settings import Settings, safe_name

MOVEMENTS = {"opened": "开户", "up": "升级", "down": "降级", "won_back": "挽回", "exited": "离行"}
RULES_ZH = {
    "rating_base": "口径", "rating_window": "窗口", "rating_divisor": "天数", "rating_scope": "范围",
    "landing_rule": "落级规则", "review_calendar": "评定周期", "up_lag_months": "升级滞后月数",
}  # fmt: skip


def sentences(found: dict) -> list[tuple[str, str]]:
    """The difference in words, English and Chinese: what each changed threshold does, or that nothing differs."""
    last = f"{found['to']:%Y-%m}"
    if not (found["differing_customer_months"] or found["differing_movements"]):
        return [
            (
                f"nothing differs: from {found['from']:%Y-%m} to {last} both ladders give every customer the same tiers",
                f"没有差别：{found['from']:%Y-%m}至{last}两套规则给每位客户的等级都相同",
            )
        ]
    said = []
    unit, unit_zh = ("yuan", "元") if found["currency"] == "CNY" else (found["currency"],) * 2
    for tier in found["tiers"]:
        old, new = tier["active_threshold_amount"], tier["candidate_threshold_amount"]
        if None in (old, new) or old == new:
            continue
        does = []
        for verb, verb_zh, side in (("drops", "减少", "lost"), ("adds", "增加", "gained")):
            if tier[side] or side == ("lost" if new > old else "gained"):
                amount = tier[f"{side}_amount"]
                does.append(
                    (
                        f"{verb} {_customers(tier[side])} and {_amount(amount)} {unit}",
                        f"{verb_zh} {tier[side]:,} 户、{_amount(amount)} {unit_zh}",
                    )
                )
        raising, raised = ("raising", "升") if new > old else ("lowering", "降")
        en = " and ".join(en for en, _ in does)
        said.append(
            (
                f"{raising} {tier['name_en']} from {_amount(old)} to {_amount(new)} {en} ({last})",
                f"{tier['name_zh']}门槛由{_wan(old)}{raised}至{_wan(new)}，{'、'.join(zh for _, zh in does)}（{last}）",
            )
        )
    crossing, amount = (sum(row[name] for row in found["crossings"]) for name in ("customers", "amount"))
    said.append(
        (
            f"in all, {_customers(crossing)} rated at {_amount(amount)} {unit} with another tier in {last}",
            f"{last}共有 {crossing:,} 户、{_amount(amount)} {unit_zh}的等级不同",
        )
    )
    others = other_rules(found)
    if others:
        said.append(
            (
                f"rules other than thresholds differ, and what is counted is what all do together: {'; '.join(en for en, _ in others)}",
                f"门槛以外的规则也不同，以上为共同作用的结果：{'；'.join(zh for _, zh in others)}",
            )
        )
    return said


def other_rules(found: dict) -> list[tuple[str, str]]:
    """What of the two ladders differs beside thresholds."""
    active, candidate = found["ladders"]["active"], found["ladders"]["candidate"]
    differing = [
        (f"{rule} {active[rule]} -> {candidate[rule]}", f"{zh} {active[rule]} → {candidate[rule]}")
        for rule, zh in RULES_ZH.items()
        if active[rule] != candidate[rule]
    ]
    alike: dict[tuple[str, str], list[dict]] = {}
    for tier in found["tiers"]:
        old, new = tier["active_grace_months"], tier["candidate_grace_months"]
        if new is None:
            alike.setdefault(("only the active ladder has", "仅现行规则有"), []).append(tier)
        elif old is None:
            alike.setdefault(("only the candidate has", "仅候选规则有"), []).append(tier)
        elif old != new:
            alike.setdefault((f"grace_months {old} -> {new} of", f"宽限月数 {old} → {new}："), []).append(tier)
    for (en, zh), tiers in alike.items():
        names = ", ".join(tier["name_en"] for tier in tiers)
        differing.append((f"{en} {names}", zh + "、".join(tier["name_zh"] for tier in tiers)))
    return differing


def _customers(number: int) -> str:
    return f"{number:,} {'customer' if number == 1 else 'customers'}"


def _amount(amount: Decimal) -> str:
    return f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.2f}"


def _wan(amount: Decimal) -> str:
    return f"{(amount / 10_000).normalize():f}万" if amount and amount % 10_000 == 0 else _amount(amount)


def show(found: dict, page: Path, console: Console) -> None:
    """The comparison for people; a customer appears by key, and only where asked for."""
    active, candidate = found["ladders"]["active"], found["ladders"]["candidate"]
    console.rule("what if 假如换一套等级规则")
    for side, ladder in (("active    现行", active), ("candidate 候选", candidate)):
        console.print(
            f"{side}  {plain(ladder['label'])}: {plain(ladder['name_en'])} {plain(ladder['name_zh'])}, {plain(ladder['policy_version'])}"
        )
    console.print(
        f"months    月份  {found['from']:%Y-%m} to {found['to']:%Y-%m}, each as its review left the customers 以每月评定后为准\n"
    )
    for en, zh in sentences(found):
        console.print(f"[bold]{plain(en)}[/]\n[bold]{plain(zh)}[/]", soft_wrap=True, highlight=False)
    names = {tier["tier_code"]: f"{tier['name_en']} {tier['name_zh']}" for tier in found["tiers"]}
    table = _table(
        f"tiers after the review of {found['to']:%Y-%m}, amounts as rated, {found['currency']} 各等级（评定金额）",
        "tier 等级", "from 门槛\nactive 现行", "\ncandidate 候选", "customers 客户\nactive 现行", "\ncandidate 候选",
        "\ngained 增", "\nlost 减", "amount 金额\nactive 现行", "\ncandidate 候选",
    )  # fmt: skip
    for tier in found["tiers"]:
        cells = [
            "-" if (t := tier[f"{side}_threshold_amount"]) is None else _amount(t) for side in ("active", "candidate")
        ]
        counts = [f"{tier[name]:,}" for name in ("active_customers", "candidate_customers", "gained", "lost")]
        amounts = [f"{tier[f'{side}_amount']:,.0f}" for side in ("active", "candidate")]
        table.add_row(plain(names[tier["tier_code"]]), *cells, *counts, *amounts)
    console.print(table)
    if found["crossings"]:
        table = _table(
            "who crosses 等级变化的客户",
            "active tier 现行",
            "candidate tier 候选",
            "customers 客户",
            "amount 金额",
            text=2,
        )
        for row in found["crossings"]:
            pair = [plain(names.get(row[side], "without a tier 无等级")) for side in ("from_tier", "to_tier")]
            table.add_row(*pair, f"{row['customers']:,}", f"{row['amount']:,.0f}")
        console.print(table)
    if found["customers"]:
        table = _table(
            "customers that cross 客户",
            "customer key 客户标识",
            "active 现行",
            "candidate 候选",
            "rated active",
            "rated candidate",
            text=3,
        )
        for row in found["customers"]:
            amounts = [
                "-" if row[f"{side}_amount"] is None else f"{row[f'{side}_amount']:,.2f}"
                for side in ("active", "candidate")
            ]
            table.add_row(row["customer_key"], row["from_tier"] or "-", row["to_tier"] or "-", *amounts)
        console.print(table)
    _show_movements(found, console)
    console.print(f"picture 图  {page}", soft_wrap=True)


def _show_movements(found: dict, console: Console) -> None:
    months = sorted({row["month"] for row in found["movements"]})
    counted = {(row["month"], row["movement"]): (row["active"], row["candidate"]) for row in found["movements"]}
    table = _table(
        "movements by the month in which they take effect, active | candidate 各月生效的变动（现行 | 候选）",
        "month 月", *(f"{movement} {zh}" for movement, zh in MOVEMENTS.items()),
    )  # fmt: skip
    for month in months:
        pairs = [counted.get((month, movement), (0, 0)) for movement in MOVEMENTS]
        table.add_row(f"{month:%Y-%m}", *(f"[bold]{a} | {c}[/]" if a != c else f"{a} | {c}" for a, c in pairs))
    sums = [
        [sum(counted.get((m, movement), (0, 0))[side] for m in months) for side in (0, 1)] for movement in MOVEMENTS
    ]
    table.add_section()
    table.add_row("all 合计", *(f"{a} | {c}" for a, c in sums))
    console.print(table)


def _table(title: str, *columns: str, text: int = 1) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < text else "right")
    return table


def draw(settings: Settings, found: dict) -> Path:
    """Write the page with the picture: customers in each tier, month by month, under both ladders."""
    label = found["ladders"]["candidate"]["label"]
    name = safe_name(f"{found['bank']}_{label}_{found['from']:%Y-%m}_{found['to']:%Y-%m}")
    page = settings.report / "what_if" / f"{name}.html"
    lines = "\n".join(f"<p>{escape(en)}<br>{escape(zh)}</p>" for en, zh in sentences(found))
    html = PAGE.format(
        label=escape(label), period=f"{found['from']:%Y-%m} … {found['to']:%Y-%m}", lines=lines, picture=_picture(found)
    )
    write_atomically(page, html.encode("utf-8"))
    return page


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>What if 假如: {label}</title>
<style>
body {{ font: 16px/1.5 system-ui, "Noto Sans SC", "Noto Sans CJK SC", sans-serif; margin: 2rem auto; max-width: 1200px; color: #1f2933 }}
svg {{ width: 100%; height: auto }} svg text {{ font-family: system-ui, "Noto Sans SC", "Noto Sans CJK SC", sans-serif !important }}
</style>
<h1>What if 假如: {label}</h1><p>{period}</p>
{lines}
<h2>Customers by tier after each month's review 各等级客户数（每月评定后）</h2>
{picture}</html>
"""


def _picture(found: dict) -> str:
    """A panel a tier; a ladder that has no such tier draws no line there."""
    from crm_warehouse.drawing import as_svg, axes_of_a_figure

    months = sorted({row["month"] for row in found["months"]})
    counted = {(row["side"], row["month"], row["tier_code"]): row["customers"] for row in found["months"]}
    rows = -(-len(found["tiers"]) // 3)
    figure, axes = axes_of_a_figure(rows, 3, (12, 2.9 * rows + 0.6))
    # The wider line stays in sight where the two are one.
    lines = {"active": ("#829ab1", "-", 3.5, "active 现行"), "candidate": ("#c05621", "--", 1.6, "candidate 候选")}
    for axis, tier in zip(axes.flat, found["tiers"], strict=False):
        for side, (color, style, width, name) in lines.items():
            threshold = tier[f"{side}_threshold_amount"]
            if threshold is not None:
                counts = [counted.get((side, month, tier["tier_code"]), 0) for month in months]
                axis.plot(range(len(months)), counts, color=color, linestyle=style, linewidth=width, label=name)
        thresholds = [tier[f"{side}_threshold_amount"] for side in lines]
        said = " → ".join("-" if t is None else _amount(t) for t in dict.fromkeys(thresholds))
        axis.set_title(f"{tier['name_en']} {tier['name_zh']}   {said}", fontsize="medium", loc="left")
        axis.set_ylim(0, axis.get_ylim()[1] * 1.05)
        axis.yaxis.get_major_locator().set_params(integer=True)
        shown = range(0, len(months), max(1, len(months) // 6))
        axis.set_xticks(list(shown), [f"{months[i]:%Y-%m}" for i in shown], rotation=45, fontsize="small")
    for axis in axes.flat[len(found["tiers"]) :]:
        axis.set_visible(False)
    handles = {
        label: handle for axis in axes.flat for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
    return as_svg(figure)
