{{ canonical('crm__targets') }}
