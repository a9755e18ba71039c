-- For months the bank states by average, that statement is the month; for others the day-end spans are.
with months as (
    select * from {{ ref('int_months') }}
),

statements as (
    select
        observed.position_kind,
        observed.position_id,
        observed.product_id,
        observed.currency_code,
        observed.observed_amount,
        months.month,
        months.month as span_from,
        months.month_end + 1 as span_to
    from {{ ref('int_positions_observed') }} as observed
    inner join months
        on {{ month_start('observed.business_date') }} = months.month
    where observed.balance_basis = 'monthly_average'
),

stated as (
    select distinct
        position_kind,
        month
    from statements
),

day_spans as (
    select
        spans.position_kind,
        spans.position_id,
        spans.product_id,
        spans.currency_code,
        spans.observed_amount,
        months.month,
        greatest(spans.valid_from, months.month) as span_from,
        least(spans.valid_to, months.month_end + 1) as span_to
    from {{ ref('int_position_day_spans') }} as spans
    inner join months
        on
            spans.valid_from <= months.month_end
            and spans.valid_to > months.month
    left join stated
        on
            spans.position_kind = stated.position_kind
            and months.month = stated.month
    where stated.month is null
),

position_month_spans as (
    select * from statements
    union all
    select * from day_spans
)

select * from position_month_spans
