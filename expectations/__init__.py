"""The rules of both gates. Each rule has an id, a reason, an owner and a severity; crm_warehouse.quality runs them."""
