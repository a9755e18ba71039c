-- The amount that a version of the ladder rates: each family rounded to the cent, then added up.
with windows as (
    select * from {{ ref('int_rating_windows') }}
),

amounts as (
    select * from {{ ref('int_rating_amounts') }}
),

-- A record that is merged into another on the last day of the month counts there, and is rated on nothing.
merged_months as (
    select distinct
        merged.customer_id,
        months.month
    from {{ ref('int_merged_records') }} as merged
    inner join {{ ref('int_months') }} as months
        on
            merged.merged_from <= months.month_end
            and merged.merged_to > months.month_end
),

families as (
    select
        amounts.customer_id,
        windows.month,
        windows.policy_version,
        windows.divisor,
        amounts.product_family,
        sum(
            case
                when windows.rating_window = 'month_end' and windows.rating_scope = 'branch' then amounts.home_eop_amount
                when windows.rating_window = 'month_end' then amounts.eop_amount
                when windows.rating_scope = 'branch' then amounts.home_amount_days
                else amounts.amount_days
            end
        ) as amount_days
    from amounts
    inner join windows
        on
            amounts.month = windows.window_month
            and (
                amounts.rating_kind is null
                or amounts.rating_kind = case when windows.rating_scope = 'household' then 'household' else 'own' end
            )
            and (amounts.rated_month is null or amounts.rated_month = windows.month)
            and (amounts.product_family <> 'debt' or windows.rating_base = 'net')
    left join merged_months
        on
            amounts.customer_id = merged_months.customer_id
            and windows.month = merged_months.month
    where merged_months.customer_id is null
    group by amounts.customer_id, windows.month, windows.policy_version, windows.divisor, amounts.product_family
),

-- Only a ladder that rates weighted assets has weights; a family it does not name counts in full.
weighted as (
    select
        families.customer_id,
        families.month,
        families.policy_version,
        families.divisor,
        families.amount_days * coalesce(weights.weight, 1) as amount_days
    from families
    left join {{ ref('tier_asset_weights') }} as weights
        on
            families.policy_version = weights.policy_version
            and families.product_family = weights.product_family
),

customer_ratings as (
    select
        customer_id,
        month,
        policy_version,
        cast(sum({{ exact_quotient('amount_days', 'divisor') }}) as decimal(18, 2)) as rating_amount
    from weighted
    group by customer_id, month, policy_version
)

select * from customer_ratings
