-- What is said of a customer from day to day; equal neighbours are one interval.
{%- set sources = {
    'spells': ['onboarded_on'],
    'versions': [
        'is_listed', 'region_code', 'city_tier', 'gender', 'occupation_code', 'industry_code', 'risk_rating', 'branch_id',
    ],
    'ages': ['age_band', 'is_founder_generation'],
    'risks': ['is_cautious'],
    'tiers': ['tier_code'],
    'managers': ['rm_id'],
    'persons': ['first_record_id'],
} %}
{%- set models = {
    'spells': 'int_customer_spells_followed', 'versions': 'int_customer_versions_dated', 'ages': 'int_customer_ages_dated',
    'risks': 'int_customer_risks_dated', 'tiers': 'int_customer_tiers_dated', 'managers': 'int_customer_managers_dated',
    'persons': 'int_customer_persons_dated',
} %}
{%- set said = (sources.values() | sum(start=[])) + ['closed_on'] %}
with changes as (
    select * from {{ ref('int_customer_changes_dated') }}
),

described as (
    select
        changes.customer_id,
        changes.valid_from,
        {%- for source, columns in sources.items() %}
        {%- for column in columns %}
        {{ source }}.{{ column }},
        {%- endfor %}
        {%- endfor %}
        case when spells.closed_on <= changes.valid_from then spells.closed_on end as closed_on
    from changes
    {% for source, model in models.items() -%}
    left join {{ ref(model) }} as {{ source }}
        on
            changes.customer_id = {{ source }}.customer_id
            and changes.valid_from >= {{ source }}.valid_from
            and changes.valid_from < {{ source }}.valid_to
    {% endfor %}
),

compared as (
    select
        described.*,
        {%- for column in said %}
        lag({{ column }}) over by_customer as previous_{{ column }},
        {%- endfor %}
        lag(valid_from) over by_customer as previous_valid_from
    from described
    window by_customer as (partition by customer_id order by valid_from asc nulls first)
),

customer_histories_joined as (
    select
        customer_id,
        valid_from,
        lead(valid_from, 1, {{ end_of_time() }}) over (partition by customer_id order by valid_from asc nulls first) as valid_to,
        {{ said | join(', ') }}
    from compared
    where
        previous_valid_from is null
        {%- for column in said %}
        or {{ column }} is distinct from previous_{{ column }}
        {%- endfor %}
)

select * from customer_histories_joined
