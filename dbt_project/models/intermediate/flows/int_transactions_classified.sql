-- Each transaction in money that comes in (+) or goes out (-), with what policy takes it for. What takes a transaction back is
-- of the class of what it takes back. Nothing is left out: what cannot be classed says why in `correction_reason`.
with transactions as (
    select
        *,
        case direction when 'credit' then amount else -amount end as signed_amount
    from {{ ref('stg_core__transactions') }}
    where business_date <= {{ as_of() }}
),

originals as (
    select
        reversals.transaction_id as reversal_id,
        originals.*
    from transactions as reversals
    inner join transactions as originals
        on reversals.reversal_of = originals.transaction_id
),

kinds as (
    select
        transactions.*,
        coalesce(originals.business_date, transactions.business_date) as kind_date,
        coalesce(originals.transaction_type, transactions.transaction_type) as kind_type,
        case when originals.reversal_id is null then transactions.counterparty_type else originals.counterparty_type end as kind_counterparty,
        case when originals.reversal_id is null then transactions.is_own_name else originals.is_own_name end as kind_own_name,
        transactions.reversal_of is not null and originals.reversal_id is null as is_orphan
    from transactions
    left join originals
        on transactions.transaction_id = originals.reversal_id
),

reasoned as (
    select
        kinds.*,
        classes.flow_class,
        classes.flow_use,
        fx.rate,
        case
            when accounts.account_id is null then 'unknown_account'
            when not coalesce(products.counts_in_aum, false) then 'outside_assets'
            when fx.rate is null then 'currency_without_rate'
            when kinds.is_orphan then 'reversal_without_original'
            when classes.flow_class is null then 'unclassified'
        end as correction_reason
    from kinds
    left join {{ ref('int_accounts_latest') }} as accounts
        on kinds.account_id = accounts.account_id
    left join {{ ref('int_products_latest') }} as products
        on accounts.product_id = products.product_id
    left join {{ ref('int_fx_spans') }} as fx
        on
            kinds.currency_code = fx.currency_code
            and kinds.business_date >= fx.valid_from
            and kinds.business_date < fx.valid_to
    left join {{ ref('int_transaction_kinds_classified') }} as classes
        on
            kinds.kind_date = classes.business_date
            and kinds.kind_type = classes.transaction_type
            and kinds.kind_counterparty is not distinct from classes.counterparty_type
            and kinds.kind_own_name is not distinct from classes.is_own_name
),

transactions_classified as (
    select
        transaction_id,
        'account:' || account_id as position_id,
        business_date,
        {{ month_start('business_date') }} as month,
        posted_at,
        currency_code,
        cast(signed_amount as decimal(18, 2)) as amount,
        cast(signed_amount * rate as decimal(20, 6)) as reporting_amount,
        transaction_type,
        channel,
        counterparty_type,
        counterparty_institution_id,
        counterparty_name_token,
        is_own_name,
        reversal_of,
        correction_reason,
        case when correction_reason is null then flow_class else 'correction' end as flow_class,
        case when correction_reason is null then flow_use end as flow_use
    from reasoned
)

select * from transactions_classified
