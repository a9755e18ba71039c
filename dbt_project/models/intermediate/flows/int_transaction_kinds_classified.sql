-- What policy says of each kind of transaction on each of its days. A policy row without a type of counterparty, or without
-- saying whose name, speaks of all that no more particular row does.
with kinds as (
    select distinct
        business_date,
        transaction_type,
        counterparty_type,
        is_own_name
    from {{ ref('stg_core__transactions') }}
    where business_date <= {{ as_of() }}
),

policy as (
    select
        classes.*,
        lead(effective_from, 1, {{ end_of_time() }}) over (
            partition by transaction_type, counterparty_type, is_own_name
            order by effective_from asc nulls first
        ) as effective_to
    from {{ ref('transaction_classes') }} as classes
),

candidates as (
    select
        kinds.*,
        policy.flow_class,
        policy.flow_use,
        row_number() over (
            partition by kinds.business_date, kinds.transaction_type, kinds.counterparty_type, kinds.is_own_name
            order by
                policy.counterparty_type is not null desc nulls last,
                policy.is_own_name is not null desc nulls last
        ) as particularity
    from kinds
    inner join policy
        on
            kinds.transaction_type = policy.transaction_type
            and kinds.business_date >= policy.effective_from
            and kinds.business_date < policy.effective_to
            and coalesce(kinds.counterparty_type = policy.counterparty_type, policy.counterparty_type is null)
            and coalesce(kinds.is_own_name = policy.is_own_name, policy.is_own_name is null)
),

transaction_kinds_classified as (
    select
        business_date,
        transaction_type,
        counterparty_type,
        is_own_name,
        flow_class,
        flow_use
    from candidates
    where particularity = 1
)

select * from transaction_kinds_classified
