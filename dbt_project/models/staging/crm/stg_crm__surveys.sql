{{ canonical('crm__surveys') }}
