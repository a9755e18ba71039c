{{ canonical('crm__service_requests') }}
