{{ canonical('crm__contacts') }}
