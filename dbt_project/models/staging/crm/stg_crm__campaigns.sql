{{ canonical('crm__campaigns') }}
