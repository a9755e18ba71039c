{# Whether a customer was erased on request: landing has a pseudonym in place of the id (plugins/crm_warehouse/privacy). #}
{%- macro is_erased(customer_id) -%}
coalesce({{ customer_id }} like 'erased-%', false)
{%- endmacro %}
