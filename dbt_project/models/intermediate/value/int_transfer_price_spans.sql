with rates as (
    select
        product_family,
        tenor_days,
        currency_code,
        effective_on,
        rate
    from {{ ref('stg_finance__ftp_rates') }}
    where
        business_date = (select max(business_date) from {{ ref('stg_finance__ftp_rates') }})
        and effective_on <= {{ as_of() }}
),

transfer_price_spans as (
    select
        product_family,
        tenor_days,
        currency_code,
        effective_on as valid_from,
        lead(effective_on, 1, {{ end_of_time() }}) over (
            partition by product_family, tenor_days, currency_code
            order by effective_on asc nulls first
        ) as valid_to,
        effective_on = min(effective_on) over (partition by product_family, tenor_days, currency_code) as is_first,
        rate
    from rates
)

select * from transfer_price_spans
