-- What the sources show of causes that are no customer's choice, by policy `churn_signs`: on which day, of whom.
with policy as (
    select
        signs.*,
        lead(effective_from, 1, {{ end_of_time() }}) over (
            partition by source_table, source_column, code
            order by effective_from asc nulls first
        ) as effective_to
    from {{ ref('churn_signs') }} as signs
),

{% for table, column, moment in [
    ('crm__service_requests', 'category', 'opened_at'),
    ('crm__service_requests', 'resolution', 'resolved_at'),
    ('crm__contacts', 'purpose', 'contacted_at'),
    ('crm__contacts', 'outcome', 'contacted_at'),
] -%}
{{ column }}_signs as (
    select
        policy.cause,
        said.customer_id,
        cast(said.{{ moment }} as date) as sign_on
    from {{ ref('stg_' ~ table) }} as said
    inner join policy
        on
            policy.source_table = '{{ table }}'
            and policy.source_column = '{{ column }}'
            and said.{{ column }} = policy.code
            and cast(said.{{ moment }} as date) >= policy.effective_from
            and cast(said.{{ moment }} as date) < policy.effective_to
    where said.customer_id is not null and said.{{ moment }} < {{ as_of() }} + 1
),

{% endfor -%}
churn_signs as (
    select distinct * from category_signs
    union
    select distinct * from resolution_signs
    union
    select distinct * from purpose_signs
    union
    select distinct * from outcome_signs
)

select * from churn_signs
