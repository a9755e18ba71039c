-- Customers within the near band of a threshold at a month's end, on either side, and whether they crossed it within the
-- horizon: null until all its months are over. Who has left the bank by then fell below; who left within the month is
-- not looked at.
with parameters as (
    select * from {{ ref('int_tier_parameters_dated') }}
),

rated as (
    select * from {{ ref('int_customer_months_rated') }}
    where is_in_force
),

present as (
    select
        rated.customer_id,
        rated.month,
        rated.policy_version,
        rated.tier_code,
        rated.rating_amount,
        rated.is_partial_month,
        named.side,
        case named.side when 'below' then rated.next_threshold_amount else rated.threshold_amount end as threshold_amount,
        case named.side when 'below' then rated.next_near_band_amount else rated.near_band_amount end as near_band_amount
    from rated
    inner join {{ ref('int_customer_spells') }} as spells
        on
            rated.customer_id = spells.customer_id
            and spells.spell_from <= rated.month_end
            and spells.spell_to > rated.month_end
    cross join (values ('below'), ('above')) as named (side)
),

sides as (
    select
        present.*,
        abs(threshold_amount - rating_amount) as gap_amount
    from present
    where
        (side = 'below' and rating_amount >= threshold_amount - near_band_amount)
        or (side = 'above' and rating_amount < threshold_amount + near_band_amount)
),

followed as (
    select
        sides.customer_id,
        sides.month,
        sides.side,
        parameters.crossing_horizon_months as horizon,
        sides.month + {{ months('parameters.crossing_horizon_months') }} <= parameters.last_complete_month as is_known,
        count(later.month) as months_at_or_above
    from sides
    inner join parameters
        on sides.month = parameters.month
    left join rated as later
        on
            sides.customer_id = later.customer_id
            and later.month > sides.month
            and later.month <= sides.month + {{ months('parameters.crossing_horizon_months') }}
            and later.rating_amount >= sides.threshold_amount
    group by
        sides.customer_id, sides.month, sides.side, parameters.crossing_horizon_months, parameters.last_complete_month
),

customers_near_thresholds as (
    select
        sides.*,
        -- Tenths of the near band, 1 next to the threshold: the same gap is in the same tenth in every month.
        cast(least(10, 1 + {{ whole_quotient('10 * ' ~ in_cents('sides.gap_amount'), in_cents('sides.near_band_amount')) }}) as integer) as gap_tenth,
        case
            when not followed.is_known then null
            when sides.side = 'below' then followed.months_at_or_above > 0
            else followed.months_at_or_above < followed.horizon
        end as has_crossed
    from sides
    inner join followed
        on sides.customer_id = followed.customer_id and sides.month = followed.month and sides.side = followed.side
)

select * from customers_near_thresholds
