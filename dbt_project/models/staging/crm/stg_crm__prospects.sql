{{ canonical('crm__prospects') }}
