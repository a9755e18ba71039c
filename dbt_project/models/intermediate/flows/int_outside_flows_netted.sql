-- Each payment of a customer to or from a platform, another bank, a broker or a lender, once for each holder, less what took it
-- back. A reversal counts on the day of what it takes back, at its rate and for its holders: so no purchase is below nothing.
with classified as (
    select * from {{ ref('int_transactions_classified') }}
    where flow_class = 'external'
),

taken_back as (
    select
        reversal_of as transaction_id,
        sum(amount) as amount
    from classified
    where reversal_of is not null
    group by reversal_of
),

reduced as (
    select
        originals.transaction_id,
        fx.rate,
        -- Nothing can be taken back twice.
        case
            when originals.amount < 0 then least(originals.amount + taken_back.amount, 0)
            else greatest(originals.amount + taken_back.amount, 0)
        end as amount
    from classified as originals
    inner join taken_back
        on originals.transaction_id = taken_back.transaction_id
    inner join {{ ref('int_fx_spans') }} as fx
        on
            originals.currency_code = fx.currency_code
            and originals.business_date >= fx.valid_from
            and originals.business_date < fx.valid_to
),

outside_flows_netted as (
    select
        flows.transaction_id,
        flows.customer_id,
        flows.business_date,
        flows.month,
        flows.counterparty_type,
        flows.counterparty_institution_id,
        flows.counterparty_name_token,
        flows.is_own_name,
        flows.flow_use,
        flows.amount < 0 as is_outflow,
        cast(abs(case
            when reduced.transaction_id is null then flows.held_amount
            else cast(reduced.amount * reduced.rate as decimal(20, 6)) * flows.share_fraction
        end) as decimal(26, 12)) as flow_amount
    from {{ ref('int_transactions_attributed') }} as flows
    -- People: the marts are of retail customers.
    inner join {{ ref('int_customers_latest') }} as customers
        on flows.customer_id = customers.customer_id
    left join reduced
        on flows.transaction_id = reduced.transaction_id
    where
        flows.flow_class = 'external'
        and flows.reversal_of is null
        and flows.counterparty_type in ('payment_platform', 'other_bank', 'broker', 'online_lender')
)

select * from outside_flows_netted
