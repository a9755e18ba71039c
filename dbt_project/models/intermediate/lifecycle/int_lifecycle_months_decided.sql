-- The state that each month's end decides, in force from the first of the next month. The first rule that fits:
--   1 won_back    not yet policy lifecycle_won_back_months since a lost customer's return
--   2 onboarding  not yet policy lifecycle_onboarding_months since a new customer's first day
--   3 dormant     nothing of the customer's own for policy silent_churn_days
--   4 declining   assets net of market and FX fell by policy lifecycle_decline_min_share over lifecycle_trend_months
--   5 growing     they rose by policy lifecycle_growth_min_share
--   6 mature      neither, too small for a trend, or not known for long enough
with ends as (
    select
        relationships.customer_id,
        relationships.spell_number,
        relationships.relationship_number,
        relationships.relationship_from,
        parameters.*,
        cast(parameters.month + {{ months('1') }} as date) as valid_from
    from {{ ref('int_customer_relationships') }} as relationships
    inner join {{ ref('int_lifecycle_parameters_dated') }} as parameters
        on
            relationships.spell_from <= parameters.month_end
            and relationships.spell_to > parameters.month_end + 1
    where parameters.is_complete and parameters.month_end < {{ as_of() }}
),

measured as (
    select
        ends.*,
        silences.is_silent_churn,
        case
            when own.is_whole and earlier.is_whole and own.spell_number = earlier.spell_number
                then greatest(own.adjusted_adb_amount, earlier.adjusted_adb_amount) >= ends.lifecycle_trend_min_amount
        end as has_trend,
        own.adjusted_adb_amount - earlier.adjusted_adb_amount as change_amount,
        earlier.adjusted_adb_amount as earlier_amount
    from ends
    left join {{ ref('int_customer_silences') }} as silences
        on
            ends.customer_id = silences.customer_id
            and ends.month = silences.month
    left join {{ ref('int_customer_assets_adjusted') }} as own
        on
            ends.customer_id = own.customer_id
            and ends.month_number = own.month_number
    left join {{ ref('int_customer_assets_adjusted') }} as earlier
        on
            ends.customer_id = earlier.customer_id
            and ends.month_number - ends.lifecycle_trend_months = earlier.month_number
),

lifecycle_months_decided as (
    select
        customer_id,
        valid_from,
        relationship_number,
        case
            when relationship_number > 1 and valid_from < relationship_from + {{ months('lifecycle_won_back_months') }} then 'won_back'
            when relationship_number = 1 and valid_from < relationship_from + {{ months('lifecycle_onboarding_months') }} then 'onboarding'
            when is_silent_churn then 'dormant'
            when has_trend and change_amount <= -lifecycle_decline_min_share * earlier_amount then 'declining'
            when has_trend and change_amount >= lifecycle_growth_min_share * earlier_amount then 'growing'
            else 'mature'
        end as state,
        case when has_trend is null then 'trend_unknown' when has_trend then 'assets_steady' else 'assets_small' end as mature_reason
    from measured
)

select * from lifecycle_months_decided
