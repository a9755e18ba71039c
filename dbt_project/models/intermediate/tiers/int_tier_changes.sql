-- Only decisions that change the tier begin an interval; the first one of a customer always does.
with decisions as (
    select
        decisions.*,
        row_number() over by_customer as decision_number,
        lag(tier_code) over by_customer as previous_tier_code,
        lag(tier_rank) over by_customer as previous_tier_rank
    from {{ ref('int_tier_decisions') }} as decisions
    window by_customer as (partition by customer_id order by decided_for asc nulls first)
),

tier_changes as (
    select *
    from decisions
    where
        -- A customer known only by an exit was never seen in a tier.
        (decision_number = 1 and tier_code is not null)
        or (decision_number > 1 and tier_code is distinct from previous_tier_code)
)

select * from tier_changes
