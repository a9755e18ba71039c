{#- Accepted rows of one extract: for each business date the batch in force, with when it was received. -#}
{% macro landed(source, extract) %}{{ return(adapter.dispatch('landed')(source, extract)) }}{% endmacro %}

{% macro duckdb__landed(source, extract) -%}
(
    select
        landed.*,
        batches.received_at
    from read_parquet(
        '{{ env_var("CRM_WAREHOUSE_LANDING") }}/{{ source }}/{{ extract }}/business_date=*/batch=*/accepted.parquet',
        hive_partitioning = true,
        hive_types = {'business_date': date, 'batch': bigint}
    ) as landed
    inner join read_parquet('{{ env_var("CRM_WAREHOUSE_BATCHES") }}') as batches
        on
            batches.source_table = '{{ source }}__{{ extract }}'
            and landed.business_date = batches.business_date
            and landed.batch = batches.batch
            -- Of an earlier belief: without what people let in later.
            and not coalesce(list_contains(batches.held_back, landed._source_row), false)
)
{%- endmacro %}

{#- Customer tokens, made outside the warehouse with a key the warehouse never sees. -#}
{% macro customer_tokens() %}{{ return(adapter.dispatch('customer_tokens')()) }}{% endmacro %}

{% macro duckdb__customer_tokens() -%}
read_parquet('{{ env_var("CRM_WAREHOUSE_TOKENS") }}')
{%- endmacro %}
