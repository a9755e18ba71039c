-- By currency, what the bridges and the corrections are made of is what landed: no transaction is left out, none counts twice. And what
-- the corrections show is what is not in a bridge as it stands, but for the rounding of each row to the cent.
with landed as (
    select
        currency_code,
        sum(case direction when 'credit' then amount else -amount end) as amount
    from {{ ref('stg_core__transactions') }}
    where business_date <= {{ as_of() }}
    group by currency_code
),

taken as (
    select
        currency_code,
        sum(amount) as amount
    from {{ ref('int_customer_flows') }}
    where is_transaction
    group by currency_code
),

corrected as (
    select
        currency_code,
        sum(amount) as amount
    from {{ ref('int_customer_bridge_parts') }}
    where part = 'correction'
    group by currency_code
),

shown as (
    select
        currency_code,
        sum(amount) as amount,
        count(*) as roundings
    from {{ ref('fct_bridge_corrections') }}
    group by currency_code
)

select
    coalesce(landed.currency_code, taken.currency_code) as currency_code,
    landed.amount,
    taken.amount as shown_amount
from landed
full outer join taken
    on landed.currency_code = taken.currency_code
where taken.amount is distinct from landed.amount
union all
select
    coalesce(corrected.currency_code, shown.currency_code) as currency_code,
    corrected.amount,
    shown.amount as shown_amount
from corrected
full outer join shown
    on corrected.currency_code = shown.currency_code
where
    corrected.currency_code is null
    or shown.currency_code is null
    or abs(coalesce(corrected.amount, 0) - coalesce(shown.amount, 0)) > shown.roundings * cast(0.005 as decimal(4, 3))
