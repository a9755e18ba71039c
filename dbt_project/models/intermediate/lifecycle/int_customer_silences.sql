-- For how long a customer has done nothing of their own by the end of a month. To open a relationship is an act; what was before the
-- first month is not known, so who did nothing since has been silent for at least that long.
with months as (
    select
        months.customer_id,
        months.month,
        months.month_end,
        spells.spell_to > months.month_end as is_here,
        case when spells.spell_from >= parameters.first_month then spells.spell_from end as opened_on,
        parameters.first_month,
        parameters.has_events,
        parameters.silent_churn_days,
        parameters.silent_watch_days
    from {{ ref('int_customer_months') }} as months
    inner join {{ ref('int_customer_spells') }} as spells
        on
            months.customer_id = spells.customer_id
            and months.spell_number = spells.spell_number
    inner join {{ ref('int_lifecycle_parameters_dated') }} as parameters
        on months.month = parameters.month
),

last_events as (
    select
        months.*,
        case
            when months.has_events then greatest(
                months.opened_on,
                max(events.last_event_on) over (
                    partition by months.customer_id
                    order by months.month asc nulls first
                    rows between unbounded preceding and current row
                )
            )
        end as last_event_on
    from months
    left join {{ ref('int_customer_event_months') }} as events
        on
            months.customer_id = events.customer_id
            and months.month = events.month
),

counted as (
    select
        last_events.*,
        month_end - coalesce(last_event_on, first_month - 1) as silent_days
    from last_events
),

customer_silences as (
    select
        customer_id,
        month,
        is_here,
        last_event_on,
        case
            when not is_here or not has_events then null
            when silent_days >= silent_churn_days then true
            when last_event_on is not null and silent_days < silent_churn_days then false
        end as is_silent_churn,
        case
            when not is_here or not has_events then null
            when silent_days >= silent_watch_days then true
            when last_event_on is not null and silent_days < silent_watch_days then false
        end as is_silent_90d
    from counted
)

select * from customer_silences
