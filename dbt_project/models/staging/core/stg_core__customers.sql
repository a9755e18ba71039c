-- An erased customer is nobody any more: of a type of its own, so that no model of persons finds it.
{{ canonical('core__customers', {'customer_type': "case when " ~ is_erased('customer_id') ~ " then 'erased' else customer_type end"}) }}
