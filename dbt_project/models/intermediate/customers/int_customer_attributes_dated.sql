-- Each attribute of a customer, from when to when it was filled or not, and since when its value stands: since the customer's
-- first day where the first delivery said it already. An attribute that does not age, and one of which only is known whether it is
-- filled, has no such day. A consent says itself of when it is; a risk rating that is renewed is new, whatever its class.
{%- set values = {
    'gender': none, 'birth_date': none, 'region_code': 'region_code', 'city_tier': 'city_tier', 'occupation_code': 'occupation_code',
    'industry_code': 'industry_code', 'education': 'education', 'marital_status': 'marital_status',
    'risk_rating': "concat(risk_rating, ' ', coalesce(cast(risk_rating_expires_on as varchar), ''))",
    'declared_wealth_amount': 'cast(declared_wealth_amount as varchar)', 'branch_id': 'branch_id',
    'consent_marketing': 'cast(consent_updated_at as varchar)', 'mobile': none, 'email': none, 'address': none,
} %}
with firsts as (
    select
        customer_id,
        min(spell_from) as first_day
    from {{ ref('int_customer_spells') }}
    group by customer_id
),

versions as (
    select
        versions.*,
        firsts.first_day
    from {{ ref('int_customer_versions_dated') }} as versions
    inner join firsts
        on versions.customer_id = firsts.customer_id
),

said as (
    {%- for attribute, value in values.items() %}
    select
        customer_id,
        first_day,
        valid_from,
        is_listed,
        '{{ attribute }}' as attribute,
        {{ 'has_' ~ attribute if attribute in ['mobile', 'email', 'address'] else attribute ~ ' is not null' }} as is_filled,
        {{ value if value else 'cast(null as varchar)' }} as value,
        {{ 'cast(consent_updated_at as date)' if attribute == 'consent_marketing' else 'cast(null as date)' }} as dated_on
    from versions
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

compared as (
    select
        said.*,
        lag(value) over by_attribute as previous_value,
        lag(valid_from) over by_attribute as previous_valid_from
    from said
    window by_attribute as (partition by customer_id, attribute order by valid_from asc nulls first)
),

customer_attributes_dated as (
    select
        customer_id,
        attribute,
        is_listed,
        is_filled,
        valid_from,
        lead(valid_from, 1, {{ end_of_time() }}) over by_attribute as valid_to,
        case
            when not is_filled or value is null then null
            when attribute = 'consent_marketing' then dated_on
            else max(
                case
                    when previous_valid_from is null then first_day
                    when value is distinct from previous_value then greatest(valid_from, first_day)
                end
            ) over by_attribute
        end as stands_since
    from compared
    window by_attribute as (partition by customer_id, attribute order by valid_from asc nulls first)
)

select * from customer_attributes_dated
