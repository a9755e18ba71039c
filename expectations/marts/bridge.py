"""The asset bridge: it adds up, joins month to month and to the published assets, and nothing moves from nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from crm_warehouse.policy import parameter, read_policy
from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

BRIDGE, AUM, CORRECTIONS = "fct_aum_bridge", "fct_customer_aum_monthly", "fct_bridge_corrections"
OUTSIDE = ("unknown_account", "unknown_customer", "outside_assets", "currency_without_rate", "before_bridge")
CHECKED = "customer_key = checked.customer_key and"
FIRST, LAST = (f"(select {end}(month) from marts.{BRIDGE})" for end in ("min", "max"))


def build_rules(profile: Profile, coverage: dict[str, str], as_of: date) -> Iterator[Rule]:
    """Rules of the bridge and of its corrections, where the bank feeds them."""
    if coverage.get(BRIDGE) != "dark":
        yield from _adds_up()
        yield from _joins()
        yield from _closes(profile, as_of)
        yield from _corrections()


def _adds_up() -> Iterator[Rule]:
    yield mart_rule(
        "adds_up",
        BRIDGE,
        """checked.closing_amount <> checked.opening_amount + checked.net_new_money_strict_amount + checked.market_movement_amount
            + checked.fx_movement_amount + checked.income_amount - checked.fee_amount + checked.conversion_amount
            + checked.internal_transfer_amount + checked.correction_amount + checked.residual_amount""",
        name_en="Opening and every movement make the closing, to the cent",
        name_zh="期初加各项变动等于期末，分毫不差",
        reason="A bridge that does not add up explains nothing.",
    )
    yield mart_rule(
        "net_new_money_relates",
        BRIDGE,
        """checked.net_new_money_with_income_amount <> checked.net_new_money_strict_amount + checked.income_amount
            or checked.net_new_fee_generating_amount <> checked.net_new_money_with_income_amount - checked.fee_amount""",
        name_en="The three net new moneys differ by income and fees alone",
        name_zh="三种净新增资金口径仅相差收入与费用",
        reason="Three definitions can be compared only when what sets them apart can be seen.",
        dimension="consistency",
    )
    yield mart_rule(
        "conversions_are_zero",
        BRIDGE,
        "checked.conversion_amount <> 0 or checked.converted_amount < 0",
        name_en="Conversions are nothing won and nothing lost",
        name_zh="转换净额为零",
        reason="Money that only changes its product is no new money.",
    )
    month = f"from marts.{BRIDGE} as others where others.month = checked.month"
    yield mart_rule(
        "transfers_are_zero_over_the_bank",
        BRIDGE,
        f"""checked.internal_transfer_amount is null or abs((select sum(others.internal_transfer_amount) {month}))
            > 0.01 * (select count(*) {month} and others.internal_transfer_amount <> 0)""",
        name_en="What customers transfer to each other is zero over the bank each month, but for cents of rounding",
        name_zh="客户间行内转移每月全行合计为零，四舍五入的分除外",
        reason="What one customer gets another gives; else money came from nowhere.",
        on_failure="The last published version stays live; look for accounts whose shares do not add up to one.",
    )


def _joins() -> Iterator[Rule]:
    yield mart_rule(
        "opens_where_it_closed",
        BRIDGE,
        f"""(checked.month > {FIRST} and checked.opening_amount <> coalesce((
                select before.closing_amount from marts.{BRIDGE} as before
                where before.{CHECKED} before.month = checked.month - interval 1 month
            ), 0))
            or (checked.month < {LAST} and checked.closing_amount <> 0 and not exists (
                select 1 from marts.{BRIDGE} as after where after.{CHECKED} after.month = checked.month + interval 1 month
            ))""",
        name_en="A month opens with what the month before closed with",
        name_zh="每月期初等于上月期末",
        reason="Between two months nothing may get lost.",
        dimension="consistency",
    )
    published = f"select sum(assets.eop_amount) from marts.{AUM} as assets where assets.{CHECKED} assets.month ="
    yield mart_rule(
        "closes_with_published_assets",
        BRIDGE,
        f"""checked.closing_amount <> coalesce(({published} checked.month), 0)
            or checked.opening_amount <> coalesce(({published} checked.month - interval 1 month), 0)""",
        name_en="Opening and closing are the published assets",
        name_zh="期初与期末即已公布资产",
        reason="Two figures of one name are worse than none.",
        dimension="consistency",
    )
    yield mart_rule(
        "assets_have_their_bridge",
        AUM,
        f"""checked.eop_amount <> 0 and checked.month >= {FIRST} and not exists (
            select 1 from marts.{BRIDGE} as bridge where bridge.{CHECKED} bridge.month = checked.month
        )""",
        name_en="Whoever has assets has a bridge that explains them",
        name_zh="凡有资产的客户月均有资产桥",
        reason="A customer left out of the bridge is left out of net new money.",
        dimension="completeness",
    )


def _closes(profile: Profile, as_of: date) -> Iterator[Rule]:
    names = "bridge_tolerance_amount", "bridge_tolerance_share"
    # Months before policy says anything are neither open nor closed.
    begins = max(
        min(
            row["effective_from"]
            for row in read_policy(profile.folder, "policy_parameters")
            if row["parameter"] == name
        )
        for name in names
    )
    month = max(as_of.replace(day=1), date.fromisoformat(begins))
    amount, share = (parameter(profile.folder, name, month) for name in names)
    most = parameter(profile.folder, "bridge_open_max_share", as_of)
    yield mart_rule(
        "closed_by_policy",
        BRIDGE,
        f"""(checked.is_closed is null) <> (checked.month < date '{begins}')
            or coalesce(checked.month = {LAST} and checked.is_closed <> (abs(checked.residual_amount)
            <= greatest({amount}, {share} * greatest(checked.opening_amount, checked.closing_amount))), false)""",
        name_en="A month is closed when its residual is within policy (last month)",
        name_zh="残差在政策范围内方为闭合（最近月份）",
        reason="Closed means explained; policy says how far.",
        dimension="consistency",
    )
    rows = f"from marts.{BRIDGE} as others"
    yield mart_rule(
        "few_stay_open",
        BRIDGE,
        f"""coalesce(not checked.is_closed, false)
            and (select count(*) {rows} where not others.is_closed) > {most} * (select count(*) {rows})""",
        name_en="No more customer-months stay open than policy allows",
        name_zh="未闭合客户月不超过政策比例",
        reason="An open month is money that came or went without a transaction: a feed that lacks rows, or a wrong balance.",
        on_failure="The last published version stays live; the open rows' residual_amount says how much: compare their accounts' balances with their transactions.",
        listing=f"""select 'customer ' || customer_key || ' in ' || strftime(month, '%Y-%m') || ': ' || residual_amount || ' unexplained'
            from marts.{BRIDGE} where not is_closed order by abs(residual_amount) desc, customer_key, month limit 5""",
    )


def _corrections() -> Iterator[Rule]:
    own = f"from marts.{CORRECTIONS} as shown where shown.{CHECKED} shown.month = checked.month and shown.is_in_bridge"
    yield mart_rule(
        "corrections_add_up",
        BRIDGE,
        f"""abs(checked.correction_amount - coalesce((select sum(shown.correction_amount) {own}), 0))
            > 0.005 * (1 + (select count(*) {own}))""",
        name_en="A month's correction is the sum of its reasons, but for cents of rounding",
        name_zh="当月更正等于各原因合计，四舍五入的分除外",
        reason="A correction without a reason is a plug.",
        dimension="consistency",
    )
    yield mart_rule(
        "reason_says_where_it_counts",
        CORRECTIONS,
        f"""checked.is_in_bridge = (checked.correction_reason in {OUTSIDE})
            or (checked.is_in_bridge and (checked.customer_key is null or checked.correction_amount is null))
            or (checked.correction_reason in ('unknown_account', 'unknown_customer') and checked.customer_key is not null)""",
        name_en="A correction counts in a customer's bridge when its reason says so",
        name_zh="更正是否计入资产桥由其原因决定",
        reason="What is nobody's, has no rate or came before may not move a customer's figures.",
        dimension="validity",
    )
    yield mart_rule(
        "correction_has_its_bridge",
        CORRECTIONS,
        f"""checked.is_in_bridge and not exists (
            select 1 from marts.{BRIDGE} as bridge where bridge.{CHECKED} bridge.month = checked.month
        )""",
        name_en="A correction of a customer's bridge has that bridge",
        name_zh="计入资产桥的更正均有对应资产桥",
        reason="A reason without the row it explains is left over from another build.",
        dimension="consistency",
    )
    yield mart_rule(
        "nothing_unclassified",
        CORRECTIONS,
        "checked.correction_reason = 'unclassified'",
        name_en="Policy says of every kind of transaction what it is",
        name_zh="政策已定义每类交易",
        reason="What has no class is neither new money nor income: the bank decides which.",
        severity="warn",
        dimension="completeness",
        on_failure="Published all the same, as a correction; add the kind to policy/transaction_classes.csv.",
    )
