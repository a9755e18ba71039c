{{ canonical('crm__programmes') }}
