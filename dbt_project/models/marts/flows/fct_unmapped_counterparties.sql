with unmapped as (
    select
        flows.*,
        coalesce(counterparty_institution_id, counterparty_name_token, 'none') as counterparty,
        case
            when counterparty_institution_id is not null then 'institution'
            when counterparty_name_token is not null then 'name'
            else 'none'
        end as counterparty_kind
    from {{ ref('int_outside_flows_identified') }} as flows
    where institution_id is null
),

summed as (
    select
        counterparty,
        counterparty_kind,
        counterparty_type,
        count(distinct transaction_id) as transactions,
        count(distinct customer_id) as customers,
        cast(round(sum(case when is_outflow then flow_amount else 0 end), 2) as decimal(18, 2)) as outflow_amount,
        min(business_date) as first_on,
        max(business_date) as last_on
    from unmapped
    group by counterparty, counterparty_kind, counterparty_type
),

fct_unmapped_counterparties as (
    select
        counterparty,
        counterparty_kind,
        counterparty_type,
        transactions,
        customers,
        outflow_amount,
        first_on,
        last_on,
        row_number() over (
            order by
                outflow_amount desc nulls last,
                counterparty_type asc nulls last,
                counterparty_kind asc nulls last,
                counterparty asc nulls last
        ) as amount_rank
    from summed
)

select * from fct_unmapped_counterparties
