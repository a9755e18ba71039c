with counted as (
    select * from {{ ref('int_attributes_counted') }}
),

-- From the newest value on: which day the middle one of the customers lies on, of an even number the one of less age.
ordered as (
    select
        counted.*,
        sum(filled) over (
            partition by month, attribute
            order by stands_since desc nulls last
            rows between unbounded preceding and current row
        ) as filled_so_far,
        sum(filled) over (partition by month, attribute) as filled_in_all
    from counted
    where stands_since is not null
),

middles as (
    select
        month,
        attribute,
        max(stands_since) as stands_since
    from ordered
    where filled_so_far * 2 >= filled_in_all
    group by month, attribute
),

totals as (
    select
        month,
        month_end,
        attribute,
        cast(sum(customers) as bigint) as customers,
        cast(sum(filled) as bigint) as filled
    from counted
    group by month, month_end, attribute
),

fct_data_completeness as (
    select
        totals.month,
        totals.attribute,
        totals.customers,
        totals.filled,
        {{ exact_ratio('totals.filled', 'totals.customers') }} as completeness_ratio,
        cast(totals.month_end - middles.stands_since as integer) as freshness_days
    from totals
    left join middles
        on
            totals.month = middles.month
            and totals.attribute = middles.attribute
)

select * from fct_data_completeness
