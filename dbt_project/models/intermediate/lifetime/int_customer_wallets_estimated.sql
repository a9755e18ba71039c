-- All that a customer may have anywhere, by the highest of three: what the bank holds, what was declared, and what one in so many
-- peers brings here. Too few peers: the next wider group, without tenure, then occupation, then city tier, then age.
{%- set traits = ['states.age_band', 'states.city_tier', 'states.occupation_code', 'states.tenure_band'] %}
{%- set groups = [] %}
{%- for width in range(4, 0, -1) %}
{%- do groups.append(traits[:width] | join(" || '|' || ")) %}
{%- endfor %}
{%- do groups.append("''") %}

with states as (
    select
        states.*,
        years.assets_amount
    from {{ ref('int_customer_value_states') }} as states
    inner join {{ ref('int_customer_years_trailed') }} as years
        on states.customer_id = years.customer_id and states.month = years.month
    where states.is_here
),

grouped as (
    {%- for group in groups %}
    select
        states.customer_id,
        states.month,
        states.assets_amount,
        {{ group }} as peer_group
    from states
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

ranked as (
    select
        grouped.*,
        row_number() over (partition by month, peer_group order by assets_amount asc nulls last, customer_id asc nulls last) as place,
        count(*) over (partition by month, peer_group) as peers
    from grouped
),

peers as (
    select
        ranked.month,
        ranked.peer_group,
        ranked.assets_amount
    from ranked
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on ranked.month = parameters.month
    where
        ranked.peers >= parameters.wallet_min_customers
        and ranked.place = ceil(parameters.peer_wallet_quantile * ranked.peers)
),

estimated as (
    select
        states.customer_id,
        states.month,
        states.assets_amount,
        states.declared_wealth_amount,
        coalesce({% for group in groups %}peers_{{ loop.index }}.assets_amount{{ ", " if not loop.last }}{% endfor %}) as peer_amount
    from states
    {%- for group in groups %}
    left join peers as peers_{{ loop.index }}
        on states.month = peers_{{ loop.index }}.month and {{ group }} = peers_{{ loop.index }}.peer_group
    {%- endfor %}
),

customer_wallets_estimated as (
    select
        customer_id,
        month,
        assets_amount,
        greatest(assets_amount, declared_wealth_amount, peer_amount) as wealth_stock_amount,
        case
            when assets_amount >= greatest(assets_amount, declared_wealth_amount, peer_amount) then 'own'
            when declared_wealth_amount >= greatest(declared_wealth_amount, peer_amount) then 'declared'
            else 'peer_quantile'
        end as wealth_stock_source
    from estimated
)

select * from customer_wallets_estimated
