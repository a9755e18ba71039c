"""A page of pictures of the simulated bank, drawn from what its source systems wrote, so that people can look at it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from crm_warehouse.drawing import as_svg, axes_of_a_figure

# Published figures the bank is shaped to: share of customers from the top, share of assets they hold.
PUBLISHED = ((0.0225, 0.814), (0.0007, 0.313))
TIERS = (("mass 大众", 0), ("gold 金卡", 50_000), ("platinum 白金", 200_000), ("wealth 财富", 500_000),
         ("diamond 钻石", 2_000_000), ("private 私人银行", 6_000_000))  # fmt: skip

VIEWS = """
    create view accounts as from read_csv('{folder}/core/{last}/accounts.csv', delim='|', all_varchar=true);
    create view balances as from read_csv('{folder}/core/{initial}/balances.csv', delim='|', all_varchar=true);
    create view transactions as from read_csv('{folder}/core/*/transactions.csv', delim='|', all_varchar=true);
    create view holdings as from read_parquet('{folder}/wealth/{initial}/holdings.parquet');
    create view rates as from read_csv('{folder}/reference/{initial}/fx_rates.csv', all_varchar=true);
    create view requests as from read_json('{folder}/crm/*/service_requests.jsonl', columns={{opened_at: 'timestamp'}});
    create table aum as
    select customer_id, month, sum(amount) as amount from (
        select customer_id, balance_date as month,
            cast(balance_amount as double) * cast(cny_per_unit as double) as amount
        from balances inner join accounts using (account_id)
        inner join rates on rates.currency_code = balances.currency_code and rate_date = balance_date
        where balance_basis = 'monthly_average'
        union all
        select customer_id, cast(holding_date as varchar), cast(market_value_amount as double) from holdings
        where balance_basis = 'monthly_average'
    ) group by all
"""


def draw_portrait(folder: Path, page: Path) -> Path:
    """Write one HTML page with four drawings of the extracts below folder; returns its path."""
    days = sorted(path.name for path in (folder / "core").iterdir())
    with duckdb.connect() as bank:
        bank.execute("set enable_progress_bar = false")
        bank.execute(VIEWS.format(folder=str(folder).replace("'", "''"), initial=days[0], last=days[-1]))
        drawings = [
            ("Who holds what 财富集中度", _lorenz(bank)),
            ("Customers by tier 各等级客户数", _tiers(bank)),
            ("Money in and out by month 每月资金流", _flows(bank)),
            ("When things happen 一天中的时刻", _hours(bank)),
        ]
    figures = "\n".join(f"<figure><figcaption>{title}</figcaption>{svg}</figure>" for title, svg in drawings)
    page.write_text(PAGE.format(days=f"{days[0]} … {days[-1]}", figures=figures), encoding="utf-8")
    return page


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The simulated bank 模拟银行</title>
<style>
body {{ font: 16px/1.5 system-ui, "Noto Sans SC", sans-serif; margin: 2rem auto; max-width: 1200px; color: #1f2933 }}
main {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 1.5rem }}
figure {{ margin: 0; padding: 1rem; border: 1px solid #d9e2ec; border-radius: 8px }}
figcaption {{ font-weight: 600 }} svg {{ width: 100%; height: auto }}
</style>
<h1>The simulated bank 模拟银行</h1><p>Drawn from its extracts 取自源系统文件: {days}</p>
<main>{figures}</main></html>
"""


def _lorenz(bank: duckdb.DuckDBPyConnection) -> str:
    """Share of assets held by the richest share of customers, last month of the history."""
    rows = bank.execute("select amount from aum where month = (select max(month) from aum) order by amount desc")
    held = rows.fetchnumpy()["amount"]
    share, figure, axes = np.arange(1, held.size + 1) / held.size, *axes_of_a_figure()
    axes.plot(share, held.cumsum() / held.sum(), color="#0f609b", label="simulated 模拟")
    axes.plot(*zip(*PUBLISHED, strict=True), "o", color="#c05621", label="published 公开数据")
    for customers, assets in PUBLISHED:
        axes.annotate(f"{customers:.2%} hold {assets:.1%}", (customers, assets), (8, -14), textcoords="offset points")
    axes.set(xscale="log", xlim=(1 / held.size, 1), ylim=(0, 1.02),
             xlabel="richest share of customers 客户占比 (log)", ylabel="share of assets 资产占比")  # fmt: skip
    axes.legend(loc="lower right")
    return as_svg(figure)


