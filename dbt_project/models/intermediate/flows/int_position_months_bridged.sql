-- Why a position's month ends otherwise than it began, exactly: closing = opening + what was posted or ordered + each of these. What
-- an account's postings do not explain is left over; what a holding's orders and units do not explain is the market.
with rates as (
    select
        months.month,
        fx.currency_code,
        fx.rate
    from {{ ref('int_bridge_parameters_dated') }} as months
    inner join {{ ref('int_fx_spans') }} as fx
        on
            months.month_end >= fx.valid_from
            and months.month_end < fx.valid_to
),

changed as (
    select
        changed.*,
        changed.position_id like 'holding:%' as is_holding,
        rates.rate,
        -- Units that came or went without an order, at the last price of the month.
        case
            when not changed.is_without_units and changed.units_unexplained <> 0
                then coalesce({{ part_of('prices.observed_amount', 'changed.units_unexplained', 'prices.units') }}, 0)
            else 0
        end as units_amount
    from {{ ref('int_position_months_changed') }} as changed
    inner join rates
        on
            changed.currency_code = rates.currency_code
            and changed.month = rates.month
    left join {{ ref('int_holding_prices_latest') }} as prices
        on
            changed.position_id = prices.position_id
            and changed.currency_code = prices.currency_code
            and changed.month = prices.month
),

explained as (
    select
        changed.*,
        -- What an overdraft takes from a balance does not come off assets, which it cannot bring below nothing.
        cast(counted_change - stated_change as decimal(18, 2)) as overdraft_amount,
        cast((counted_change - stated_change) * rate as decimal(20, 6)) as overdraft_reporting_amount,
        cast(units_amount * rate as decimal(20, 6)) as units_reporting_amount,
        cast((stated_change - moved_amount - units_amount) * rate as decimal(20, 6)) as rest_reporting_amount
    from changed
),

position_months_bridged as (
    select
        position_id,
        currency_code,
        month,
        month_end,
        opening_end,
        customer_id,
        opening_amount,
        closing_amount,
        overdraft_amount,
        overdraft_reporting_amount,
        units_amount,
        units_reporting_amount,
        case when is_holding then rest_reporting_amount else 0 end as market_amount,
        case when is_holding then 0 else rest_reporting_amount end as unexplained_amount,
        cast(
            closing_amount - opening_amount - moved_reporting_amount - overdraft_reporting_amount - units_reporting_amount
            - rest_reporting_amount as decimal(20, 6)
        ) as fx_amount
    from explained
)

select * from position_months_bridged
