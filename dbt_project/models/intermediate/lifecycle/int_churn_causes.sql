-- The latest sign of a cause that is no customer's choice, of those dated within policy churn_sign_days up to a month's end.
with signs as (
    select
        months.customer_id,
        months.month,
        signs.cause,
        signs.sign_on,
        row_number() over (
            partition by months.customer_id, months.month
            order by signs.sign_on desc nulls last, signs.cause asc nulls first
        ) as place
    from {{ ref('int_churn_signs') }} as signs
    inner join {{ ref('int_customer_months') }} as months
        on signs.customer_id = months.customer_id
    inner join {{ ref('int_lifecycle_parameters_dated') }} as parameters
        on months.month = parameters.month
    where
        signs.sign_on <= months.month_end
        and months.month_end - signs.sign_on <= parameters.churn_sign_days
),

churn_causes as (
    select
        customer_id,
        month,
        cause,
        sign_on
    from signs
    where place = 1
)

select * from churn_causes
