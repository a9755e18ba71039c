-- A customer's assets at a month's end, and by how much they have changed over the months before; null where the warehouse
-- does not reach back so far.
with assets as (
    select
        months.customer_id,
        months.month,
        cast(coalesce(sum(families.eop_amount), 0) as decimal(18, 2)) as eop_amount
    from {{ ref('int_customer_months') }} as months
    left join {{ ref('int_customer_family_averages') }} as families
        on
            months.customer_id = families.customer_id
            and months.month = families.month
    group by months.customer_id, months.month
),

customer_assets_changed as (
    select
        assets.customer_id,
        assets.month,
        assets.eop_amount,
        case
            when assets.month - {{ months('parameters.assets_change_months') }} >= parameters.first_month
                then cast(assets.eop_amount - coalesce(earlier.eop_amount, 0) as decimal(18, 2))
        end as assets_change_amount
    from assets
    inner join {{ ref('int_tier_parameters_dated') }} as parameters
        on assets.month = parameters.month
    left join assets as earlier
        on
            assets.customer_id = earlier.customer_id
            and earlier.month = assets.month - {{ months('parameters.assets_change_months') }}
)

select * from customer_assets_changed
