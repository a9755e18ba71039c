-- Which kinds of events policy counts as a customer's own on each of their days: a row of policy says so and none says no. A row
-- without a channel, purpose or outcome speaks of all.
with kinds as (
    select distinct
        event_on,
        event_type,
        channel,
        purpose,
        outcome
    from {{ ref('int_customer_events') }}
),

policy as (
    select
        events.*,
        lead(effective_from, 1, {{ end_of_time() }}) over (
            partition by event_type, channel, purpose, outcome
            order by effective_from asc nulls first
        ) as effective_to
    from {{ ref('customer_events') }} as events
),

event_kinds_counted as (
    select
        kinds.event_on,
        kinds.event_type,
        kinds.channel,
        kinds.purpose,
        kinds.outcome
    from kinds
    inner join policy
        on
            kinds.event_type = policy.event_type
            and kinds.event_on >= policy.effective_from
            and kinds.event_on < policy.effective_to
            and coalesce(kinds.channel = policy.channel, policy.channel is null)
            and coalesce(kinds.purpose = policy.purpose, policy.purpose is null)
            and coalesce(kinds.outcome = policy.outcome, policy.outcome is null)
    group by kinds.event_on, kinds.event_type, kinds.channel, kinds.purpose, kinds.outcome
    having bool_and(policy.counts)
)

select * from event_kinds_counted
