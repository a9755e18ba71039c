{{ config(materialized='view') }}
with past as (
    select * from {{ beliefs('spells') }}
),

present as (
    select
        beliefs.belief_number,
        spells.*
    from {{ ref('int_tier_spells') }} as spells
    cross join (select belief_number from {{ ref('int_beliefs') }} where is_present) as beliefs
),

spells_believed as (
    select * from past
    union all
    select * from present
)

select * from spells_believed
