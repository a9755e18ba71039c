-- For each loss maker and possible reason: what it would be with what is usual among profitable peers, and how much worse it is.
-- Volume is compared at the peers' margin and the margin at the own volume, so both add up to the whole gap in interest.
{%- set reasons = [
    ('rate', 'own.volume_amount * peers.margin_rate', 'own.net_interest_amount', true),
    ('balance', 'peers.volume_amount * peers.margin_rate', 'own.volume_amount * peers.margin_rate', true),
    ('channel_mix', 'own.transactions * peers.transaction_cost', 'own.transactions_amount', false),
    ('rm_time', 'peers.contacts_amount', 'own.contacts_amount', false),
    ('expected_loss', 'peers.expected_loss_amount', 'own.expected_loss_amount', false),
    ('perks', 'peers.perks_amount', 'own.perks_amount', false),
    ('waiver', 'peers.waived_amount', 'own.waived_amount', false),
] %}
with measured as (
    select
        loss_makers.customer_id,
        loss_makers.month,
        measured.contribution_amount,
        measured.net_interest_amount,
        -- Wide enough for a product of a large balance and a rate of six places.
        cast(measured.volume_amount as decimal(24, 2)) as volume_amount,
        cast(measured.transactions as decimal(18, 0)) as transactions,
        measured.transactions_amount,
        measured.contacts_amount,
        measured.expected_loss_amount,
        measured.perks_amount,
        measured.waived_amount,
        measured.tier_code
    from {{ ref('int_loss_makers') }} as loss_makers
    inner join {{ ref('int_contributions_measured') }} as measured
        on loss_makers.customer_id = measured.customer_id and loss_makers.month = measured.month
),

own as (
    select
        measured.*,
        case when of_tier.month is not null then measured.tier_code end as peer_tier_code
    from measured
    left join {{ ref('int_profitable_peers') }} as of_tier
        on measured.month = of_tier.month and measured.tier_code = of_tier.tier_code
),

compared as (
    {%- for reason, usual, actual, is_income in reasons %}
    select
        own.customer_id,
        own.month,
        '{{ reason }}' as reason_code,
        {{ loop.index }} as reason_number,
        cast(round({{ usual }}, 2) as decimal(18, 2)) as peer_median_amount,
        cast(round({{ '(' ~ usual ~ ') - (' ~ actual ~ ')' if is_income else '(' ~ actual ~ ') - (' ~ usual ~ ')' }}, 2) as decimal(18, 2)) as gap_amount
    from own
    inner join {{ ref('int_profitable_peers') }} as peers
        on own.month = peers.month and own.peer_tier_code is not distinct from peers.tier_code
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from compared
