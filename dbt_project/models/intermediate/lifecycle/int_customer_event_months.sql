-- The last day of each month on which a customer did something of their own.
with customer_event_months as (
    select
        events.customer_id,
        {{ month_start('events.event_on') }} as month,
        max(events.event_on) as last_event_on
    from {{ ref('int_customer_events') }} as events
    inner join {{ ref('int_event_kinds_counted') }} as kinds
        on
            events.event_on = kinds.event_on
            and events.event_type = kinds.event_type
            and events.channel is not distinct from kinds.channel
            and events.purpose is not distinct from kinds.purpose
            and events.outcome is not distinct from kinds.outcome
    where events.customer_id is not null
    group by events.customer_id, {{ month_start('events.event_on') }}
)

select * from customer_event_months
