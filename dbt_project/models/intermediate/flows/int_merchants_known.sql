-- Name tokens of merchants whom any customer has paid directly: the bank can name them wherever the token comes up again.
select distinct counterparty_name_token
from {{ ref('int_transactions_classified') }}
where
    counterparty_type = 'merchant'
    and flow_class = 'external'
    and counterparty_name_token is not null
