-- At every moment at which something became known of a customer, what was believed then covers the days from the first to the
-- end of time without gap or overlap (rule 19 of the tier rules).
with history as (
    select * from {{ ref('fct_customer_tier_history') }}
),

moments as (
    select distinct
        customer_key,
        known_from as moment
    from history
),

believed as (
    select
        history.customer_key,
        moments.moment,
        history.valid_from,
        history.valid_to,
        lead(history.valid_from, 1, {{ end_of_time() }}) over (
            partition by history.customer_key, moments.moment
            order by history.valid_from asc nulls first
        ) as next_valid_from
    from moments
    inner join history
        on
            moments.customer_key = history.customer_key
            and moments.moment >= history.known_from
            and moments.moment < history.known_to
)

select * from believed
where valid_to <> next_valid_from
