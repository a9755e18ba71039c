with numbered as (
    select
        links.*,
        min(received_at) over by_link as known_at,
        min(received_at) over (
            partition by customer_id, linked_customer_id, link_type, valid_from, valid_to
        ) as end_known_at,
        row_number() over (
            partition by customer_id, linked_customer_id, link_type, valid_from
            order by business_date desc nulls last
        ) as recency
    from {{ ref('stg_core__customer_links') }} as links
    where valid_from <= {{ as_of() }} and business_date <= {{ as_of() }}
    window by_link as (partition by customer_id, linked_customer_id, link_type, valid_from)
),

customer_links_latest as (
    select
        customer_id,
        linked_customer_id,
        link_type,
        valid_from,
        coalesce(valid_to, {{ end_of_time() }}) as valid_to,
        known_at,
        end_known_at
    from numbered
    where recency = 1
)

select * from customer_links_latest
