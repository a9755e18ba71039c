-- The primary relationship manager at each month's end, as the latest delivery of the CRM tells it.
with assignments as (
    select
        assignments.customer_id,
        months.month,
        assignments.rm_id,
        row_number() over (
            partition by assignments.customer_id, months.month
            order by assignments.valid_from desc nulls last, assignments.rm_id asc nulls last
        ) as recency
    from {{ ref('stg_crm__rm_assignments') }} as assignments
    inner join {{ ref('int_months') }} as months
        on
            assignments.valid_from <= months.month_end
            and (assignments.valid_to is null or assignments.valid_to > months.month_end)
    where
        assignments.assignment_role = 'primary'
        and assignments.business_date = (select max(business_date) from {{ ref('stg_crm__rm_assignments') }})
),

customer_managers_assigned as (
    select
        customer_id,
        month,
        rm_id
    from assignments
    where recency = 1
)

select * from customer_managers_assigned
