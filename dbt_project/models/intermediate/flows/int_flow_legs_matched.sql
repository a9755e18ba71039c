-- Conversions and transfers within the bank have two legs: what leaves one position reaches another on the same day, in the same
-- currency and amount. Legs are matched one to one, first with those of the same customer. One that stays alone, or whose
-- position is not held by known persons alone, is not matched.
with legs as (
    select
        transactions.transaction_id as leg_id,
        transactions.flow_class,
        accounts.customer_id,
        transactions.position_id,
        transactions.business_date,
        transactions.currency_code,
        transactions.amount
    from {{ ref('int_transactions_classified') }} as transactions
    inner join {{ ref('int_accounts_latest') }} as accounts
        on transactions.position_id = 'account:' || accounts.account_id
    where transactions.flow_class in ('conversion', 'internal')
    union all
    select
        'order:' || order_id as leg_id,
        flow_class,
        customer_id,
        position_id,
        business_date,
        currency_code,
        amount
    from {{ ref('int_orders_converted') }}
    where flow_class = 'conversion'
),

own as (
    select
        legs.*,
        known.position_id is not null as is_known,
        row_number() over (leg order by legs.leg_id asc nulls last) as place,
        count(*) over leg as same_way,
        count(*) over (
            partition by known.position_id is not null, legs.flow_class, legs.business_date, legs.currency_code, abs(legs.amount), legs.customer_id
        ) as both_ways
    from legs
    left join {{ ref('int_positions_known') }} as known
        on legs.position_id = known.position_id
    window leg as (
        partition by known.position_id is not null, legs.flow_class, legs.business_date, legs.currency_code, legs.amount, legs.customer_id
    )
),

left_over as (
    select
        own.*,
        row_number() over (leg order by leg_id asc nulls last) as other_place,
        count(*) over leg as other_same_way,
        count(*) over (partition by flow_class, business_date, currency_code, abs(amount)) as other_both_ways
    from own
    where is_known and place > both_ways - same_way
    window leg as (partition by flow_class, business_date, currency_code, amount)
),

flow_legs_matched as (
    select leg_id from own
    where is_known and place <= both_ways - same_way
    union all
    select leg_id from left_over
    where other_place <= other_both_ways - other_same_way
)

select * from flow_legs_matched
