-- Each outside flow with the institution it goes to or comes from: by its id as policy takes it, by its id as the bank's table of
-- institutions has it, else by its name as policy takes it; null where nobody knows.
with flows as (
    select * from {{ ref('int_outside_flows_netted') }}
),

mappings as (
    select * from {{ ref('int_counterparty_mappings_dated') }}
),

outside_flows_identified as (
    select
        flows.*,
        coalesce(ids.institution_id, stated.institution_id, names.institution_id) as institution_id,
        case
            when ids.institution_id is not null then coalesce(ids.top_up_use, 'top_up')
            when stated.institution_id is not null then 'top_up'
            else coalesce(names.top_up_use, 'top_up')
        end as top_up_use,
        names.institution_id is not null or merchants.counterparty_name_token is not null as is_name_known
    from flows
    left join mappings as ids
        on
            flows.counterparty_institution_id = ids.counterparty
            and ids.counterparty_kind = 'institution'
            and flows.business_date >= ids.valid_from
            and flows.business_date < ids.valid_to
    left join {{ ref('int_institutions_known') }} as stated
        on
            flows.counterparty_institution_id = stated.institution_id
            and stated.is_stated
    left join mappings as names
        on
            flows.counterparty_name_token = names.counterparty
            and names.counterparty_kind = 'name'
            and flows.business_date >= names.valid_from
            and flows.business_date < names.valid_to
    left join {{ ref('int_merchants_known') }} as merchants
        on flows.counterparty_name_token = merchants.counterparty_name_token
)

select * from outside_flows_identified
