-- An owner owns the money; a user may only use it.
select
    dispositions.account_id,
    dispositions.client_id as customer_id,
    case dispositions.type when 'Owner' then 'owner' else 'user' end as holder_role,
    case dispositions.type when 'Owner' then 1 else 0 end as share_fraction,
    dispositions.business_date,
    dispositions.received_at
from {{ landed('core', 'dispositions') }} as dispositions
inner join {{ landed('core', 'accounts') }} as accounts
    on
        dispositions.account_id = accounts.account_id
        and dispositions.business_date = accounts.business_date
where accounts.parseddate <= {{ as_of() }}
