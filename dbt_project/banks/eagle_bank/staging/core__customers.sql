-- The bank keeps no opening date of a client: a client becomes a customer when the first account they may use opens.
with first_accounts as (
    select
        dispositions.client_id,
        min(accounts.parseddate) as onboarded_on
    from {{ landed('core', 'dispositions') }} as dispositions
    inner join {{ landed('core', 'accounts') }} as accounts
        on
            dispositions.account_id = accounts.account_id
            and dispositions.business_date = accounts.business_date
    group by dispositions.client_id
)

select
    clients.client_id as customer_id,
    concat_ws(' ', clients.first, clients.middle, clients.last) as customer_name,
    'social_number' as id_type,
    clients.social as id_number,
    lower(clients.sex) as gender,
    clients.fulldate as birth_date,
    clients.phone as mobile,
    clients.email,
    concat_ws(', ', clients.address_1, clients.address_2, clients.city, clients.zipcode) as address,
    clients.state as region_code,
    null as city_tier,
    null as industry_code,
    null as occupation_code,
    null as education,
    null as marital_status,
    'personal' as customer_type,
    null as risk_rating,
    null as risk_rating_expires_on,
    null as declared_wealth_amount,
    first_accounts.onboarded_on,
    null as closed_on,
    clients.district_id as branch_id,
    null as consent_marketing,
    null as consent_updated_at,
    clients.business_date,
    clients.received_at
from {{ landed('core', 'clients') }} as clients
inner join first_accounts
    on clients.client_id = first_accounts.client_id
where first_accounts.onboarded_on <= {{ as_of() }}
