-- Assets put up for the last day of the month, by customer, by the manager the customer had then, and by branch.
with members as (
    select * from {{ ref('int_customer_levels_valued') }}
),

early_days as (
    select
        members.level,
        members.level_key,
        members.month,
        sum(days.amount) as amount
    from members
    inner join {{ ref('int_customer_early_days_valued') }} as days
        on members.customer_id = days.customer_id and members.month = days.month
    group by members.level, members.level_key, members.month, days.calendar_date
),

early as (
    select
        level,
        level_key,
        month,
        min(amount) as lowest_amount
    from early_days
    group by level, level_key, month
),

summed as (
    select
        level,
        level_key,
        month,
        level = 'customer' and bool_or(is_partial_month) as is_partial_customer,
        cast(sum(adb_amount) as decimal(18, 2)) as adb_amount,
        cast(sum(eop_amount) as decimal(18, 2)) as eop_amount
    from members
    group by level, level_key, month
),

limited as (
    select
        summed.*,
        parameters.dressing_reversal_min_share,
        case when summed.level = 'customer' then parameters.dressing_customer_max_share else parameters.dressing_level_max_share end
            as limit_share
    from summed
    inner join {{ ref('int_tier_parameters_dated') }} as parameters
        on summed.month = parameters.month
    where parameters.is_complete
),

fct_window_dressing as (
    select
        limited.month,
        limited.level,
        limited.level_key,
        limited.adb_amount,
        limited.eop_amount,
        cast(limited.eop_amount - limited.adb_amount as decimal(18, 2)) as excess_amount,
        {{ exact_ratio('limited.eop_amount - limited.adb_amount', 'limited.adb_amount') }} as eop_over_adb,
        case
            when early.lowest_amount is not null
                then
                    limited.eop_amount > limited.adb_amount
                    and limited.eop_amount - early.lowest_amount
                    >= limited.dressing_reversal_min_share * cast(limited.eop_amount - limited.adb_amount as decimal(20, 2))
        end as reversed_within_5d,
        limited.limit_share,
        case
            when not limited.is_partial_customer and limited.adb_amount > 0
                then limited.eop_amount - limited.adb_amount > limited.limit_share * cast(limited.adb_amount as decimal(20, 2))
        end as is_flagged
    from limited
    left join early
        on limited.level = early.level and limited.level_key = early.level_key and limited.month = early.month
)

select * from fct_window_dressing
