"""Rendering of pages: one template a page, filled once a language, with the words and numbers of that language."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crm_warehouse.report import drawings

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")
PAGES = ("index", "figures", "rules", "lineage", "data_docs", "print")

# Words that results are made of, in Chinese. An owner that a bank names itself is shown as it is written.
WORDS = {
    "passed": "通过", "failed": "未通过", "waived": "已豁免", "error": "未能执行",
    "block": "阻断", "quarantine": "隔离", "warn": "提示",
    "completeness": "完整性", "accuracy": "准确性", "consistency": "一致性", "timeliness": "及时性",
    "uniqueness": "唯一性", "validity": "有效性",
    "fed": "齐备", "partly": "部分", "dark": "缺数据",
    "published": "已发布", "unchanged": "无变化",
    "waiting": "待处理", "released": "已放行", "discarded": "已弃用", "replaced": "已被新文件取代",
    "asked": "待批准", "in force": "有效", "expired": "已到期", "revoked": "已撤销",
    "late": "迟到", "corrected": "更正", "inside": "界内", "near": "接近界限", "outside": "越界", "learning": "学习中",
    "data-engineering": "数据工程", "customer-analytics": "客户分析", "finance-controller": "财务管控",
    "privacy-officer": "隐私保护", "data-governance-office": "数据治理", "aum": "管理资产", "contribution": "利润贡献",
    "full": "全量", "events": "流水", "changes": "变更",
}  # fmt: skip


def file_name(page: str, language: str) -> str:
    """`rules.html` in English, `rules.zh.html` in Chinese."""
    return f"{page}.html" if language == "en" else f"{page}.{language}.html"


def stylesheet() -> str:
    """The one stylesheet of all pages."""
    return (FOLDER / "templates" / "style.css").read_text(encoding="utf-8")


def render(template: str, language: str, **facts: object) -> str:
    """A page in one language."""
    return _environment(language).get_template(template).render(**facts)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    other = next(each for each in LANGUAGES if each != language)
    environment.globals.update(
        language=language,
        other=other,
        t=lambda en, zh: en if language == "en" else zh,
        link=lambda page: file_name(page, language),
        link_other=lambda page: file_name(page, other),
        drawings=drawings,
        markup=Markup,
    )
    environment.filters.update(
        count=lambda number: f"{number:,}",
        amount=lambda number: f"{number:,.2f}".replace("-", "−"),
        money=lambda number: _short_money(number, language),
        share=lambda number: f"{100 * number:.1f} %".replace("-", "−"),
        day=lambda value: _day(value, language),
        month=lambda value: _month(value, language),
        word=lambda word: WORDS.get(word, word) if language == "zh" else {"aum": "assets"}.get(word, word),
        breakable=lambda name: Markup("<wbr>").join(re.split(r"(?<=[._])(?=[^._])", name)),
        said=lambda sentence: _sentences().get(sentence, sentence) if language == "zh" else sentence,
        its_name=lambda row: row["zh" if language == "zh" else "en"],
        rule_name=lambda rule: rule["name_zh" if language == "zh" else "name_en"],
    )
    return environment


@cache
def _sentences() -> dict[str, str]:
    """Reasons and remedies of rules, English to Chinese. What a bank writes itself is shown as it is written."""
    with (FOLDER / "sentences.csv").open(encoding="utf-8", newline="") as file:
        return {row["en"]: row["zh"] for row in csv.DictReader(file)}


def _short_money(number: Decimal | float, language: str) -> str:
    """Rounded for reading: 36.9 million; in Chinese by 万 and 亿."""
    steps = (
        ((1_0000_0000, "亿"), (1_0000, "万")) if language == "zh" else ((10**9, " bn"), (10**6, " m"), (10**3, " k"))
    )
    number = float(number)
    for size, name in steps:
        if abs(number) >= size:
            return f"{number / size:,.{1 if abs(number) < 1000 * size else 0}f}{name}".replace("-", "−")
    return f"{number:,.0f}".replace("-", "−")


def _day(value: date | str, language: str) -> str:
    day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else f"{day.day} {day:%B %Y}"


def _month(value: date | datetime, language: str) -> str:
    return f"{value.year}年{value.month}月" if language == "zh" else f"{value:%B %Y}"
