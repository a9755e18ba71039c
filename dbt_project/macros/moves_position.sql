{# Whether a transaction with this correction reason moves a position: what has no account, no rate or does not count in assets
   moves none. #}
{%- macro moves_position(correction_reason) -%}
    coalesce({{ correction_reason }}, '') not in ('unknown_account', 'outside_assets', 'currency_without_rate')
{%- endmacro -%}
