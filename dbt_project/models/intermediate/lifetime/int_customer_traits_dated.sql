-- What the bank knew of a customer, from when to when: a score of last March must not know what was declared in May. What the first
-- delivery says holds before it, too.
with stated as (
    select
        customer_id,
        business_date,
        birth_date,
        coalesce(city_tier, '') as city_tier,
        coalesce(occupation_code, '') as occupation_code,
        declared_wealth_amount,
        lag(business_date) over by_customer as previous_business_date,
        lag(birth_date) over by_customer as previous_birth_date,
        lag(coalesce(city_tier, '')) over by_customer as previous_city_tier,
        lag(coalesce(occupation_code, '')) over by_customer as previous_occupation_code,
        lag(declared_wealth_amount) over by_customer as previous_declared_wealth_amount
    from {{ ref('stg_core__customers') }}
    where customer_type = 'personal' and business_date <= {{ as_of() }}
    window by_customer as (partition by customer_id order by business_date asc nulls first)
),

changed as (
    select * from stated
    where
        previous_business_date is null
        or birth_date is distinct from previous_birth_date
        or city_tier <> previous_city_tier
        or occupation_code <> previous_occupation_code
        or declared_wealth_amount is distinct from previous_declared_wealth_amount
),

customer_traits_dated as (
    select
        customer_id,
        birth_date,
        city_tier,
        occupation_code,
        declared_wealth_amount,
        case when previous_business_date is null then cast('0001-01-01' as date) else business_date end as valid_from,
        lead(business_date, 1, {{ end_of_time() }}) over (partition by customer_id order by business_date asc nulls first) as valid_to
    from changed
)

select * from customer_traits_dated
