"""Who left and in which state each customer is: three marts tell of one closing, and a flag has its figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from crm_warehouse.errors import SettingsError
from crm_warehouse.policy import parameter, read_policy
from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

CHURN, LIFECYCLE, HISTORY = "fct_customer_churn", "fct_customer_lifecycle_history", "fct_customer_tier_history"
STATES = ("prospect", "onboarding", "growing", "mature", "declining", "dormant", "lost", "won_back")
LAST = f"(select max(month) from marts.{CHURN})"
# Of several closings in a month churn names the last.
HAS_CLOSING = f"""exists (
    select 1 from marts.{CHURN} as churn
    where churn.customer_key = checked.customer_key and churn.closed_on >= checked.valid_from
        and date_trunc('month', churn.closed_on - 1) = date_trunc('month', checked.valid_from - 1)
)"""


def build_rules(profile: Profile, as_of: date) -> Iterator[Rule]:
    """Rules of both marts."""
    yield from _closings()
    # A month goes by the policy of its first day; of one that began without it the flags are null.
    with suppress(SettingsError):
        yield from _figures(profile, as_of.replace(day=1))
    yield from _said_or_null(profile)
    yield from _states()


def _closings() -> Iterator[Rule]:
    yield mart_rule(
        "has_churn",
        "fct_customer_tiers_monthly",
        f"""not exists (
            select 1 from marts.{CHURN} as churn
            where churn.customer_key = checked.customer_key and churn.month = checked.month
        )""",
        name_en="Every rated customer and month has its row of churn",
        name_zh="每个评级客户、月份均有流失记录",
        reason="A customer who is in no row left unseen.",
        dimension="completeness",
    )
    yield mart_rule(
        "closing_is_lost",
        CHURN,
        f"""coalesce(checked.is_closed, false) and not exists (
            select 1 from marts.{LIFECYCLE} as states
            where states.customer_key = checked.customer_key and states.valid_from = checked.closed_on and states.state = 'lost'
        )""",
        name_en="Who closed is lost from that day on",
        name_zh="销户客户自当日起状态为流失",
        reason="Two marts that disagree on who left are both distrusted.",
        dimension="consistency",
    )
    yield mart_rule(
        "lost_is_a_closing",
        LIFECYCLE,
        f"""checked.state = 'lost' and checked.reason = 'closed' and checked.valid_from > (select min(month) from marts.{CHURN})
            and not {HAS_CLOSING}""",
        name_en="Who is lost closed that day",
        name_zh="状态为流失的客户当日销户",
        reason="Two marts that disagree on who left are both distrusted.",
        dimension="consistency",
    )
    yield mart_rule(
        "exit_is_a_closing",
        HISTORY,
        f"""checked.known_to = timestamp '9999-12-31' and checked.movement = 'exited' and checked.reason = 'relationship_closed'
            and not {HAS_CLOSING}""",
        name_en="Who left their tier by closing closed that day",
        name_zh="因销户退出等级的客户当日销户",
        reason="An exit from the tiers that churn does not know is counted once and explained never.",
        dimension="consistency",
    )
    yield mart_rule(
        "tier_churn_is_a_move_down",
        CHURN,
        f"""coalesce(checked.is_tier_churn, false) <> exists (
            select 1 from marts.{HISTORY} as history
            where history.customer_key = checked.customer_key and history.known_to = timestamp '9999-12-31'
                and history.movement = 'down' and history.valid_from = checked.month + interval 1 month
        )""",
        name_en="Churn by tier is a move down in the tier history, and every such move is one",
        name_zh="降级流失与等级历史中的降级一一对应",
        reason="Two marts that disagree are both distrusted.",
        dimension="consistency",
    )


def _figures(profile: Profile, as_of: date) -> Iterator[Rule]:
    share, least, months, churn_days, watch_days = (
        parameter(profile.folder, name, as_of)
        for name in (
            "value_churn_max_share",
            "value_churn_min_amount",
            "value_churn_months",
            "silent_churn_days",
            "silent_watch_days",
        )
    )
    yield mart_rule(
        "value_churn_fits_its_amounts",
        CHURN,
        f"""checked.month = {LAST} and checked.is_value_churn is not null and checked.is_value_churn <> (
            checked.trailing_max_amount >= {least} and {share} * checked.trailing_max_amount >= (
                select max(judged.adjusted_adb_amount) from marts.{CHURN} as judged
                where judged.customer_key = checked.customer_key and judged.month > {LAST} - to_months({int(months)})
            )
        )""",
        name_en="Value churn is what the amounts beside it say (last month)",
        name_zh="价值流失与所列金额一致（最近月份）",
        reason="A manager who is told that a customer leaves looks at the amounts next.",
    )
    yield mart_rule(
        "silence_fits_its_days",
        CHURN,
        f"""(coalesce(checked.is_silent_churn, false) and not coalesce(checked.is_silent_90d, false))
            or (checked.month = {LAST} and checked.is_silent_churn is not null and checked.last_event_on is not null and (
                checked.is_silent_churn, checked.is_silent_90d
            ) <> (
                select (max(calendar_date) - checked.last_event_on >= {churn_days}, max(calendar_date) - checked.last_event_on >= {watch_days})
                from marts.dim_dates as days where days.month = checked.month
            ))""",
        name_en="Silence is what the last event of the customer's own says (last month)",
        name_zh="沉默与最近主动行为日一致（最近月份）",
        reason="Who was here yesterday must not be called silent.",
    )
    yield mart_rule(
        "lost_value_is_explained",
        CHURN,
        """case
            when checked.is_closed then coalesce(checked.value_lost_amount < 0, false)
            when checked.is_value_churn
                then checked.value_lost_amount is distinct from checked.trailing_max_amount - checked.adjusted_adb_amount
            when not checked.is_value_churn then checked.value_lost_amount is distinct from 0
            else checked.value_lost_amount is not null
        end""",
        name_en="What was lost is what the flags and amounts say",
        name_zh="损失金额与标志及金额一致",
        reason="A loss that nothing explains cannot be won back.",
    )


def _said_or_null(profile: Profile) -> Iterator[Rule]:
    yield mart_rule(
        "flag_has_its_day",
        CHURN,
        """coalesce(checked.is_closed, false) <> (checked.closed_on is not null)
            or (checked.is_reopened is not null and checked.closed_on is null)
            or coalesce(checked.is_value_churn, false) <> (checked.value_churn_from is not null)
            or coalesce(checked.is_tier_churn, false) <> (checked.tier_churned_on is not null)
            or coalesce(checked.is_involuntary, false) <> (checked.involuntary_cause is not null)
            or coalesce(checked.is_involuntary, false) <> (checked.involuntary_on is not null)
            or (checked.silent_from is not null and not coalesce(checked.is_silent_90d, false))""",
        name_en="A flag has the day it began, and no other row has one",
        name_zh="标志附起始日，其余行无起始日",
        reason="A flag without a day cannot be followed, a day without a flag contradicts it.",
        dimension="consistency",
    )
    yield mart_rule(
        "only_the_end_is_open",
        CHURN,
        f"""(checked.is_censored and checked.month <> {LAST}) or (
            checked.month = {LAST} and checked.is_silent_90d and not checked.is_silent_churn and not checked.is_censored
        ) is true or checked.is_censored is null""",
        name_en="What cannot be told yet is said, of the last month only",
        name_zh="尚不能判断者予以标明，且仅限最近月份",
        reason="To guess at what is not over yet makes last month's churn better or worse than it is.",
    )
    if not any(row["source_table"] in profile.provided for row in read_policy(profile.folder, "churn_signs")):
        yield mart_rule(
            "cause_is_not_known",
            CHURN,
            "checked.is_involuntary is not null",
            name_en="Without a sign of it nobody is said to have left by choice",
            name_zh="数据源无标识时不得判定是否自愿",
            reason="Not known is not no.",
            dimension="validity",
        )


def _states() -> Iterator[Rule]:
    yield mart_rule(
        "no_gap_no_overlap",
        LIFECYCLE,
        f"""checked.valid_from >= checked.valid_to or checked.valid_to <> coalesce((
            select min(later.valid_from) from marts.{LIFECYCLE} as later
            where later.customer_key = checked.customer_key and later.valid_from > checked.valid_from
        ), date '9999-12-31')""",
        name_en="A customer's states follow one another without gap or overlap",
        name_zh="客户状态首尾相接，无空档、无重叠",
        reason="On any day a customer is in exactly one state.",
        dimension="consistency",
    )
    yield mart_rule(
        "interval_changes_state",
        LIFECYCLE,
        f"""checked.state not in {STATES} or checked.state is not distinct from checked.previous_state
            or checked.previous_state is distinct from (
                select max(earlier.state) from marts.{LIFECYCLE} as earlier
                where earlier.customer_key = checked.customer_key and earlier.valid_to = checked.valid_from
            )""",
        name_en="Every interval begins with a change to a known state",
        name_zh="每个区间均以变为既定状态开始",
        reason="An interval that changes nothing counts a movement that never was.",
    )
    yield mart_rule(
        "has_one_state_today",
        "dim_customers",
        f"""(checked.closed_on is null or checked.closed_on > checked.onboarded_on) and 1 <> (
            select count(*) from marts.{LIFECYCLE} as states
            where states.customer_key = checked.customer_key and states.valid_to = date '9999-12-31'
        )""",
        name_en="Every customer is in one state today",
        name_zh="每位客户当前仅有一个状态",
        reason="Who is in none is served by nobody.",
        dimension="completeness",
    )
    yield mart_rule(
        "dormant_is_silent",
        LIFECYCLE,
        f"""checked.state = 'dormant' and not exists (
            select 1 from marts.{CHURN} as churn
            where churn.customer_key = checked.customer_key and churn.is_silent_churn
                and churn.month = checked.valid_from - interval 1 month
        )""",
        name_en="Who is dormant was silent at the month's end before",
        name_zh="沉睡客户在上月末为沉默",
        reason="Two marts that disagree are both distrusted.",
        dimension="consistency",
    )
