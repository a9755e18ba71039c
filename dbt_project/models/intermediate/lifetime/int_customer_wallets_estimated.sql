-- All that a customer may have anywhere, by the highest of three: what the bank holds, what was declared, and what one in so many
-- peers keeps here. Too few peers: the next wider group, without tenure, then occupation, then city tier, then age.
with states as (
    select
        states.customer_id,
        states.month,
        states.declared_wealth_amount,
        years.assets_amount,
        states.age_band || '|' || states.city_tier || '|' || states.occupation_code || '|' || states.tenure_band as group_4,
        states.age_band || '|' || states.city_tier || '|' || states.occupation_code as group_3,
        states.age_band || '|' || states.city_tier as group_2,
        states.age_band as group_1,
        '' as group_0
    from {{ ref('int_customer_value_states') }} as states
    inner join {{ ref('int_customer_years_trailed') }} as years
        on states.customer_id = years.customer_id and states.month = years.month
    where states.is_here
),

ranked as (
    {% for width in range(5) %}
    select
        month,
        {{ width }} as width,
        group_{{ width }} as peer_group,
        assets_amount,
        row_number() over (partition by month, group_{{ width }} order by assets_amount asc nulls last, customer_id asc nulls last) as place,
        count(*) over (partition by month, group_{{ width }}) as peers
    from states
    {{ "union all" if not loop.last }}
    {% endfor %}
),

peers as (
    select
        ranked.month,
        ranked.width,
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
        coalesce({% for width in range(4, -1, -1) %}peers_{{ width }}.assets_amount{{ ", " if not loop.last }}{% endfor %}) as peer_amount
    from states
    {% for width in range(5) %}
    left join peers as peers_{{ width }}
        on states.month = peers_{{ width }}.month and states.group_{{ width }} = peers_{{ width }}.peer_group and peers_{{ width }}.width = {{ width }}
    {% endfor %}
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
