-- A programme costs its amount for every month in which the customer is a member for at least a day.
with programmes as (
    select * from {{ ref('stg_crm__programmes') }}
    where business_date = (select max(business_date) from {{ ref('stg_crm__programmes') }})
),

perk_lines as (
    select
        programmes.customer_id,
        months.month,
        coalesce(moves.branch_id, customers.branch_id) as branch_id,
        '{{ var("reporting_currency") }}' as currency_code,
        cast(sum(programmes.cost_amount) as decimal(18, 6)) as cost_amount
    from programmes
    inner join {{ ref('int_months') }} as months
        on
            programmes.joined_on <= months.month_end
            and (programmes.left_on is null or programmes.left_on > months.month)
    left join {{ ref('int_customer_branches_latest') }} as customers
        on programmes.customer_id = customers.customer_id
    {{ branch_moves_of("'customer:' || programmes.customer_id", 'months.month_end') }}
    group by programmes.customer_id, months.month, coalesce(moves.branch_id, customers.branch_id)
)

select * from perk_lines
