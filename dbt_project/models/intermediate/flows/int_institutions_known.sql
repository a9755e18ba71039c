-- Every institution that the bank can name: those of its latest table, and those that policy adds.
with stated as (
    select institution_id
    from {{ ref('stg_reference__institutions') }}
    where business_date = (
        select max(business_date) from {{ ref('stg_reference__institutions') }}
        where business_date <= {{ as_of() }}
    )
),

mapped as (
    select distinct institution_id
    from {{ ref('counterparty_mappings') }}
),

institutions_known as (
    select
        coalesce(stated.institution_id, mapped.institution_id) as institution_id,
        stated.institution_id is not null as is_stated
    from stated
    full outer join mapped
        on stated.institution_id = mapped.institution_id
)

select * from institutions_known
