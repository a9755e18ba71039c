with ranked as (
    select
        reasons.*,
        row_number() over (
            partition by reasons.customer_id, reasons.month
            order by reasons.gap_amount desc nulls last, reasons.reason_number asc nulls first
        ) as place
    from {{ ref('int_loss_reasons') }} as reasons
),

fct_loss_making_customers as (
    select
        keys.customer_key,
        loss_makers.month,
        measured.contribution_amount as contribution_avoidable_amount,
        cast(loss_makers.months_negative as integer) as months_negative_of_6,
        -- Nothing is worse than usual in a month in which the customer does not lose: then there is no reason to name.
        case when ranked.gap_amount > 0 then ranked.reason_code end as reason_code,
        case when ranked.gap_amount > 0 then ranked.gap_amount end as reason_gap_amount,
        case when ranked.gap_amount > 0 then ranked.peer_median_amount end as peer_median_amount,
        loss_makers.is_exempt
    from {{ ref('int_loss_makers') }} as loss_makers
    inner join {{ ref('int_customer_keys') }} as keys
        on loss_makers.customer_id = keys.customer_id
    inner join {{ ref('int_contributions_measured') }} as measured
        on loss_makers.customer_id = measured.customer_id and loss_makers.month = measured.month
    left join ranked
        on
            loss_makers.customer_id = ranked.customer_id
            and loss_makers.month = ranked.month
            and ranked.place = 1
)

select * from fct_loss_making_customers
