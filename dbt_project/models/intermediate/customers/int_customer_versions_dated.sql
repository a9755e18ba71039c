-- What each delivery of the customers says, from its date until one that says something else; what the first says of a customer
-- held before it, too. From a delivery that no longer names a customer until one that does again, what was said last stands.
{%- set stated = [
    'birth_date', 'gender', 'region_code', 'city_tier', 'occupation_code', 'industry_code', 'education', 'marital_status',
    'risk_rating', 'risk_rating_expires_on', 'declared_wealth_amount', 'branch_id', 'consent_marketing', 'consent_updated_at',
    'has_mobile', 'has_email', 'has_address',
] %}
with deliveries as (
    select
        business_date,
        lead(business_date) over (order by business_date asc nulls first) as next_business_date
    from (select distinct business_date from {{ ref('stg_core__customers') }}) as dates
    where business_date <= {{ as_of() }}
),

-- How to reach a customer stays out: only whether the bank knows it goes on.
customers as (
    select
        customers.*,
        mobile is not null as has_mobile,
        email is not null as has_email,
        address is not null as has_address
    from {{ ref('stg_core__customers') }} as customers
    where customer_type = 'personal'
),

named as (
    select
        customers.*,
        deliveries.next_business_date,
        lead(deliveries.business_date) over (
            partition by customers.customer_id
            order by deliveries.business_date asc nulls first
        ) as named_again_on
    from customers
    inner join deliveries
        on customers.business_date = deliveries.business_date
),

said as (
    select
        named.*,
        true as is_listed,
        business_date as said_on
    from named
    union all
    select
        named.*,
        false as is_listed,
        next_business_date as said_on
    from named
    where next_business_date < coalesce(named_again_on, {{ end_of_time() }})
),

compared as (
    select
        said.*,
        {%- for column in stated + ['is_listed'] %}
        lag({{ column }}) over by_customer as previous_{{ column }},
        {%- endfor %}
        lag(said_on) over by_customer as previous_said_on
    from said
    window by_customer as (partition by customer_id order by said_on asc nulls first)
),

customer_versions_dated as (
    select
        customer_id,
        {{ (stated + ['is_listed']) | join(', ') }},
        case when previous_said_on is null then cast('0001-01-01' as date) else said_on end as valid_from,
        lead(said_on, 1, {{ end_of_time() }}) over (partition by customer_id order by said_on asc nulls first) as valid_to
    from compared
    where
        previous_said_on is null
        {%- for column in stated + ['is_listed'] %}
        or {{ column }} is distinct from previous_{{ column }}
        {%- endfor %}
)

select * from customer_versions_dated
