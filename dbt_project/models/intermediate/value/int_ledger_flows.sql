-- What the general ledger booked in a month: the difference of two balances of the year so far, which begins again in
-- January. A month without a closing before it is the ledger's opening and has no flow.
with balances as (
    select * from {{ ref('stg_finance__ledger_balances') }}
    where business_date <= {{ as_of() }}
),

closings as (
    select
        {{ month_start('business_date') }} as month,
        max(business_date) as closed_on
    from balances
    group by {{ month_start('business_date') }}
),

closed as (
    select
        closings.month,
        closings.closed_on,
        previous.closed_on as previous_closed_on
    from closings
    inner join {{ ref('int_months') }} as months
        on closings.month = months.month and months.is_complete
    left join closings as previous
        on closings.month = cast(previous.month + {{ months(1) }} as date)
    where previous.month is not null or extract(month from closings.month) = 1
),

changes as (
    select
        closed.month,
        balances.ledger_code,
        balances.branch_id,
        balances.currency_code,
        case when balances.business_date = closed.closed_on then balances.balance_amount else -balances.balance_amount end as amount
    from closed
    inner join balances
        on
            balances.business_date = closed.closed_on
            or (balances.business_date = closed.previous_closed_on and extract(month from closed.month) > 1)
),

ledger_flows as (
    select
        changes.month,
        lines.ledger_code,
        lines.reconciled_with,
        changes.branch_id,
        changes.currency_code,
        cast(sum(changes.amount) as decimal(18, 2)) as ledger_amount
    from changes
    inner join {{ ref('ledger_contribution_lines') }} as lines
        on
            changes.ledger_code = lines.ledger_code
            and changes.month >= lines.effective_from
            and changes.month < coalesce(lines.effective_to, {{ end_of_time() }})
    group by changes.month, lines.ledger_code, lines.reconciled_with, changes.branch_id, changes.currency_code
)

select * from ledger_flows
