-- Money on a deposit times the days it was there, over days of one price, in the currency of the deposit and, day by day, in
-- the bank's: it is added up before anything is multiplied, as there are far fewer such spans than days.
-- Only the few positions whose holders or branches change are cut where they do.
with periods as (
    select distinct
        position_id,
        valid_from,
        valid_to
    from {{ ref('int_position_holders') }}
    where position_id in (
        select position_id from {{ ref('int_position_holders') }}
        where valid_from > cast('0001-01-01' as date) or valid_to < {{ end_of_time() }}
    )
),

spans as (
    select
        spans.*,
        moves.branch_id as moved_branch_id,
        coalesce(moves.valid_from, cast('0001-01-01' as date)) as kept_from,
        coalesce(moves.valid_to, {{ end_of_time() }}) as kept_to,
        coalesce(periods.valid_from, cast('0001-01-01' as date)) as held_from,
        coalesce(periods.valid_to, {{ end_of_time() }}) as held_to
    from {{ ref('int_position_spans_converted') }} as spans
    left join periods
        on
            spans.position_id = periods.position_id
            and spans.span_from < periods.valid_to
            and spans.span_to > periods.valid_from
    left join {{ ref('int_branch_moves') }} as moves
        on
            spans.position_id = moves.holder_id
            and spans.span_from < moves.valid_to
            and spans.span_to > moves.valid_from
),

priced as (
    select
        spans.*,
        margins.customer_rate,
        margins.transfer_price,
        least(spans.span_to, spans.held_to, spans.kept_to, margins.valid_to)
        - greatest(spans.span_from, spans.held_from, spans.kept_from, margins.valid_from) as days
    from spans
    inner join {{ ref('int_deposit_margin_spans') }} as margins
        on
            spans.product_id = margins.product_id
            and spans.span_from < margins.valid_to
            and spans.span_to > margins.valid_from
),

deposit_money_spans as (
    select
        position_id,
        product_id,
        currency_code,
        month,
        held_from,
        held_to,
        moved_branch_id,
        customer_rate,
        transfer_price,
        cast(sum(observed_amount * days) as decimal(24, 6)) as amount_days,
        cast(sum(reporting_amount * days) as decimal(24, 6)) as reporting_amount_days
    from priced
    where days > 0
    group by position_id, product_id, currency_code, month, held_from, held_to, moved_branch_id, customer_rate, transfer_price
)

select * from deposit_money_spans
