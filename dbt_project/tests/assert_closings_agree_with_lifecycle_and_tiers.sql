-- A closing is a row of churn, the begin of lost, and (of a customer who held a tier until then) an exit: the same day in all three.
with closings as (
    select
        customer_key,
        closed_on
    from {{ ref('fct_customer_churn') }}
    where is_closed
),

lost as (
    select
        customer_key,
        valid_from as closed_on
    from {{ ref('fct_customer_lifecycle_history') }}
    where state = 'lost' and reason = 'closed'
),

tiers as (
    select * from {{ ref('fct_customer_tier_history') }}
    where known_to = cast({{ end_of_time() }} as timestamp)
),

exits as (
    select
        customer_key,
        valid_from as closed_on
    from tiers
    where movement = 'exited' and reason = 'relationship_closed'
),

held as (
    select
        closings.customer_key,
        closings.closed_on
    from closings
    inner join tiers
        on
            closings.customer_key = tiers.customer_key
            and closings.closed_on - 1 >= tiers.valid_from
            and closings.closed_on - 1 < tiers.valid_to
            and tiers.tier_code is not null
),

months as (
    select min(month) as first_month from {{ ref('int_months') }}
)

-- Of several closings in a month churn names the last.
{%- set other_closing_in_month %}
not exists (
    select 1 from closings as last_closings
    where
        last_closings.customer_key = closed.customer_key
        and {{ month_start('last_closings.closed_on - 1') }} = {{ month_start('closed.closed_on - 1') }}
        and last_closings.closed_on >= closed.closed_on
)
{%- endset %}

select
    closings.customer_key,
    closings.closed_on,
    'closed but not lost' as what
from closings
left join lost
    on closings.customer_key = lost.customer_key and closings.closed_on = lost.closed_on
where lost.customer_key is null
union all
select
    closed.customer_key,
    closed.closed_on,
    'lost but not closed' as what
from lost as closed
cross join months
where closed.closed_on > months.first_month and {{ other_closing_in_month }}
union all
select
    closed.customer_key,
    closed.closed_on,
    'left the tier but not closed' as what
from exits as closed
where {{ other_closing_in_month }}
union all
select
    held.customer_key,
    held.closed_on,
    'closed but kept the tier' as what
from held
left join exits
    on held.customer_key = exits.customer_key and held.closed_on = exits.closed_on
where exits.customer_key is null
