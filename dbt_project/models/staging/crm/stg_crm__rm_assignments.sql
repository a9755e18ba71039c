{{ canonical('crm__rm_assignments') }}
