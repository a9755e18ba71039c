-- The narrowest cell of the life table that has enough customer-months for the customer; null while not even the bank has.
with states as (
    select
        customer_id,
        month,
        tier_code,
        tier_code || '|' || tenure_band as tenure_cell,
        tier_code || '|' || tenure_band || '|' || age_band as own_cell
    from {{ ref('int_customer_value_states') }}
    where is_here
),

life_tables as (
    select * from {{ ref('int_life_tables') }}
),

cells as (
    select distinct
        month,
        tier_code,
        tenure_cell,
        own_cell
    from states
),

pooled as (
    select
        cells.*,
        coalesce(own.cell, tenure.cell, tier.cell, bank.cell) as cell
    from cells
    left join life_tables as own
        on cells.month = own.month and cells.own_cell = own.cell
    left join life_tables as tenure
        on cells.month = tenure.month and cells.tenure_cell = tenure.cell
    left join life_tables as tier
        on cells.month = tier.month and cells.tier_code = tier.cell
    left join life_tables as bank
        on cells.month = bank.month and bank.cell = ''
),

customer_cells_pooled as (
    select
        states.customer_id,
        states.month,
        states.tier_code,
        states.tenure_cell,
        states.own_cell,
        pooled.cell
    from states
    inner join pooled
        on states.month = pooled.month and states.own_cell = pooled.own_cell
)

select * from customer_cells_pooled
