-- How much of each part of a contribution persists from one half-year to the next, as far as could be seen by each month: the slope
-- through nought of what a customer brought in the six months after on what they brought in the six before. Who left brought nothing.
{%- set parts = ['net_interest_deposits_amount', 'net_interest_loans_amount', 'fee_income_amount', 'expected_loss_amount', 'cost_to_serve_avoidable_amount', 'perks_amount'] %}

with halves as (
    select
        customer_id,
        month,
        {%- for part in parts %}
        case when count({{ part }}) over half_before = count(*) over half_before then sum({{ part }}) over half_before end as {{ part }}_before,
        case when count({{ part }}) over half_after = count(*) over half_after then coalesce(sum({{ part }}) over half_after, 0) end as {{ part }}_after,
        {%- endfor %}
        count(*) over half_before as months_before
    from (
        select
            parts.*,
            extract(year from parts.month) * 12 + extract(month from parts.month) as month_number
        from {{ ref('int_customer_contribution_parts') }} as parts
    ) as parts
    window
        half_before as (partition by customer_id order by month_number asc nulls last range between 5 preceding and current row),
        half_after as (partition by customer_id order by month_number asc nulls last range between 1 following and 6 following)
),

-- Added up by the month in which both halves were over.
summed as (
    select
        {%- for part in parts %}
        cast(sum(cast({{ part }}_before as decimal(20, 2)) * cast({{ part }}_after as decimal(18, 2))) as decimal(38, 4)) as {{ part }}_product,
        cast(sum(cast({{ part }}_before as decimal(20, 2)) * cast(
            case when {{ part }}_after is not null then {{ part }}_before end as decimal(18, 2)
        )) as decimal(38, 4)) as {{ part }}_square,
        {%- endfor %}
        months.month as known_month
    from halves
    inner join {{ ref('int_months') }} as months
        on halves.month + {{ months('6') }} = months.month
    where halves.months_before = 6 and months.is_complete
    group by months.month
),

component_persistences_learned as (
    select
        {%- for part in parts %}
        {{ exact_ratio('cast(sum(' ~ part ~ '_product) as decimal(36, 2))', 'cast(sum(' ~ part ~ '_square) as decimal(36, 2))') }} as {{ part }}_persistence,
        {%- endfor %}
        months.month
    from {{ ref('int_months') }} as months
    inner join summed
        on months.month >= summed.known_month
    group by months.month
)

select * from component_persistences_learned
