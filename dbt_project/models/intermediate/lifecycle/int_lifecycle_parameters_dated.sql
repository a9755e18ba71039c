-- For each month every number that churn and the lifecycle take from policy, as in force on its first day; null where the bank has
-- decided none. Whether the bank tells of closings at all, and whether policy names, of what the bank provides, events of a customer's own
-- and signs of a cause that is no choice.
{%- set tables = {
    'transaction': 'core__transactions', 'contact': 'crm__contacts', 'order': 'wealth__orders',
    'service_request': 'crm__service_requests', 'survey': 'crm__surveys',
} %}
with months as (
    select * from {{ ref('int_months') }}
),

parameters as (
    select * from {{ ref('int_parameter_spans') }}
),

events as (
    select min(effective_from) as told_from
    from {{ ref('customer_events') }}
    where
        counts
        and event_type in ('none'{% for event_type, table in tables.items() if is_provided(table) %}, '{{ event_type }}'{% endfor %})
),

signs as (
    select min(effective_from) as told_from
    from {{ ref('churn_signs') }}
    where source_table in ('none'{% for table in tables.values() if is_provided(table) %}, '{{ table }}'{% endfor %})
),

closings as (
    select count(*) as closings
    from {{ ref('int_customer_spells') }}
    where spell_to < {{ end_of_time() }}
),

lifecycle_parameters_dated as (
    select
        months.month,
        months.month_end,
        months.is_complete,
        months.is_fed,
        cast(extract(year from months.month) * 12 + extract(month from months.month) as integer) as month_number,
        {%- for name in [
            'relationship_gap_days', 'value_churn_window_months', 'value_churn_months', 'silent_churn_days', 'silent_watch_days',
            'churn_sign_days', 'lifecycle_onboarding_months', 'lifecycle_trend_months', 'lifecycle_won_back_months',
        ] %}
        cast(max(case when parameters.parameter = '{{ name }}' then parameters.value end) as integer) as {{ name }},
        {%- endfor %}
        {%- for name in [
            'value_churn_max_share', 'value_churn_min_amount', 'lifecycle_growth_min_share', 'lifecycle_decline_min_share',
            'lifecycle_trend_min_amount',
        ] %}
        max(case when parameters.parameter = '{{ name }}' then parameters.value end) as {{ name }},
        {%- endfor %}
        -- Nobody ever left a bank that does not say so.
        coalesce(
            max(closings.closings) >= max(case when parameters.parameter = 'life_table_min_exits' then parameters.value end), false
        ) as has_closings,
        coalesce(max(events.told_from) <= months.month_end, false) as has_events,
        coalesce(max(signs.told_from) <= months.month_end, false) as has_signs,
        -- The same on every row.
        min(months.month) over () as first_month,
        max(months.month) over () as last_month
    from months
    cross join events
    cross join signs
    cross join closings
    left join parameters
        on
            parameters.valid_from <= months.month
            and parameters.valid_to > months.month
    group by months.month, months.month_end, months.is_complete, months.is_fed
)

select * from lifecycle_parameters_dated
