-- An erased customer is nobody any more: of a type of its own, so that no model of persons finds it.
with customers as (
{{ canonical('core__customers') }}
)

select
{%- for column in model.columns %}
    {{ "case when " ~ is_erased("customer_id") ~ " then 'erased' else customer_type end as customer_type" if column == "customer_type" else column }}{{ "," if not loop.last }}
{%- endfor %}
from customers
