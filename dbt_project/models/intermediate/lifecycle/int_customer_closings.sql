-- The last closing of each customer and month, in the month of the last day with the bank, and the average assets before it: those of
-- the month before, or of the month itself if the customer came in it.
with closings as (
    select
        *,
        {{ month_start('spell_to - 1') }} as month,
        row_number() over (
            partition by customer_id, {{ month_start('spell_to - 1') }}
            order by spell_number desc nulls last
        ) as recency
    from {{ ref('int_customer_relationships') }}
    where is_closed
),

assets as (
    select * from {{ ref('int_customer_assets_adjusted') }}
),

customer_closings as (
    select
        closings.customer_id,
        closings.month,
        closings.spell_to as closed_on,
        closings.is_reopened,
        case
            when month_before.customer_id is not null then month_before.adjusted_adb_amount
            when closings.spell_from >= closings.first_month then own.adjusted_adb_amount
        end as assets_before_amount
    from closings
    inner join assets as own
        on
            closings.customer_id = own.customer_id
            and closings.month = own.month
    left join assets as month_before
        on
            closings.customer_id = month_before.customer_id
            and own.month_number - 1 = month_before.month_number
    where closings.recency = 1
)

select * from customer_closings
