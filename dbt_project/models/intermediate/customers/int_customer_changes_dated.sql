-- The days on which anything said of a customer may change, from the first with the bank to the business date. What is to come
-- (a birthday, the end of an assignment) is not known to come about.
with firsts as (
    select
        customer_id,
        min(spell_from) as first_day
    from {{ ref('int_customer_spells') }}
    group by customer_id
),

dates as (
    select
        customer_id,
        first_day as changed_on
    from firsts
    {%- for model in [
        'int_customer_versions_dated', 'int_customer_ages_dated', 'int_customer_risks_dated', 'int_customer_tiers_dated',
        'int_customer_managers_dated', 'int_customer_persons_dated', 'int_customer_spells_followed',
    ] %}
    {%- for column in ['valid_from', 'valid_to'] %}
    union
    select
        customer_id,
        {{ column }} as changed_on
    from {{ ref(model) }}
    {%- endfor %}
    {%- endfor %}
    union
    select
        customer_id,
        closed_on as changed_on
    from {{ ref('int_customer_spells_followed') }}
    where closed_on is not null
),

customer_changes_dated as (
    select
        dates.customer_id,
        dates.changed_on as valid_from,
        lead(dates.changed_on, 1, {{ end_of_time() }}) over (
            partition by dates.customer_id
            order by dates.changed_on asc nulls first
        ) as valid_to
    from dates
    inner join firsts
        on
            dates.customer_id = firsts.customer_id
            and dates.changed_on >= firsts.first_day
    where dates.changed_on <= {{ as_of() }}
)

select * from customer_changes_dated
