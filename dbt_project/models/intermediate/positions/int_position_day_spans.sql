-- A day-end amount stands until the next one. Balances are followed by account (an account that is not delivered has not
-- moved); a holding ends with the next delivery that does not name it.
with observed as (
    select * from {{ ref('int_positions_observed') }}
    where balance_basis = 'end_of_day'
),

deliveries as (
    select
        business_date,
        lead(business_date) over (order by business_date asc nulls first) as next_business_date
    from (
        select distinct business_date from observed
        where position_kind = 'holding'
    ) as days
),

spans as (
    select
        observed.position_kind,
        observed.position_id,
        observed.product_id,
        observed.currency_code,
        observed.observed_amount,
        observed.stated_amount,
        observed.units,
        observed.business_date as valid_from,
        least(
            coalesce(
                deliveries.next_business_date,
                lead(observed.business_date) over (
                    partition by observed.position_id
                    order by observed.business_date asc nulls first
                ),
                {{ as_of() }} + 1
            ),
            coalesce(observed.closed_on, {{ end_of_time() }})
        ) as valid_to
    from observed
    left join deliveries
        on
            observed.position_kind = 'holding'
            and observed.business_date = deliveries.business_date
),

position_day_spans as (
    select * from spans
    where valid_to > valid_from
)

select * from position_day_spans
