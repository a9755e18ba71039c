"""`crm-warehouse what-if`: another tier ladder over the same history."""
