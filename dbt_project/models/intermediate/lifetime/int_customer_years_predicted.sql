-- What models other than the score say that the next twelve months bring, where they have learned something of the customer.
with customer_years_predicted as (
    select
        customer_id,
        month,
        'components_persist' as model,
        predicted_amount
    from {{ ref('int_component_years_predicted') }}
    where predicted_amount is not null
    union all
    select
        states.customer_id,
        states.month,
        'markov_chain' as model,
        years.predicted_amount
    from {{ ref('int_customer_value_states') }} as states
    inner join {{ ref('int_tier_years_predicted') }} as years
        on states.month = years.month and states.tier_code = years.tier_code
)

select * from customer_years_predicted
