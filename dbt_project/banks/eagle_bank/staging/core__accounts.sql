select
    accounts.account_id,
    owners.client_id as customer_id,
    'ACCOUNT' as product_id,
    'CZK' as currency_code,
    accounts.district_id as branch_id,
    accounts.parseddate as opened_on,
    null as closed_on,
    'open' as account_status,
    accounts.business_date,
    accounts.received_at
from {{ landed('core', 'accounts') }} as accounts
inner join {{ landed('core', 'dispositions') }} as owners
    on
        accounts.account_id = owners.account_id
        and accounts.business_date = owners.business_date
        and owners.type = 'Owner'
where accounts.parseddate <= {{ as_of() }}
