"""One query per extract: what its source knew at the end of business date $d. Columns are those of the file.

$since and $until are the local seconds that a delivery covers: the end of the one before, its own end. Defined where
the queries run: money() and written() turn fen into decimal(18, 2) and its text, utc() local seconds into an ISO instant;
happened() does so for what has happened by then; is_news() and has_come() say whether it did in or by this delivery.
"""

# Income and cost since the first of January, as they stand on each closing; head-office cost is of no customer. What
# came before the history is taken to be as its first month, and the day before it is its opening.
PROFITS = """
    with closings as (
        select distinct date as closed_on from fx_rates
        where sent_on = $d and (date >= $first - 1) and (date = $d or date = last_day(date))
    ),
    bookings as (
        select line, branch, currency_code, scale, date, amount from profits_of_accounts
        union all select line, branch, currency_code, scale, date, amount from profits_of_fees
        union all select line, branch, currency_code, scale, date, amount from profits_of_loans
        union all select line, branch, currency_code, scale, date, amount from profits_of_relations
        union all select '6699', branch, 'CNY', 1, date, 200000 + (branch * 7919 + day(date) * 104729) % 300000
        from (select distinct date from fx_rates where date >= $first), generate_series(0, 39) as branches(branch)
    ),
    dated as (
        select line, branch, currency_code, scale, date, amount from bookings
        union all
        select line, branch, currency_code, scale, $first - 1, amount * (month($first) - 1) from bookings
        where date <= last_day($first)
    )
    select closed_on as ledger_date, line, branch, currency_code,
        (2 * sum(cast(amount as hugeint)) + scale) // (2 * scale) as fen
    from closings
    inner join dated on date <= closed_on and year(date) = year(closed_on)
    group by closed_on, line, branch, currency_code, scale"""

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
            case when onboarded_again_on <= $d then case when closed_again_on <= $d then closed_again_on end
                when closed_on <= $d then closed_on end as closed_on,
            format('B{:03d}', branch + 1) as branch_id, consent_marketing, utc(consented) as consent_updated_at
        from customers where onboarded_on <= $d
        union all by name
        select
            format('E{:08d}', owner + 1) as customer_id, customer_name, 'unified_credit_code' as id_type, id_number,
            region_code, city_tier, 'corporate' as customer_type, onboarded_on,
            format('B{:03d}', branch + 1) as branch_id
        from firms where onboarded_on <= $d""",
    ("core", "customer_links"): """
        select
            format('C{:08d}', customer + 1) as customer_id,
            format('{}{:08d}', case when "type" = 'owner_of_firm' then 'E' else 'C' end, linked + 1)
                as linked_customer_id,
            "type" as link_type, cast(confidence as decimal(9, 6)) as confidence, valid_from,
            cast(null as date) as valid_to
        from customer_links where valid_from <= $d""",
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
        from account_holders where opened_on <= $d""",
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
    ("wealth", "navs"): """
        select cast(product_id as varchar) as product_id, date as nav_date, cast(nav as decimal(18, 6)) as nav
        from navs where sent_on = $d""",
    ("wealth", "orders"): """
        select
            format('O{:010d}', order_number + 1) as order_id, format('C{:08d}', customer + 1) as customer_id,
            cast(product_id as varchar) as product_id, date as order_date, cast(side as varchar) as side,
            cast(cast(units as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)) as units,
            money(amount) as amount, 'CNY' as currency_code
        from orders where sent_on = $d""",
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
            written(cost) as cost_amount
        from programmes where joined_on <= $d""",
    ("crm", "service_requests"): """
        select
            format('Q{:010d}', request + 1) as request_id, format('C{:08d}', customer + 1) as customer_id,
            utc(opened) as opened_at, happened(acknowledged) as acknowledged_at, happened(resolved) as resolved_at,
            happened(reopened) as reopened_at, category, channel, priority, is_complaint, stage as handler_stage,
            case when resolved < $until then resolution end as resolution,
            case when resolved < $until and score > 0 then score end as satisfaction_score
        from service_requests
        where opened < $until
            and (opened >= $since or is_news(acknowledged) or is_news(resolved) or is_news(reopened))""",
    ("crm", "surveys"): """
        select
            format('S{:010d}', response + 1) as response_id, format('C{:08d}', customer + 1) as customer_id,
            utc(sent) as sent_at, happened(answered) as answered_at, survey_type, question as question_code,
            case when answered >= 0 and answered < $until then score end as score, least as scale_min,
            most as scale_max
        from surveys where sent < $until and (sent >= $since or is_news(answered))""",
    ("crm", "campaigns"): """
        select
            format('M{:04d}', campaign + 1) as campaign_id, name, channel, product_id, starts_on, ends_on,
            written(cost) as cost_amount
        from campaigns where starts_on <= $d""",
    ("crm", "campaign_members"): """
        select
            format('M{:04d}', campaign + 1) as campaign_id, format('C{:08d}', customer + 1) as customer_id, is_control,
            happened(contacted) as contacted_at, happened(responded) as responded_at,
            happened(converted) as converted_at,
            case when converted >= 0 and converted < $until then written(amount) end as converted_amount
        from campaign_members
        where joined < $until
            and (joined >= $since or is_news(contacted) or is_news(responded) or is_news(converted))""",
    ("crm", "prospects"): """
        select
            format('P{:08d}', prospect + 1) as prospect_id, source, utc(created) as created_at, consent,
            case when has_come(converted) then 'converted' when has_come(lost) then 'lost'
                when has_come(contacted) then 'contacted' else 'new' end as status,
            case when has_come(converted) then format('C{:08d}', customer + 1) end as converted_customer_id,
            written(cost) as acquisition_cost_amount
        from prospects
        where created < $until
            and (created >= $since or is_news(contacted * 86400) or is_news(converted * 86400)
                or is_news(lost * 86400))""",
    ("crm", "targets"): """
        select owner_type, owner_id, month, measure, written(amount) as target_amount
        from targets where month <= $d""",
    ("finance", "ftp_rates"): """
        select product_family, tenor_days, currency_code, effective_on, cast(rate as decimal(9, 6)) as rate
        from ftp_rates where effective_on <= $d""",
    ("finance", "unit_costs"): """
        select
            activity, channel, month, cast(full_unit_cost as decimal(18, 2)) as full_unit_cost,
            cast(avoidable_unit_cost as decimal(18, 2)) as avoidable_unit_cost
        from unit_costs""",
    # What customers' accounts add up to by line, one line that belongs to no customer, and profit and loss of the year so
    # far. The history has no cards.
    ("finance", "ledger_balances"): """
        select ledger_date, ledger_code, format('B{:03d}', branch + 1) as branch_id, currency_code,
            money(sum(amount)) as balance_amount
        from (
            select date as ledger_date, case split_part(product_id, '-', 1) when 'DEM' then '2011' when 'TD' then '2012'
                when 'SD' then '2013' else '2014' end as ledger_code, branch, currency_code, amount
            from balances where sent_on = $d and basis = 'end_of_day'
            union all
            select date, case product_id when 'LN-MTG' then '1301' when 'LN-CON' then '1302' else '1303' end, branch,
                'CNY', owed
            from loans where sent_on = $d and date >= $first
            union all
            select $d, '1304', branch, 'CNY', case when closed_on <= $d then 0 else owed end
            from cards where issued_on <= $d and month = date_trunc('month', $d)
            union all
            select distinct date, '2241', branch_number, 'CNY',
                (branch_number * 7919 + datediff('day', date '2020-01-01', date) * 104729) % 2000000
            from fx_rates, generate_series(0, 39) as branches(branch_number)
            where sent_on = $d and date >= $first and (date = $d or date = last_day(date))
            union all
            select ledger_date, line, branch, currency_code, fen from ("""
    + PROFITS
    + """)
        )
        group by all order by all""",
    ("reference", "institutions"): """
        select institution_id, institution_name_zh, institution_name_en, institution_type from institutions""",
    ("reference", "market_series"): """
        select series_code, period_start, cast(value as decimal(18, 6)) as value, unit, published_on
        from market_series where published_on <= $d""",
    ("reference", "fx_rates"): """
        select currency as currency_code, date as rate_date, cast(rate as decimal(18, 8)) as cny_per_unit
        from fx_rates where sent_on = $d""",
    ("reference", "branches"): "select branch_id, branch_name, region_code, region_name, city_tier from branches",
    ("reference", "calendar"): "select calendar_date, is_business_day, holiday_name from calendar",
}

# Columns whose sum stands in the control file.
CONTROL_TOTALS = {
    "balances": "balance_amount", "transactions": "amount", "loans": "outstanding_amount", "fees": "charged_amount",
    "holdings": "market_value_amount", "orders": "amount", "ledger_balances": "balance_amount",
}  # fmt: skip
