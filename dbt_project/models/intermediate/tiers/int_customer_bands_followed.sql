-- Customers near and within private banking, by band of assets: what became of each within the horizon, and how much each
-- moved in the months before. Months that a customer did not spend wholly with the bank are left out.
with rated as (
    select
        customer_id,
        month,
        tier_code,
        rating_amount,
        private_threshold_amount as threshold_amount,
        is_partial_month,
        rating_amount >= private_threshold_amount as is_above,
        case
            when rating_amount > volatile_to_amount then 'stable'
            when rating_amount >= private_threshold_amount then 'volatile'
            when
                next_threshold_amount = private_threshold_amount
                and rating_amount >= next_threshold_amount - next_near_band_amount then 'near'
        end as band
    from {{ ref('int_customer_months_rated') }}
    where is_in_force and volatile_to_amount is not null
),

banded as (
    select
        rated.*,
        parameters.crossing_horizon_months as horizon,
        parameters.band_history_months as history_months,
        parameters.last_complete_month
    from rated
    inner join {{ ref('int_tier_parameters_dated') }} as parameters
        on rated.month = parameters.month
    where rated.band is not null and parameters.is_complete and not rated.is_partial_month
),

outcomes as (
    select
        banded.customer_id,
        banded.month,
        count(later.month) as months_above
    from banded
    left join rated as later
        on
            banded.customer_id = later.customer_id
            and later.month > banded.month
            and later.month <= banded.month + {{ months('banded.horizon') }}
            and later.rating_amount >= banded.threshold_amount
    group by banded.customer_id, banded.month
),

customer_bands_followed as (
    select
        banded.customer_id,
        banded.month,
        banded.tier_code,
        banded.band,
        case
            when banded.month + {{ months('banded.horizon') }} > banded.last_complete_month then null
            when banded.is_above then outcomes.months_above < banded.horizon
            else outcomes.months_above > 0
        end as has_crossed,
        banded.history_months
    from banded
    inner join outcomes
        on
            banded.customer_id = outcomes.customer_id
            and banded.month = outcomes.month
)

select * from customer_bands_followed
