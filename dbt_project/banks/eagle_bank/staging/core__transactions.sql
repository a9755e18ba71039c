-- Dates are the original bank's, re-dated by 20 years as the rest of this bank is.
select
    trans_id as transaction_id,
    'A' || lpad(account_id, 8, '0') as account_id,
    cast(date + interval 20 year as timestamp) as posted_at,
    cast(date + interval 20 year as date) as business_date,
    amount,
    'CZK' as currency_code,
    case type when 'PRIJEM' then 'credit' else 'debit' end as direction,
    coalesce(k_symbol, operation, 'unspecified') as transaction_type,
    case when operation in ('VKLAD', 'VYBER') and k_symbol is null then 'branch' when operation = 'VYBER KARTOU' then 'atm' else 'system' end as channel,
    -- The bank names the other side by a plain account number: no token, and nothing here makes one of it.
    null as counterparty_name_token,
    bank as counterparty_institution_id,
    case
        when k_symbol in ('UROK', 'SANKC. UROK') then 'interest'
        when k_symbol = 'SLUZBY' then 'fee'
        when operation in ('PREVOD Z UCTU', 'PREVOD NA UCET') then 'other_bank'
    end as counterparty_type,
    null as is_own_name,
    null as reversal_of,
    received_at
from {{ landed('core', 'transactions') }} as transactions
where date + interval 20 year <= {{ as_of() }}
