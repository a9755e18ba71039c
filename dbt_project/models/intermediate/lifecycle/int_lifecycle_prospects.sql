-- From when to the opening a customer was a prospect; told from the warehouse's first month on.
with relationships as (
    select * from {{ ref('int_customer_relationships') }}
),

lifecycle_prospects as (
    select
        relationships.customer_id,
        greatest(cast(min(prospects.created_at) as date), min(relationships.first_month)) as valid_from,
        cast(null as integer) as relationship_number,
        'prospect' as state,
        case
            when cast(min(prospects.created_at) as date) < min(relationships.first_month) then 'history_begins' else 'recorded'
        end as reason
    from {{ ref('stg_crm__prospects') }} as prospects
    inner join relationships
        on prospects.converted_customer_id = relationships.customer_id
    group by relationships.customer_id
    having greatest(cast(min(prospects.created_at) as date), min(relationships.first_month)) < min(relationships.spell_from)
)

select * from lifecycle_prospects
