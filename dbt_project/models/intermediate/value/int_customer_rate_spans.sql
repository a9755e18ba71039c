with customer_rate_spans as (
    select
        product_id,
        effective_from as valid_from,
        lead(effective_from, 1, {{ end_of_time() }}) over (
            partition by product_id
            order by effective_from asc nulls first
        ) as valid_to,
        rate
    from {{ ref('deposit_rates') }}
)

select * from customer_rate_spans
