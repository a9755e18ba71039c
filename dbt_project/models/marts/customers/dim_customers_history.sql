-- The attributes that completeness is counted over: what a bank records of every customer.
{%- set expected = [
    'region_code', 'city_tier', 'age_band', 'gender', 'occupation_code', 'industry_code', 'risk_rating', 'branch_id',
] %}
with histories as (
    select
        histories.*,
        (
            {%- for attribute in expected %}
            case when {{ attribute }} is null then 0 else 1 end{{ ' +' if not loop.last }}
            {%- endfor %}
        ) as attributes_filled
    from {{ ref('int_customer_histories_joined') }} as histories
),

keys as (
    select * from {{ ref('int_customer_keys') }}
),

dim_customers_history as (
    select
        keys.customer_key,
        histories.valid_from,
        histories.valid_to,
        histories.is_listed,
        histories.tier_code,
        histories.region_code,
        histories.city_tier,
        histories.age_band,
        histories.gender,
        histories.occupation_code,
        histories.industry_code,
        histories.risk_rating,
        histories.onboarded_on,
        histories.closed_on,
        histories.branch_id,
        histories.rm_id as primary_rm_id,
        histories.is_founder_generation,
        histories.city_tier = 'county' as is_county,
        histories.occupation_code = 'self_employed' as is_sole_proprietor,
        histories.is_cautious,
        histories.first_record_id is not null as is_merged_record,
        coalesce(firsts.customer_key, keys.customer_key) as first_record_key,
        histories.attributes_filled,
        {{ expected | length }} as attributes_expected,
        {{ exact_ratio('histories.attributes_filled', expected | length | string) }} as completeness_ratio
    from histories
    inner join keys
        on histories.customer_id = keys.customer_id
    left join keys as firsts
        on histories.first_record_id = firsts.customer_id
)

select * from dim_customers_history
