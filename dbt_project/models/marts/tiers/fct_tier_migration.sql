-- From the state after one month's decision to the tier after the next one's. A customer gone at a month's end has no state.
with months as (
    select
        month,
        month_end,
        lag(month) over (order by month asc nulls first) as month_before,
        lead(month) over (order by month asc nulls first) as month_after
    from {{ ref('int_months') }}
    where is_complete
),

gone as (
    select
        months.month,
        history.customer_key
    from months
    inner join {{ ref('fct_customer_tier_history') }} as history
        on
            history.valid_from <= months.month_end
            and history.valid_to > months.month_end
    where history.known_to = cast({{ end_of_time() }} as timestamp) and history.movement = 'exited'
),

states as (
    select
        monthly.customer_key,
        monthly.month,
        months.month_before,
        months.month_after,
        monthly.held_tier_code,
        monthly.misses_in_grace
    from {{ ref('fct_customer_tiers_monthly') }} as monthly
    inner join months
        on monthly.month = months.month
    left join gone
        on
            monthly.customer_key = gone.customer_key
            and monthly.month = gone.month
    where gone.customer_key is null
),

steps as (
    select
        coalesce(arrived.month, departed.month_after) as month,
        coalesce(departed.held_tier_code, 'opened') as from_tier_code,
        coalesce(departed.misses_in_grace, 0) as from_grace_month,
        coalesce(arrived.held_tier_code, 'exited') as to_tier_code
    from states as departed
    full outer join states as arrived
        on
            departed.customer_key = arrived.customer_key
            and departed.month_after = arrived.month
    where
        -- Of the first month nobody knows where its customers came from; of the last, where they go.
        coalesce(departed.month_after, arrived.month_before) is not null
),

counted as (
    select
        month,
        from_tier_code,
        from_grace_month,
        to_tier_code,
        count(*) as customers
    from steps
    group by month, from_tier_code, from_grace_month, to_tier_code
),

rows_summed as (
    select
        counted.*,
        sum(customers) over from_state as from_customers,
        sum(case when to_tier_code = from_tier_code then customers else 0 end) over from_state as stayed,
        sum(customers) over (from_state order by to_tier_code asc nulls first) as running
    from counted
    window from_state as (partition by month, from_tier_code, from_grace_month)
),

fct_tier_migration as (
    select
        month,
        from_tier_code,
        cast(from_grace_month as integer) as from_grace_month,
        to_tier_code,
        customers,
        cast(from_customers as bigint) as from_customers,
        -- Shares rounded one by one would not add up to 1; rounded running shares do.
        cast(
            {{ exact_ratio('running', 'from_customers') }} - {{ exact_ratio('running - customers', 'from_customers') }}
            as decimal(9, 6)
        ) as probability,
        case
            when stayed > 0 and stayed < from_customers
                then cast(round(ln(0.5) / ln(cast(stayed as double) / from_customers), 6) as decimal(18, 6))
        end as half_life_months
    from rows_summed
)

select * from fct_tier_migration
