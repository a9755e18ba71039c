-- A customer's intervals cover the days from the first with the bank to the end of time, without gap or overlap, and neighbours
-- differ in something.
{%- set said = [
    'is_listed', 'tier_code', 'region_code', 'city_tier', 'age_band', 'gender', 'occupation_code', 'industry_code', 'risk_rating',
    'onboarded_on', 'closed_on', 'branch_id', 'primary_rm_id', 'is_founder_generation', 'is_cautious', 'is_merged_record',
    'first_record_key',
] %}
with intervals as (
    select
        history.*,
        lead(valid_from, 1, {{ end_of_time() }}) over by_customer as next_valid_from,
        {%- for column in said %}
        lag({{ column }}) over by_customer as previous_{{ column }},
        {%- endfor %}
        lag(valid_from) over by_customer as previous_valid_from,
        min(onboarded_on) over (partition by customer_key) as first_onboarded_on
    from {{ ref('dim_customers_history') }} as history
    window by_customer as (partition by customer_key order by valid_from asc nulls first)
)

select * from intervals
where
    valid_to <> next_valid_from
    or valid_from >= valid_to
    or (previous_valid_from is null and valid_from <> first_onboarded_on)
    or (
        previous_valid_from is not null
        {%- for column in said %}
        and {{ column }} is not distinct from previous_{{ column }}
        {%- endfor %}
    )
