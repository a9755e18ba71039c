select
    institution_id,
    institution_name_zh,
    institution_name_en,
    institution_type,
    business_date,
    received_at
from {{ landed('reference', 'institutions') }} as institutions
