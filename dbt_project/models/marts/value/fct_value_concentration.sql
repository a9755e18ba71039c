-- How unequal customers are, as a curve from the least to the most: measured each month, never assumed.
with measured as (
    select
        customer_key,
        month,
        'contribution' as measure,
        explicit_value as amount
    from {{ ref('fct_customer_values') }}
    where not has_left and explicit_value is not null
    union all
    select
        present.customer_key,
        present.month,
        'aum' as measure,
        coalesce(sum(aum.adb_amount), 0) as amount
    from {{ ref('fct_customer_values') }} as present
    left join {{ ref('fct_customer_aum_monthly') }} as aum
        on present.customer_key = aum.customer_key and present.month = aum.month
    where not present.has_left
    group by present.customer_key, present.month
),

placed as (
    select
        measured.*,
        row_number() over by_amount as place,
        count(*) over (partition by month, measure) as customers,
        sum(amount) over by_amount as running_amount
    from measured
    window by_amount as (
        partition by month, measure
        order by amount asc nulls last, customer_key asc nulls last
        rows between unbounded preceding and current row
    )
),

totals as (
    select
        month,
        measure,
        count(*) as customers,
        cast(sum(amount) as decimal(24, 2)) as total_amount,
        cast(sum(abs(amount)) as decimal(24, 2)) as absolute_amount,
        cast(sum(greatest(amount, 0)) as decimal(24, 2)) as positive_amount,
        sum((2 * place - customers - 1) * cast({{ in_cents('amount') }} as decimal(28, 0))) as weighted_cents
    from placed
    group by month, measure
),

percentiles as (
    select
        totals.*,
        ahead.h as percentile
    from totals
    cross join {{ ref('int_months_ahead') }} as ahead
    where ahead.h <= 100
),

curve as (
    select
        percentiles.*,
        coalesce(placed.running_amount, 0) as running_amount,
        sum(case when percentiles.percentile = 80 then coalesce(placed.running_amount, 0) else 0 end)
            over (partition by percentiles.month, percentiles.measure) as bottom80_amount
    from percentiles
    left join placed
        on
            percentiles.month = placed.month
            and percentiles.measure = placed.measure
            and placed.place = {{ whole_quotient('percentiles.percentile * percentiles.customers', '100') }}
),

fct_value_concentration as (
    select
        month,
        measure,
        cast(percentile as integer) as percentile,
        customers,
        cast(total_amount as decimal(18, 2)) as total_amount,
        {{ exact_ratio('running_amount', 'greatest(total_amount, 0)') }} as cumulative_share,
        {{ exact_ratio('total_amount - bottom80_amount', 'greatest(total_amount, 0)') }} as top20_share,
        {{ exact_ratio('positive_amount', 'greatest(total_amount, 0)') }} as peak_share,
        -- Losses can lift the plain index above one: then Raffinetti's, whose most unequal bank is one as well.
        case
            when total_amount <= 0 then null
            when absolute_amount = total_amount
                then {{ exact_ratio('weighted_cents', 'customers * ' ~ in_cents('total_amount')) }}
            else {{ exact_ratio('weighted_cents', '(customers - 1) * ' ~ in_cents('absolute_amount')) }}
        end as gini
    from curve
)

select * from fct_value_concentration
