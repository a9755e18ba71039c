-- For each month the chance to go from one tier to another, or away, within a month, as seen in all months that were over by then.
with states as (
    select
        customer_id,
        month,
        tier_code,
        is_here
    from {{ ref('int_customer_value_states') }}
),

moves as (
    select
        months.month as known_month,
        states.tier_code as from_tier,
        case when coalesce(following.is_here, false) then following.tier_code else 'gone' end as to_tier,
        count(*) as customers
    from states
    inner join {{ ref('int_months') }} as months
        on states.month + {{ months('1') }} = months.month
    left join states as following
        on
            states.customer_id = following.customer_id
            and months.month = following.month
    where states.is_here and months.is_complete
    group by months.month, states.tier_code, case when coalesce(following.is_here, false) then following.tier_code else 'gone' end
),

tier_chains_learned as (
    select
        months.month,
        moves.from_tier,
        moves.to_tier,
        cast(sum(moves.customers) as bigint) as customers,
        cast(sum(sum(moves.customers)) over (partition by months.month, moves.from_tier) as bigint) as of_customers
    from {{ ref('int_months') }} as months
    inner join moves
        on months.month >= moves.known_month
    group by months.month, moves.from_tier, moves.to_tier
)

select * from tier_chains_learned
