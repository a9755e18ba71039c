-- Customers' lines by branch and currency. What was earned or done for somebody who was not a customer of the bank that
-- month (an account before its customer, a fee after the end; somebody who was erased) belongs to no customer, and is said so.
with contribution_line_sums as (
    select
        lines.month,
        lines.component,
        lines.branch_id,
        lines.currency_code,
        sum(case when months.customer_id is not null then lines.line_amount else 0 end) as customer_amount,
        sum(case when months.customer_id is null then lines.line_amount else 0 end) as other_amount,
        sum(case when {{ is_erased('lines.customer_id') }} then lines.line_amount else 0 end) as erased_amount,
        sum(case when months.customer_id is not null and not lines.is_missing then lines.reporting_amount else 0 end)
            as customer_reporting_amount,
        sum(case when lines.is_missing then 1 else 0 end) as missing_count
    from {{ ref('int_customer_contribution_lines') }} as lines
    left join {{ ref('int_customer_months') }} as months
        on lines.customer_id = months.customer_id and lines.month = months.month
    group by lines.month, lines.component, lines.branch_id, lines.currency_code
)

select * from contribution_line_sums
