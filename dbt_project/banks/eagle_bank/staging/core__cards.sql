select
    cards.card_id,
    dispositions.client_id as customer_id,
    upper(replace(cards.type, ' ', '-')) as product_id,
    null as credit_limit_amount,
    null as outstanding_amount,
    cards.fulldate as issued_on,
    null as closed_on,
    cards.business_date,
    cards.received_at
from {{ landed('core', 'cards') }} as cards
inner join {{ landed('core', 'dispositions') }} as dispositions
    on
        cards.disp_id = dispositions.disp_id
        and cards.business_date = dispositions.business_date
where cards.fulldate <= {{ as_of() }}
