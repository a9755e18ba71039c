"""Who a customer is stays out of the marts (`tokens`), and out of landing once it has to be forgotten (`erasure`)."""
