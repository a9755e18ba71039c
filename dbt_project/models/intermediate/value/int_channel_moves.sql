-- What moved between channels since a customer's own baseline, and what that saves at the month's avoidable unit costs: units
-- that would have come through a channel by habit less those that did, times what one costs. Of an activity it adds up to
-- (dear channel's cost - cheap channel's cost) x what moved.
with costs as (
    select * from {{ ref('stg_finance__unit_costs') }}
    where business_date = (select max(business_date) from {{ ref('stg_finance__unit_costs') }})
),

done as (
    select
        customer_id,
        month,
        activity,
        channel,
        sum(units) as units
    from {{ ref('int_channel_costs') }}
    group by customer_id, month, activity, channel
),

totals as (
    select
        customer_id,
        month,
        activity,
        sum(units) as total_units
    from done
    group by customer_id, month, activity
),

-- Channels of habit that were not used this month count, and so do new ones.
paired as (
    select
        totals.customer_id,
        totals.month,
        totals.activity,
        habits.channel,
        cast(totals.total_units as decimal(18, 0)) * habits.baseline_units as usual_parts,
        habits.baseline_total
    from totals
    inner join {{ ref('int_channel_habits') }} as habits
        on
            totals.customer_id = habits.customer_id
            and totals.activity = habits.activity
            and totals.month >= habits.baseline_to
    union all
    select
        done.customer_id,
        done.month,
        done.activity,
        done.channel,
        -cast(done.units as decimal(18, 0)) * habits.baseline_total as usual_parts,
        habits.baseline_total
    from done
    inner join (
        select distinct
            customer_id,
            activity,
            baseline_total,
            baseline_to
        from {{ ref('int_channel_habits') }}
    ) as habits
        on
            done.customer_id = habits.customer_id
            and done.activity = habits.activity
            and done.month >= habits.baseline_to
),

moved as (
    select
        customer_id,
        month,
        activity,
        channel,
        baseline_total,
        cast(sum(usual_parts) as decimal(18, 0)) as moved_parts
    from paired
    group by customer_id, month, activity, channel, baseline_total
),

channel_moves as (
    select
        moved.customer_id,
        moved.month,
        moved.activity,
        moved.channel,
        {{ exact_quotient('cast(moved.moved_parts as decimal(32, 0)) * costs.avoidable_unit_cost', 'moved.baseline_total') }}
            as saving_amount
    from moved
    left join costs
        on
            moved.activity = costs.activity
            and moved.channel = costs.channel
            and moved.month = costs.month
)

select * from channel_moves
