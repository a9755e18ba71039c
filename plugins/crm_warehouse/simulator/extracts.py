"""One query per extract: what its source knew at the end of business date $d. Columns are those of the file."""

# money() and utc() are defined where the queries run: fen to decimal(18, 2), local seconds to an ISO instant.
EXTRACTS = {
    ("core", "customers"): """
        select
            format('C{:08d}', customer + 1) as customer_id, customer_name, id_type, id_number, gender, birth_date,
            case when changed_on <= $d then mobile_later else mobile end as mobile, email, address, region_code,
            city_tier, industry_code, occupation_code, education, marital_status, 'personal' as customer_type,
            case when risk > 0 then format('C{}', case when changed_on <= $d then risk % 5 + 1 else risk end) end
                as risk_rating,
            case when risk = 0 then null when changed_on <= $d then cast(changed_on + interval 1 year as date)
                else rated_until end as risk_rating_expires_on,
            cast(declared_wealth_amount as decimal(18, 2)) as declared_wealth_amount,
            case when onboarded_again_on <= $d then onboarded_again_on else onboarded_on end as onboarded_on,
            case when onboarded_again_on <= $d then null when closed_on <= $d then closed_on end as closed_on,
            format('B{:03d}', branch + 1) as branch_id, consent_marketing, utc(consented) as consent_updated_at
        from customers where onboarded_on <= $d""",
    ("core", "accounts"): """
        select
            format('A{:010d}', account + 1) as account_id, format('C{:08d}', customer + 1) as customer_id, product_id,
            currency_code, format('B{:03d}', branch + 1) as branch_id, opened_on,
            case when closed_on <= $d then closed_on end as closed_on,
            case when closed_on <= $d then 'closed' when is_dormant then 'dormant' else 'open' end as account_status
        from accounts where opened_on <= $d""",
    ("core", "account_holders"): """
        select
            format('A{:010d}', account + 1) as account_id,
            format('C{:08d}', account_holders.customer + 1) as customer_id,
            case when is_joint then 'joint' else 'owner' end as holder_role,
            cast(share as decimal(9, 6)) as share_fraction
        from account_holders inner join accounts using (account)
        where opened_on <= $d order by account, is_joint""",
    ("core", "balances"): """
        select
            format('A{:010d}', account + 1) as account_id, date as balance_date, basis as balance_basis,
            money(amount) as balance_amount, currency_code
        from balances where sent_on = $d""",
    ("core", "transactions"): """
        select
            format('T{:012d}', transaction + 1) as transaction_id, format('A{:010d}', account + 1) as account_id,
            utc(second) as posted_at, date as transaction_date, money(amount) as amount, currency_code,
            case when amount < 0 then 'debit' else 'credit' end as direction, transaction_type, channel,
            case when has_token then format('{:016x}', token) end as counterparty_name_token,
            institution as counterparty_institution_id, counterparty as counterparty_type, is_own_name,
            case when reversal_of >= 0 then format('T{:012d}', reversal_of + 1) end as reversal_of
        from transactions where sent_on = $d""",
    ("core", "loans"): """
        select
            format('L{:08d}', loan + 1) as loan_id, date as loan_date, format('C{:08d}', customer + 1) as customer_id,
            product_id, 'CNY' as currency_code, money(principal) as principal_amount, money(owed) as outstanding_amount,
            cast(rate as decimal(9, 6)) as interest_rate, opened_on, matures_on, overdue as days_past_due,
            cast(pd as decimal(9, 6)) as probability_of_default, cast(lgd as decimal(9, 6)) as loss_given_default
        from loans where sent_on = $d""",
    ("core", "cards"): """
        select
            format('K{:08d}', card + 1) as card_id, format('C{:08d}', customer + 1) as customer_id,
            'CARD-CLS' as product_id, money("limit") as credit_limit_amount,
            money(case when closed_on <= $d then 0 else owed end) as outstanding_amount, issued_on,
            case when closed_on <= $d then closed_on end as closed_on
        from cards where issued_on <= $d and month = date_trunc('month', $d)""",
    ("core", "fees"): """
        select
            format('F{:010d}', number + 1) as fee_id, format('C{:08d}', customer + 1) as customer_id,
            format('A{:010d}', account + 1) as account_id, date as fee_date, fee as fee_type,
            money(listed) as list_amount, money(charged) as charged_amount, 'CNY' as currency_code,
            waiver as waiver_reason
        from fees where sent_on = $d""",
    ("wealth", "products"): """
        select
            product_id, name as product_name, family as product_family, risk as risk_level, currency as currency_code,
            cast(minimum as decimal(18, 2)) as minimum_amount, term_days, launched_on,
            cast(fee_rate as decimal(18, 9)) as fee_rate, counts_in_aum
        from products where launched_on <= $d""",
    ("wealth", "holdings"): """
        select
            format('C{:08d}', customer + 1) as customer_id, cast(product_id as varchar) as product_id,
            date as holding_date, cast(basis as varchar) as balance_basis,
            cast(cast(nullif(units, -1) as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6))
                as units,
            money(value) as market_value_amount, money(nullif(cost, -1)) as cost_amount, 'CNY' as currency_code
        from holdings where sent_on = $d""",
    ("crm", "relationship_managers"): """
        select
            format('R{:05d}', manager + 1) as rm_id, format('B{:03d}', branch + 1) as branch_id, grade,
            'relationship_manager' as role, hired_on, case when left_on <= $d then left_on end as left_on,
            case when left_on <= $d then leave_reason end as leave_reason
        from relationship_managers where hired_on <= $d""",
    ("crm", "rm_assignments"): """
        select
            format('C{:08d}', customer + 1) as customer_id, format('R{:05d}', manager + 1) as rm_id,
            role as assignment_role, valid_from, case when valid_to <= $d then valid_to end as valid_to
        from rm_assignments where valid_from <= $d""",
    ("crm", "contacts"): """
        select
            format('V{:010d}', contact + 1) as contact_id, format('C{:08d}', customer + 1) as customer_id,
            format('R{:05d}', manager + 1) as rm_id, utc(second) as contacted_at, channel, purpose,
            cast(nullif(minutes, -1) as bigint) as duration_minutes, outcome,
            format('{:016x}', fingerprint) as note_fingerprint
        from contacts where sent_on = $d""",
    ("crm", "programmes"): """
        select
            format('C{:08d}', customer + 1) as customer_id, programme as programme_type, joined_on,
            case when left_on <= $d then left_on end as left_on, entitled as entitled_units,
            least(entitled, cast(floor(pace * datediff('month', joined_on, least(left_on, $d))) as bigint))
                as used_units,
            money(cost) as cost_amount
        from programmes where joined_on <= $d""",
    ("finance", "ftp_rates"): """
        select product_family, tenor_days, currency_code, effective_on, cast(rate as decimal(9, 6)) as rate
        from ftp_rates where effective_on <= $d""",
    ("finance", "unit_costs"): """
        select
            activity, channel, month, cast(full_unit_cost as decimal(18, 2)) as full_unit_cost,
            cast(avoidable_unit_cost as decimal(18, 2)) as avoidable_unit_cost
        from unit_costs""",
    ("reference", "fx_rates"): """
        select currency as currency_code, date as rate_date, cast(rate as decimal(18, 8)) as cny_per_unit
        from fx_rates where sent_on = $d""",
    ("reference", "branches"): "select branch_id, branch_name, region_code, region_name, city_tier from branches",
    ("reference", "calendar"): "select calendar_date, is_business_day, holiday_name from calendar",
}

# Columns whose sum stands in the control file.
CONTROL_TOTALS = {
    "balances": "balance_amount", "transactions": "amount", "loans": "outstanding_amount", "fees": "charged_amount",
    "holdings": "market_value_amount",
}  # fmt: skip
