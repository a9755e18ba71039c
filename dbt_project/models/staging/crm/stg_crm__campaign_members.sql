{{ canonical('crm__campaign_members') }}
