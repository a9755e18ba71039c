-- Does the tier grow by heads or by money? Entrants are valued at the month's end, leavers at its beginning.
with months as (
    select * from {{ ref('int_months') }}
    where is_complete
),

flows as (
    select * from {{ ref('fct_tier_flows') }}
),

history as (
    select * from {{ ref('fct_customer_tier_history') }}
    where known_to = cast({{ end_of_time() }} as timestamp) and tier_code is not null
),

assets as (
    select
        customer_key,
        month,
        sum(eop_amount) as amount
    from {{ ref('fct_customer_aum_monthly') }}
    group by customer_key, month
),

presences as (
    select
        months.month,
        history.tier_code,
        history.customer_key,
        max(case when history.valid_from < months.month and history.valid_to >= months.month then 1 else 0 end) as is_open,
        max(case when history.valid_from <= months.month_end and history.valid_to > months.month_end then 1 else 0 end) as is_close
    from months
    inner join history
        on
            history.valid_from <= months.month_end
            and history.valid_to >= months.month
    group by months.month, history.tier_code, history.customer_key
),

bridged as (
    select
        presences.month,
        presences.tier_code,
        sum((1 - is_open) * is_close) as entrants,
        sum(is_open * (1 - is_close)) as leavers,
        sum(is_open * is_close) as stayers,
        sum((1 - is_open) * is_close * coalesce(assets.amount, 0)) as entrants_amount,
        sum(is_open * (1 - is_close) * coalesce(before.amount, 0)) as leavers_amount,
        sum(is_open * is_close * (coalesce(assets.amount, 0) - coalesce(before.amount, 0))) as stayers_change_amount
    from presences
    left join assets
        on presences.customer_key = assets.customer_key and presences.month = assets.month
    left join assets as before
        on presences.customer_key = before.customer_key and before.month = presences.month - {{ months('1') }}
    group by presences.month, presences.tier_code
),

growth as (
    select
        month,
        tier_code,
        case
            when opening_count > 0 and closing_count > 0
                then cast(round(ln(cast(closing_count as double) / opening_count), 6) as decimal(9, 6))
        end as count_growth,
        case
            when opening_count > 0 and closing_count > 0 and opening_amount > 0 and closing_amount > 0
                then cast(round(ln(cast(closing_amount as double) / cast(opening_amount as double)), 6) as decimal(9, 6))
        end as aum_growth
    from flows
),

fct_growth_mismatch as (
    select
        flows.month,
        flows.tier_code,
        flows.policy_version,
        flows.opening_count,
        flows.closing_count,
        flows.opening_amount,
        flows.closing_amount,
        growth.count_growth,
        cast(growth.aum_growth - growth.count_growth as decimal(9, 6)) as average_growth,
        growth.aum_growth,
        cast(coalesce(bridged.entrants, 0) as bigint) as entrants,
        cast(coalesce(bridged.leavers, 0) as bigint) as leavers,
        cast(coalesce(bridged.stayers, 0) as bigint) as stayers,
        cast(coalesce(bridged.entrants_amount, 0) as decimal(18, 2)) as entrants_amount,
        cast(coalesce(bridged.leavers_amount, 0) as decimal(18, 2)) as leavers_amount,
        cast(coalesce(bridged.stayers_change_amount, 0) as decimal(18, 2)) as stayers_change_amount
    from flows
    inner join growth
        on flows.month = growth.month and flows.tier_code = growth.tier_code
    left join bridged
        on flows.month = bridged.month and flows.tier_code = bridged.tier_code
)

select * from fct_growth_mismatch
