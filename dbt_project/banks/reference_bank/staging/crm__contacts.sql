select
    contact_id,
    customer_id,
    rm_id,
    contacted_at,
    channel,
    purpose,
    duration_minutes,
    outcome,
    note_fingerprint,
    received_at
from {{ landed('crm', 'contacts') }} as contacts
