-- The amount that a version of the ladder rates: each family rounded to the cent, then added up.
with windows as (
    select * from {{ ref('int_rating_windows') }}
),

amounts as (
    select * from {{ ref('int_rating_amounts') }}
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
            and (amounts.product_family <> 'debt' or windows.rating_base = 'net')
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
