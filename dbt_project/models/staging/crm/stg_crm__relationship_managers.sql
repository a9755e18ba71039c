{{ canonical('crm__relationship_managers') }}
