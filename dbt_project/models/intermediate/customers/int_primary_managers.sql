with assignments as (
    select
        customer_id,
        rm_id,
        row_number() over (
            partition by customer_id
            order by business_date desc nulls last, valid_from desc nulls last, rm_id asc nulls last
        ) as recency
    from {{ ref('stg_crm__rm_assignments') }}
    where
        assignment_role = 'primary'
        and valid_from <= {{ as_of() }}
        and (valid_to is null or valid_to > {{ as_of() }})
        -- Only what the latest delivery still says.
        and business_date = (select max(business_date) from {{ ref('stg_crm__rm_assignments') }})
),

primary_managers as (
    select
        customer_id,
        rm_id
    from assignments
    where recency = 1
)

select * from primary_managers
