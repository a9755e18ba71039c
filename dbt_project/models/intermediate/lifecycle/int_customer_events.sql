{{ config(materialized='view') }}
-- Everything in the sources that may be a customer's own act, by day and kind. A transaction is that of each person named on its
-- account, also of one who holds no share: nobody can tell which of them it was. Timestamps count by their day as it stands.
with transactions as (
    select
        coalesce(holders.customer_id, accounts.customer_id) as customer_id,
        transactions.business_date as event_on,
        'transaction' as event_type,
        transactions.channel,
        transactions.flow_use as purpose,
        cast(null as varchar) as outcome
    from {{ ref('int_transactions_classified') }} as transactions
    inner join {{ ref('int_accounts_latest') }} as accounts
        on transactions.position_id = 'account:' || accounts.account_id
    left join {{ ref('int_account_holders') }} as holders
        on
            accounts.account_id = holders.account_id
            and transactions.business_date >= holders.valid_from
            and transactions.business_date < holders.valid_to
),

{% for event_type, table, moment, channel, purpose, outcome in [
    ('contact', 'stg_crm__contacts', 'contacted_at', 'channel', 'purpose', 'outcome'),
    ('order', 'stg_wealth__orders', 'business_date', 'null', 'side', 'null'),
    ('service_request', 'stg_crm__service_requests', 'opened_at', 'channel', 'category', 'null'),
    ('survey', 'stg_crm__surveys', 'answered_at', 'null', 'survey_type', 'null'),
] -%}
{{ event_type }}s as (
    select
        customer_id,
        cast({{ moment }} as date) as event_on,
        '{{ event_type }}' as event_type,
        cast({{ channel }} as varchar) as channel,
        cast({{ purpose }} as varchar) as purpose,
        cast({{ outcome }} as varchar) as outcome
    from {{ ref(table) }}
    where {{ moment }} < {{ as_of() }} + 1
),

{% endfor -%}
customer_events as (
    select * from transactions
    union all
    select * from contacts
    union all
    select * from orders
    union all
    select * from service_requests
    union all
    select * from surveys
)

select * from customer_events
