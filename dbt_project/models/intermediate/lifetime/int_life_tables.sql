-- For each month and cell how many customer-months had been followed to their end by then, and in how many the customer left. Cells
-- are of four widths: tier, tenure and age; tier and tenure; tier; the bank (''). A bank of which nobody was ever seen to leave may
-- not tell who leaves: then nothing is learned.
with months as (
    select * from {{ ref('int_value_parameters_dated') }}
),

-- Who is here when a month begins is exposed in it; who is still here when it ends is followed no further (censored). A
-- month that is not over says nothing.
exposed as (
    select
        months.month as known_month,
        states.tier_code,
        states.tenure_band,
        states.age_band,
        count(*) as customer_months,
        count(case when states.spell_to < months.month + {{ months('1') }} then 1 end) as exits
    from {{ ref('int_customer_value_states') }} as states
    inner join months
        on states.month + {{ months('1') }} = months.month
    where states.is_here and months.is_complete
    group by months.month, states.tier_code, states.tenure_band, states.age_band
),

widened as (
    select
        exposed.known_month,
        exposed.customer_months,
        exposed.exits,
        case widths.width
            when 3 then exposed.tier_code || '|' || exposed.tenure_band || '|' || exposed.age_band
            when 2 then exposed.tier_code || '|' || exposed.tenure_band
            when 1 then exposed.tier_code
            else ''
        end as cell
    from exposed
    cross join (values (0), (1), (2), (3)) as widths (width)
),

summed as (
    select
        months.month,
        months.life_table_min_exits,
        widened.cell,
        cast(sum(widened.customer_months) as bigint) as customer_months,
        cast(sum(widened.exits) as bigint) as exits
    from months
    inner join widened
        on months.month >= widened.known_month
    group by months.month, widened.cell, months.life_table_min_months, months.life_table_min_exits
    -- From a handful nothing is learned.
    having sum(widened.customer_months) >= months.life_table_min_months
),

bank_wide as (
    select
        summed.*,
        max(case when cell = '' then exits end) over (partition by month) as bank_exits
    from summed
),

life_tables as (
    select
        month,
        cell,
        customer_months,
        exits
    from bank_wide
    where bank_exits >= life_table_min_exits
)

select * from life_tables
