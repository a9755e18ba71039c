-- Opening + in - out = closing, in customers and in assets; and what closes is what opens the month after.
with flows as (
    select * from {{ ref('fct_tier_flows') }}
)

select
    flows.month,
    flows.tier_code
from flows
left join flows as later
    on
        flows.tier_code = later.tier_code
        and later.month = cast(flows.month + {{ months('1') }} as date)
where
    flows.closing_count
    <> flows.opening_count + flows.opened + flows.up_in + flows.down_in + flows.won_back - flows.up_out - flows.down_out - flows.exited
    or flows.closing_amount
    <> flows.opening_amount + flows.opened_amount + flows.up_in_amount + flows.down_in_amount + flows.won_back_amount
    - flows.up_out_amount - flows.down_out_amount - flows.exited_amount + flows.retained_change_amount
    or later.opening_count <> flows.closing_count
    or later.opening_amount <> flows.closing_amount
