-- What is usual among profitable customers of a month: of each tier with enough of them, and (without a tier) of all. Of an
-- even number the lower one of the middle two.
{%- set measures = ['volume_amount', 'margin_rate', 'transaction_cost', 'contacts_amount', 'expected_loss_amount', 'perks_amount', 'waived_amount'] %}
with members as (
    select
        month,
        tier_code,
        {{ measures | join(', ') }}
    from {{ ref('int_contributions_measured') }}
    where contribution_amount >= 0 and tier_code is not null
    union all
    select
        month,
        cast(null as varchar) as tier_code,
        {{ measures | join(', ') }}
    from {{ ref('int_contributions_measured') }}
    where contribution_amount >= 0
),

profitable_peers as (
    select
        members.month,
        members.tier_code,
        {%- for measure in measures %}
        percentile_disc(0.5) within group (order by members.{{ measure }} asc) as {{ measure }},
        {%- endfor %}
        count(*) as peers
    from members
    inner join {{ ref('int_value_parameters_dated') }} as policy
        on members.month = policy.month
    group by members.month, members.tier_code, policy.loss_peers_min
    having count(*) >= policy.loss_peers_min
)

select * from profitable_peers
