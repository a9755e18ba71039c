-- Whether a customer's assets have fallen to a share of their maximum of the months before, for so many months running. One month
-- missing of those looked at, and nobody can say.
with assets as (
    select * from {{ ref('int_customer_assets_adjusted') }}
),

looked_back as (
    select
        assets.customer_id,
        assets.month,
        assets.month_number,
        assets.adjusted_adb_amount,
        policy.value_churn_window_months as window_months,
        policy.value_churn_months as churn_months,
        policy.value_churn_max_share as max_share,
        policy.value_churn_min_amount as min_amount,
        assets.month_number - earlier.month_number as months_back,
        earlier.is_whole,
        earlier.adjusted_adb_amount as earlier_amount
    from assets
    inner join {{ ref('int_lifecycle_parameters_dated') }} as policy
        on assets.month = policy.month
    inner join assets as earlier
        on
            assets.customer_id = earlier.customer_id
            and earlier.month_number <= assets.month_number
            and earlier.month_number > assets.month_number - policy.value_churn_window_months - policy.value_churn_months
),

measured as (
    select
        customer_id,
        month,
        month_number,
        adjusted_adb_amount,
        max_share,
        min_amount,
        count(case when is_whole then 1 end) = window_months + churn_months as is_known,
        max(case when months_back >= churn_months then earlier_amount end) as trailing_max_amount,
        max(case when months_back < churn_months then earlier_amount end) as highest_amount,
        -- As if the fall had begun this month.
        count(case when is_whole and months_back <= window_months then 1 end) = window_months + 1 as may_begin,
        max(case when months_back between 1 and window_months then earlier_amount end) as recent_max_amount
    from looked_back
    group by customer_id, month, month_number, adjusted_adb_amount, max_share, min_amount, window_months, churn_months
),

judged as (
    select
        measured.*,
        case
            when is_known then trailing_max_amount >= min_amount and highest_amount <= max_share * trailing_max_amount
        end as is_value_churn,
        coalesce(
            may_begin and recent_max_amount >= min_amount and adjusted_adb_amount <= max_share * recent_max_amount, false
        ) as is_below
    from measured
),

numbered as (
    select
        judged.*,
        month_number - row_number() over (partition by customer_id, is_value_churn order by month_number asc nulls first) as run_number
    from judged
),

value_churn as (
    select
        customer_id,
        month,
        adjusted_adb_amount,
        case when is_known then trailing_max_amount end as trailing_max_amount,
        is_value_churn,
        case when is_value_churn then min(month) over (partition by customer_id, is_value_churn, run_number) end as value_churn_from,
        is_below and not coalesce(is_value_churn, false) as may_become_churn
    from numbered
)

select * from value_churn
