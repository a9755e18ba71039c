-- Every opening, movement and closing counts once, valued at the customer's assets at the end of the month before; what those
-- who close in the tier have gained since is a term of its own, so both sums close exactly.
with months as (
    select * from {{ ref('int_months') }}
    where is_complete
),

policies as (
    select * from {{ ref('dim_tier_policies') }}
    where is_active
),

history as (
    select * from {{ ref('fct_customer_tier_history') }}
    where known_to = cast({{ end_of_time() }} as timestamp)
),

assets as (
    select
        customer_key,
        month,
        sum(eop_amount) as amount
    from {{ ref('fct_customer_aum_monthly') }}
    group by customer_key, month
),

tiers as (
    select tier_code from policies
    union
    select tier_code from history
),

entries as (
    {%- for entry, at in [('opening', 'months.month - 1'), ('closing', 'months.month_end')] %}
    select
        months.month,
        history.tier_code,
        history.customer_key,
        '{{ entry }}' as entry,
        false as is_begin
    from months
    inner join history
        on history.valid_from <= {{ at }} and history.valid_to > {{ at }}
    union all
    {%- endfor %}
    {%- for side, tier in [('_in', 'tier_code'), ('_out', 'previous_tier_code')] %}
    select
        {{ month_start('valid_from') }} as month,
        {{ tier }} as tier_code,
        customer_key,
        case when movement in ('up', 'down') then movement || '{{ side }}' else movement end as entry,
        reason = 'history_begins' as is_begin
    from history
    where movement in ('up', 'down', {{ "'opened', 'won_back'" if side == '_in' else "'exited'" }})
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

fct_tier_flows as (
    select
        months.month,
        tiers.tier_code,
        max(policies.policy_version) as policy_version,
        {%- for entry in ['opening', 'opened', 'up_in', 'up_out', 'down_in', 'down_out', 'won_back', 'exited', 'closing'] %}
        {%- set value = 'assets.amount' if entry == 'closing' else 'before.amount' %}
        count(case when entries.entry = '{{ entry }}' then 1 end) as {{ entry }}{{ '_count' if entry in ('opening', 'closing') }},
        cast(coalesce(sum(case when entries.entry = '{{ entry }}' then {{ value }} end), 0) as decimal(18, 2)) as {{ entry }}_amount,
        {%- endfor %}
        count(case when entries.is_begin then 1 end) as opened_history_begins,
        cast(
            coalesce(sum(case when entries.entry = 'closing' then coalesce(assets.amount, 0) - coalesce(before.amount, 0) end), 0)
            as decimal(18, 2)
        ) as retained_change_amount
    from months
    cross join tiers
    left join policies
        on policies.tier_rank = 1 and policies.effective_from <= months.month and policies.effective_to > months.month
    left join entries
        on months.month = entries.month and tiers.tier_code = entries.tier_code
    left join assets as before
        on entries.customer_key = before.customer_key and before.month = entries.month - {{ months('1') }}
    left join assets
        on entries.customer_key = assets.customer_key and entries.month = assets.month
    where tiers.tier_code is not null
    group by months.month, tiers.tier_code
)

select * from fct_tier_flows
