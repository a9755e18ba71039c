-- Where the holders of a position change within a month, what each holds at its end less what they held at its beginning and what
-- came to them meanwhile: it moves assets from one customer to another, and over the holders of a position it is nothing.
with changed as (
    select
        position_id,
        {{ month_start('valid_from') }} as month
    from {{ ref('int_position_holders') }}
    where valid_from > cast('0001-01-01' as date)
    union distinct
    select
        position_id,
        {{ month_start('valid_to') }} as month
    from {{ ref('int_position_holders') }}
    where valid_to < {{ end_of_time() }}
),

bridged as (
    select
        bridged.*,
        cast(
            closing_amount - fx_amount - market_amount - unexplained_amount - overdraft_reporting_amount - units_reporting_amount
            as decimal(20, 6)
        ) as kept_amount
    from {{ ref('int_position_months_bridged') }} as bridged
    inner join changed
        on
            bridged.position_id = changed.position_id
            and bridged.month = changed.month
),

held as (
    select
        holders.customer_id,
        bridged.position_id,
        bridged.currency_code,
        bridged.month,
        case
            when holders.valid_to > bridged.month_end then cast(bridged.kept_amount * holders.share_fraction as decimal(26, 12))
            else 0
        end - case
            when holders.valid_from <= bridged.opening_end then cast(bridged.opening_amount * holders.share_fraction as decimal(26, 12))
            else 0
        end as amount
    from bridged
    inner join {{ ref('int_position_holders') }} as holders
        on
            bridged.position_id = holders.position_id
            and bridged.month_end >= holders.valid_from
            and bridged.opening_end < holders.valid_to
    union all
    select
        flows.customer_id,
        flows.position_id,
        flows.currency_code,
        flows.month,
        -flows.held_amount as amount
    from {{ ref('int_transactions_attributed') }} as flows
    inner join bridged
        on
            flows.position_id = bridged.position_id
            and flows.currency_code = bridged.currency_code
            and flows.month = bridged.month
    where {{ moves_position('flows.correction_reason') }}
),

holder_changes as (
    select
        held.customer_id,
        held.currency_code,
        held.month,
        -- Of a position that others than known persons hold, too, the other side is not shown.
        case when known.position_id is null then 'holder_not_known' end as correction_reason,
        cast(sum(held.amount) as decimal(32, 12)) as amount
    from held
    left join {{ ref('int_positions_known') }} as known
        on held.position_id = known.position_id
    group by held.customer_id, held.currency_code, held.month, known.position_id is null
)

select * from holder_changes
