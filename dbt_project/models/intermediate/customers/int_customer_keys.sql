select
    tokens.customer_id,
    tokens.customer_key
from {{ customer_tokens() }} as tokens
inner join (select distinct customer_id from {{ ref('stg_core__customers') }}) as customers
    on tokens.customer_id = customers.customer_id
