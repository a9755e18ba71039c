with rates as (
    select
        currency_code,
        rate_date,
        cny_per_unit
    from {{ ref('stg_reference__fx_rates') }}
    where currency_code <> '{{ var("reporting_currency") }}' and rate_date <= {{ as_of() }}
),

fx_spans as (
    select
        currency_code,
        rate_date as valid_from,
        lead(rate_date, 1, {{ end_of_time() }}) over (partition by currency_code order by rate_date asc nulls first) as valid_to,
        cast(cny_per_unit as decimal(14, 8)) as rate
    from rates
    union all
    select
        '{{ var("reporting_currency") }}' as currency_code,
        cast('0001-01-01' as date) as valid_from,
        {{ end_of_time() }} as valid_to,
        cast(1 as decimal(14, 8)) as rate
)

select * from fx_spans
