-- What a unit of a product in its currency cost in its first month with a price, over what it costs in a month: assets times this are
-- what was bought and sold, without what markets and exchange rates did.
with months as (
    select * from {{ ref('int_months') }}
),

navs as (
    select
        product_id,
        {{ month_start('nav_date') }} as month,
        cast(sum(nav) as decimal(38, 6)) / count(*) as nav
    from {{ ref('stg_wealth__navs') }}
    where nav_date <= {{ as_of() }}
    group by product_id, {{ month_start('nav_date') }}
),

first_rates as (
    select
        currency_code,
        rate
    from (
        select
            fx.*,
            row_number() over (partition by currency_code order by valid_from asc nulls last) as place
        from {{ ref('int_fx_spans') }} as fx
    ) as numbered
    where place = 1
),

-- A month without a price has the one before; months before the first price have that.
carried as (
    select
        products.product_id,
        products.currency_code,
        months.month,
        last_value(navs.nav ignore nulls) over by_product as nav,
        first_value(navs.nav ignore nulls) over (
            partition by products.product_id
            order by months.month asc nulls last
            rows between unbounded preceding and unbounded following
        ) as first_nav
    from {{ ref('int_products_latest') }} as products
    cross join months
    left join navs
        on
            products.product_id = navs.product_id
            and months.month = navs.month
    where products.counts_in_aum
    window by_product as (
        partition by products.product_id order by months.month asc nulls last rows between unbounded preceding and current row
    )
),

product_prices_indexed as (
    select
        carried.product_id,
        first_rates.currency_code,
        carried.month,
        first_rates.rate as first_rate,
        cast(round(cast(coalesce(carried.first_nav / carried.nav, 1) as double), 9) as decimal(18, 9)) as price_factor
    from carried
    cross join first_rates
)

select * from product_prices_indexed
