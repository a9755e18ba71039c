"""Month ends that stand above the month: ratios that fit their amounts, flags that fit their limit."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule


def build_rules() -> Iterator[Rule]:
    """Rules of the window-dressing mart."""
    yield mart_rule(
        "flag_fits_limit",
        "fct_window_dressing",
        """checked.excess_amount <> checked.eop_amount - checked.adb_amount
        or (checked.is_flagged is not null
            and checked.is_flagged <> (checked.excess_amount > checked.limit_share * checked.adb_amount))
        or (checked.is_flagged is null and checked.level <> 'customer' and checked.adb_amount > 0)""",
        name_en="Who is flagged exceeds the limit, and who exceeds it is flagged",
        name_zh="标记与界限一致",
        reason="A flag accuses somebody; its absence clears them.",
        principle="银监办发〔2014〕236号 存款偏离度 (secondary source)",
    )
    yield mart_rule(
        "key_fits_level",
        "fct_window_dressing",
        """checked.level not in ('customer', 'rm', 'branch')
        or (checked.level = 'customer'
            and (not regexp_full_match(checked.level_key, '[0-9a-f]+') or length(checked.level_key) <> 32))""",
        name_en="Each row is of a level, and a customer appears only as a keyed token",
        name_zh="层级有效，客户仅以令牌出现",
        reason="An id in place of a token would tell BI who the customer is.",
        dimension="validity",
        owner="privacy-officer",
        principle="PIPL Art. 51; JR/T 0171-2020 C2",
    )
    yield mart_rule(
        "has_dressing_of_every_month",
        "dim_dates",
        """checked.is_month_end
        and not exists (select 1 from marts.fct_window_dressing as dressing where dressing.month = checked.month)""",
        name_en="Every complete month is looked at for window dressing",
        name_zh="每个完整月份均检查时点冲高",
        reason="The quarter's last month is the one nobody may leave out.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