def _tiers(bank: duckdb.DuckDBPyConnection) -> str:
    months, figure, axes = _months(bank, "aum", "month"), *axes_of_a_figure()
    for number, (name, threshold) in enumerate(TIERS):
        below = TIERS[number + 1][1] if number + 1 < len(TIERS) else 10**15
        counts = dict(
            bank.execute(
                "select month, count(*) from aum where amount >= ? and amount < ? group by month", [threshold, below]
            ).fetchall()
        )
        axes.plot(range(len(months)), [counts.get(month, 0) for month in months], label=name)
    axes.set(yscale="log", ylabel="customers 客户数 (log)")
    _label_months(axes, months)
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    return as_svg(figure)


def _flows(bank: duckdb.DuckDBPyConnection) -> str:
    """Millions of CNY a month by kind; above zero comes in."""
    rows = bank.execute(
        """
        select month, kind, sum(amount) / 1e6
        from (select substr(transaction_date, 1, 7) as month, cast(amount as double) as amount, case
            when transaction_type = 'salary' then 'salaries 工资'
            when transaction_type = 'purchase' then 'purchases 消费'
            when counterparty_type = 'payment_platform' then 'payment platforms 支付平台'
            when is_own_name = 'true' and counterparty_type = 'other_bank' and amount like '-%' then 'to own accounts elsewhere 转至他行'
            when is_own_name = 'true' and counterparty_type = 'other_bank' then 'from own accounts elsewhere 他行转入'
            when counterparty_type = 'broker' then 'brokers 证券' end as kind
            from transactions where currency_code = 'CNY')
        where kind is not null group by month, kind
        """
    ).fetchall()
    months, figure, axes = sorted({month for month, *_ in rows}), *axes_of_a_figure()
    up, down = np.zeros(len(months)), np.zeros(len(months))
    for kind in sorted({kind for _, kind, _ in rows}):
        found = {month: amount for month, name, amount in rows if name == kind}
        amount = np.array([found.get(month, 0.0) for month in months])
        axes.bar(range(len(months)), amount, bottom=np.where(amount > 0, up, down), label=kind)
        up, down = up + np.maximum(amount, 0), down + np.minimum(amount, 0)
    axes.axhline(0, color="#1f2933", linewidth=0.8)
    axes.set(ylabel="million CNY 百万元")
    _label_months(axes, months)
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    return as_svg(figure)


def _hours(bank: duckdb.DuckDBPyConnection) -> str:
    """Local hour of what customers do; system postings have hours of their own."""
    figure, axes = axes_of_a_figure()
    for name, query in (
        ("transactions 交易", "select hour(cast(replace(posted_at, 'Z', '') as timestamp) + interval 8 hour) as hour"
         " from transactions where channel <> 'system'"),
        ("service requests 服务请求", "select hour(opened_at + interval 8 hour) as hour from requests"),
    ):  # fmt: skip
        counts = dict(bank.execute(f"select hour, count(*) from ({query}) group by hour").fetchall())
        total = sum(counts.values())
        axes.plot(range(24), [counts.get(hour, 0) / total for hour in range(24)], marker=".", label=name)
    axes.set(xlabel="hour of day 时", ylabel="share 占比", xticks=range(0, 24, 3))
    axes.legend()
    return as_svg(figure)


def _months(bank: duckdb.DuckDBPyConnection, table: str, column: str) -> list[str]:
    return [month for (month,) in bank.execute(f"select distinct {column} from {table} order by 1").fetchall()]


def _label_months(axes, months: list[str]) -> None:
    shown = range(0, len(months), 3)
    axes.set_xticks(list(shown), [months[i][:7] for i in shown], rotation=45, fontsize="small")
