"""A published figure in plain sentences, English and Chinese: what it is, what made it, who approved it, what looked at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crm_warehouse.onboarding.policies import SERIES

Said = Iterator[tuple[str, str]]
MOST_PARAMETERS = 40  # policy rows shown one by one; `--json` has all


def sentences(facts: dict) -> list[tuple[str, str]]:
    """From the figure back to its sources, in order."""
    return [*_figure(facts), *_made_of(facts), *_policy(facts), *_checks(facts), *_sources(facts), *_record(facts)]


def _figure(facts: dict) -> Said:
    key = ", ".join(f"{name} {value}" for name, value in facts["key"].items())
    meaning, value = facts["meaning"], _value(facts["value"])
    unit = f" ({meaning['unit']})" if meaning["unit"] else ""
    unit_zh = f"（{meaning['unit']}）" if meaning["unit"] else ""
    yield (
        f"{facts['mart']}.{facts['column']} of {key} is {value or 'empty'}{unit}: {meaning['description']}",
        f"{facts['mart']}.{facts['column']}，{key}：{value or '空'}{unit_zh}。{meaning['zh']}",
    )
    if meaning["formula"]:
        yield f"it is worked out as: {meaning['formula']}", f"计算公式：{meaning['formula']}"


def _made_of(facts: dict) -> Said:
    layers = Counter(model["layer"] for model in facts["models"])
    code = facts["code_sha256"]
    yield (
        f"{facts['mart']} is made of {layers['marts'] - 1} other marts, {layers['intermediate']} intermediate models and"
        f" {layers['staging']} tables of the contract, by code version {code}",
        f"{facts['mart']} 由 {layers['marts'] - 1} 个其他集市、{layers['intermediate']} 个中间模型与"
        f" {layers['staging']} 张契约表计算得出，代码版本 {code}",
    )


def _policy(facts: dict) -> Said:
    rows = [row for policy in facts["policy"] for row in policy["rows"]]
    decisions = sorted({row["decision_reference"] for row in rows if row.get("decision_reference")})
    people = sorted({row["approved_by"] for row in rows if row.get("approved_by")})
    if not rows:
        yield "no policy row decides it", "不涉及政策参数"
        return
    yield (
        f"{len(rows)} policy rows in force on {facts['policy_as_of']} decide it, approved by {', '.join(people)}"
        f" in {len(decisions)} decisions",
        f"{facts['policy_as_of']} 生效的 {len(rows)} 条政策参与决定，批准人：{'、'.join(people)}，涉及 {len(decisions)} 项决议",
    )


def _checks(facts: dict) -> Said:
    tests = Counter(test["status"] for test in facts["tests"])
    rules = Counter(rule["status"] for rule in facts["rules"])
    yield (
        f"before it was published {_counted(tests)} of {len(facts['tests'])} dbt tests of the mart, and {_counted(rules)} of"
        f" {len(facts['rules'])} rules of the mart gate",
        f"发布前检查：该集市的 {len(facts['tests'])} 项 dbt 测试（{_counted(tests)}），{len(facts['rules'])} 条集市规则（{_counted(rules)}）",
    )
    landing = [rule for table in facts["landing"] for rule in table["rules_not_passed"]]
    for rule in [*facts["rules"], *landing]:
        if rule["status"] == "passed":
            continue
        waiver = rule["waiver"] or {}
        by = (
            f", waiver {waiver['number']} approved by {waiver['approved_by']} until {waiver['expires_on']}"
            if waiver
            else ""
        )
        by_zh = (
            f"，豁免 {waiver['number']}，批准人 {waiver['approved_by']}，至 {waiver['expires_on']}" if waiver else ""
        )
        yield (
            f"not passed: {rule['id']} ({rule['name_en']}, {rule['severity']}) {rule['status']} with {rule['failed_rows']:,} of"
            f" {rule['table_rows']:,} rows{by}",
            f"未通过：{rule['id']}（{rule['name_zh']}）{rule['status']}，{rule['table_rows']:,} 条中 {rule['failed_rows']:,} 条{by_zh}",
        )


def _sources(facts: dict) -> Said:
    batches = sum(len(table["batches"]) for table in facts["landing"])
    rows = sum(batch["rows"] or 0 for table in facts["landing"] for batch in table["batches"])
    yield (
        f"it comes from {batches:,} files of {len(facts['landing'])} extracts, {rows:,} rows, each file with its sha256",
        f"数据来源：{len(facts['landing'])} 类数据文件，共 {batches:,} 个文件、{rows:,} 行，均有 sha256",
    )


def _record(facts: dict) -> Said:
    version, entry = facts["version"], facts["log_entry"]
    yield (
        f"version {version['version']} (sha256 {version['sha256']}) was made by run {facts['run_id']} and is on record as entry"
        f" {entry['sequence']} of the evidence log, {entry['hash']}; the log is whole",
        f"版本 {version['version']}（sha256 {version['sha256']}）由运行 {facts['run_id']} 生成，证据日志第 {entry['sequence']} 条，"
        f"哈希 {entry['hash']}；日志完整",
    )


def _counted(statuses: Counter) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "none"


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, bool | str | date | datetime):
        return str(value)
    return f"{value:,}"


def show(facts: dict, console: Console) -> None:
    """The sentences; models, policy, checks and files as tables."""
    console.rule(f"{facts['mart']}.{facts['column']}")
    for en, zh in sentences(facts):
        console.print(f"{escape(en)}\n[dim]{escape(zh)}[/]", soft_wrap=True, highlight=False)
    for table in (_show_models(facts), _show_policy(facts), _show_checks(facts), _show_files(facts)):
        console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _show_models(facts: dict) -> Table:
    table = _table("models 模型", "layer 层", "model 模型", "its SQL, sha256")
    for model in facts["models"]:
        table.add_row(model["layer"], model["model"], model["sha256"][:16])
    return table


def _show_policy(facts: dict) -> Table:
    """Parameters one by one; of longer files how many rows a decision has."""
    table = _table(
        "policy in force 生效政策", "file 文件", "row 条目", "from 生效", "approved by 批准", "decision 决议"
    )
    for policy in facts["policy"]:
        name = policy["file"].rsplit("/", 1)[-1].removesuffix(".csv")
        series = SERIES.get(name, ())
        grouped: Counter = Counter()
        for row in policy["rows"]:
            what = " ".join(row[part] for part in series if row.get(part))
            what = f"{what} = {row['value']}" if "value" in row else what
            whose = tuple(row.get(part) or "-" for part in ("effective_from", "approved_by", "decision_reference"))
            grouped[(what if len(policy["rows"]) <= MOST_PARAMETERS else "", *whose)] += 1
        for (what, *whose), count in grouped.items():
            table.add_row(name, f"{what or 'rows 行'}{f' x {count}' if count > 1 else ''}", *whose)
    return table


def _show_checks(facts: dict) -> Table:
    table = _table("checks of the mart 集市检查", "check 检查", "what 内容", "severity", "verdict 结果")
    for test in facts["tests"]:
        table.add_row("dbt", test["test"], "block", test["status"])
    for rule in facts["rules"]:
        table.add_row("gate 关口", f"{rule['name_en']} {rule['name_zh']}", rule["severity"], rule["status"])
    return table


def _show_files(facts: dict) -> Table:
    """The latest file of each extract; `--json` has every one."""
    title = "files behind it: the latest of each extract 来源文件（各类最新）"
    table = _table(
        title, "extract", "file 文件", "business date 业务日期", "rows 行数", "sha256", "files 文件数", "rules passed"
    )
    for extract in facts["landing"]:
        if not extract["batches"]:
            continue
        last = extract["batches"][-1]
        table.add_row(
            extract["table"].replace("__", "."),
            last["file"] or "-",
            last["business_date"],
            "-" if last["rows"] is None else f"{last['rows']:,}",
            last["sha256"],
            f"{len(extract['batches']):,}",
            f"{extract['rules_passed']:,}",
        )
    return table
