-- What the next twelve months bring if each part of the last half-year persists at its own pace: p of it in the next half-year, p x p in
-- the one after. Fewer than six months are taken for six.
{%- set parts = {
    'net_interest_deposits_amount': 1, 'net_interest_loans_amount': 1, 'fee_income_amount': 1,
    'expected_loss_amount': -1, 'cost_to_serve_avoidable_amount': -1, 'perks_amount': -1,
} %}

with halves as (
    select
        customer_id,
        month,
        {%- for part in parts %}
        case when count({{ part }}) over half_before = count(*) over half_before then sum({{ part }}) over half_before end as {{ part }},
        {%- endfor %}
        count(*) over half_before as months_before
    from (
        select
            parts.*,
            extract(year from parts.month) * 12 + extract(month from parts.month) as month_number
        from {{ ref('int_customer_contribution_parts') }} as parts
    ) as parts
    window half_before as (partition by customer_id order by month_number asc nulls last range between 5 preceding and current row)
),

weighed as (
    select
        halves.customer_id,
        halves.month,
        halves.months_before,
        -- A part that was nought so far has nothing to persist.
        {% for part, sign in parts.items() %}{{ "+ " if sign > 0 else "- " }}cast(halves.{{ part }} as decimal(16, 2)) * cast(
            6 * (coalesce(learned.{{ part }}_persistence, 0) + coalesce(learned.{{ part }}_persistence * learned.{{ part }}_persistence, 0))
            as decimal(20, 12)
        )
        {% endfor %} as six_halves_amount
    from halves
    inner join {{ ref('int_component_persistences_learned') }} as learned
        on halves.month = learned.month
),

component_years_predicted as (
    select
        customer_id,
        month,
        {{ exact_quotient('six_halves_amount', 'months_before') }} as predicted_amount
    from weighed
)

select * from component_years_predicted
