with flows as (
    select * from {{ ref('int_ledger_flows') }}
),

closed_months as (
    select distinct month from flows
),

entries as (
    select
        month,
        ledger_code,
        branch_id,
        currency_code,
        0 as warehouse_amount,
        case when reconciled_with = 'no_customer' then ledger_amount else 0 end as unallocated_amount,
        0 as erased_amount,
        ledger_amount,
        0 as warehouse_reporting_amount,
        0 as missing_count
    from flows
    union all
    select
        sums.month,
        lines.ledger_code,
        sums.branch_id,
        sums.currency_code,
        cast(sums.customer_amount as decimal(18, 2)) as warehouse_amount,
        cast(sums.other_amount as decimal(18, 2)) as unallocated_amount,
        cast(sums.erased_amount as decimal(18, 2)) as erased_amount,
        0 as ledger_amount,
        cast(sums.customer_reporting_amount as decimal(18, 2)) as warehouse_reporting_amount,
        sums.missing_count
    from {{ ref('int_contribution_line_sums') }} as sums
    inner join closed_months
        on sums.month = closed_months.month
    inner join {{ ref('ledger_contribution_lines') }} as lines
        on
            sums.component = lines.reconciled_with
            and sums.month >= lines.effective_from
            and sums.month < coalesce(lines.effective_to, {{ end_of_time() }})
    where sums.customer_amount <> 0 or sums.other_amount <> 0 or sums.missing_count > 0
),

cells as (
    select
        month,
        ledger_code,
        branch_id,
        currency_code,
        cast(sum(warehouse_amount) as decimal(18, 2)) as warehouse_amount,
        cast(sum(unallocated_amount) as decimal(18, 2)) as unallocated_amount,
        cast(sum(erased_amount) as decimal(18, 2)) as erased_amount,
        cast(sum(ledger_amount) as decimal(18, 2)) as ledger_amount,
        cast(sum(ledger_amount - warehouse_amount - unallocated_amount) as decimal(18, 2)) as difference_amount,
        cast(sum(warehouse_reporting_amount) as decimal(18, 2)) as warehouse_reporting_amount,
        cast(sum(missing_count) as bigint) as missing_count
    from entries
    group by month, ledger_code, branch_id, currency_code
),

fct_ledger_reconciliation as (
    select
        cells.month,
        cells.ledger_code,
        lines.line_name_en,
        lines.line_name_zh,
        lines.reconciled_with,
        cells.branch_id,
        cells.currency_code,
        cells.warehouse_amount,
        cells.unallocated_amount,
        cells.erased_amount,
        cells.ledger_amount,
        cells.difference_amount,
        case
            when cells.missing_count = 0
                then abs(cells.difference_amount) <= greatest(least_amount.value, most_share.value * abs(cells.ledger_amount))
        end as is_reconciled,
        cells.missing_count,
        cells.warehouse_reporting_amount
    from cells
    inner join {{ ref('ledger_contribution_lines') }} as lines
        on
            cells.ledger_code = lines.ledger_code
            and cells.month >= lines.effective_from
            and cells.month < coalesce(lines.effective_to, {{ end_of_time() }})
    inner join {{ ref('int_parameter_spans') }} as most_share
        on
            most_share.parameter = 'ledger_difference_max_share'
            and cells.month >= most_share.valid_from
            and cells.month < most_share.valid_to
    inner join {{ ref('int_parameter_spans') }} as least_amount
        on
            least_amount.parameter = 'ledger_difference_rounding_amount'
            and cells.month >= least_amount.valid_from
            and cells.month < least_amount.valid_to
)

select * from fct_ledger_reconciliation
