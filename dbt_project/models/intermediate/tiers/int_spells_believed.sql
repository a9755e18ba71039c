{{ config(materialized='view') }}
with past as (
    select * from {{ beliefs('spells') }}
    where belief_number in (select belief_number from {{ ref('int_beliefs') }})
),

present as (
    select
        beliefs.belief_number,
        spells.*
    from {{ ref('int_tier_spells') }} as spells
    inner join {{ ref('int_beliefs') }} as beliefs
        on beliefs.is_present
),

spells_believed as (
    select * from past
    union all
    select * from present
)

select * from spells_believed
