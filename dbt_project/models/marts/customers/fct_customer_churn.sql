with months as (
    select
        keys.customer_key,
        months.customer_id,
        parameters.*
    from {{ ref('int_customer_months') }} as months
    inner join {{ ref('int_customer_keys') }} as keys
        on months.customer_id = keys.customer_id
    inner join {{ ref('int_lifecycle_parameters_dated') }} as parameters
        on months.month = parameters.month
),

tiers as (
    select * from {{ ref('fct_customer_tier_history') }}
    where known_to = cast({{ end_of_time() }} as timestamp)
),

flags as (
    select
        months.*,
        case when months.has_closings then closings.customer_id is not null end as is_closed,
        closings.closed_on,
        closings.is_reopened,
        closings.assets_before_amount,
        lost_value.adjusted_adb_amount,
        lost_value.trailing_max_amount,
        lost_value.is_value_churn,
        lost_value.value_churn_from,
        lost_value.may_become_churn,
        silences.is_here,
        silences.last_event_on,
        silences.is_silent_churn,
        silences.is_silent_90d,
        -- A decision that is not in force yet is not in the history: not known.
        case when months.month_end < {{ as_of() }} and held.customer_key is not null then falls.customer_key is not null end as is_tier_churn,
        falls.valid_from as tier_churned_on,
        causes.cause,
        causes.sign_on
    from months
    inner join {{ ref('int_value_churn') }} as lost_value
        on months.customer_id = lost_value.customer_id and months.month = lost_value.month
    inner join {{ ref('int_customer_silences') }} as silences
        on months.customer_id = silences.customer_id and months.month = silences.month
    left join {{ ref('int_customer_closings') }} as closings
        on months.customer_id = closings.customer_id and months.month = closings.month
    left join {{ ref('int_churn_causes') }} as causes
        on months.customer_id = causes.customer_id and months.month = causes.month
    left join tiers as held
        on
            months.customer_key = held.customer_key
            and months.month_end >= held.valid_from
            and months.month_end < held.valid_to
            and held.tier_code is not null
    left join tiers as falls
        on
            months.customer_key = falls.customer_key
            and months.month_end + 1 = falls.valid_from
            and falls.movement = 'down'
),

caused as (
    select
        flags.*,
        case when has_signs then (is_closed or is_value_churn or is_silent_churn or is_tier_churn) and sign_on is not null end as is_involuntary
    from flags
),

fct_customer_churn as (
    select
        customer_key,
        month,
        is_closed,
        closed_on,
        is_reopened,
        is_value_churn,
        value_churn_from,
        adjusted_adb_amount,
        trailing_max_amount,
        is_silent_churn,
        is_silent_90d,
        last_event_on,
        case when is_silent_90d then last_event_on + 1 end as silent_from,
        is_tier_churn,
        case when is_tier_churn then tier_churned_on end as tier_churned_on,
        is_involuntary,
        case when is_involuntary then cause end as involuntary_cause,
        case when is_involuntary then sign_on end as involuntary_on,
        case
            when is_closed then assets_before_amount
            when is_value_churn then trailing_max_amount - adjusted_adb_amount
            when not is_value_churn then cast(0 as decimal(18, 2))
        end as value_lost_amount,
        -- What the month cannot tell yet; only the last one has no month after it that does.
        month = last_month and is_here
        and (not is_complete or may_become_churn or coalesce(is_silent_90d and not is_silent_churn, false)) as is_censored
    from caused
)

select * from fct_customer_churn
