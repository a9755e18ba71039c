-- dim_customers is the history on the business date, in every column: two ways to the same rows.
{%- set columns = [
    'customer_key', 'tier_code', 'region_code', 'city_tier', 'age_band', 'gender', 'occupation_code', 'industry_code', 'risk_rating',
    'onboarded_on', 'closed_on', 'branch_id', 'primary_rm_id', 'is_founder_generation', 'is_county', 'is_sole_proprietor',
    'is_cautious', 'is_merged_record',
] %}
with latest as (
    select {{ columns | join(', ') }} from {{ ref('dim_customers') }}
),

open_intervals as (
    select {{ columns | join(', ') }} from {{ ref('dim_customers_history') }}
    where valid_from <= {{ as_of() }} and valid_to > {{ as_of() }}
),

differing as (
    {%- for one, other in [('latest', 'open_intervals'), ('open_intervals', 'latest')] %}
    select * from (
        select * from {{ one }}
        except
        select * from {{ other }}
    ) as rest
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from differing
