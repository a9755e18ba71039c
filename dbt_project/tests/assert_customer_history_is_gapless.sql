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
        lag(valid_from) over by_customer is null as is_first,
        min(onboarded_on) over (partition by customer_key) as first_onboarded_on,
        {%- for column in said %}
        {{ column }} is not distinct from lag({{ column }}) over by_customer{{ ' and' if not loop.last }}
        {%- endfor %} as is_same
    from {{ ref('dim_customers_history') }} as history
    window by_customer as (partition by customer_key order by valid_from asc nulls first)
)

select * from intervals
where
    valid_to <> next_valid_from
    or valid_from >= valid_to
    or (is_first and valid_from <> first_onboarded_on)
    or (not is_first and is_same)
