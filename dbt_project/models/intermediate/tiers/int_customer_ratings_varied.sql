-- How much the assets of customers in a band moved over the months before: changes of side of the private-banking threshold
-- from one month to the next, and the coefficient of variation.
with rated as (
    select
        customer_id,
        month,
        rating_amount,
        rating_amount >= private_threshold_amount as is_above,
        lag(rating_amount >= private_threshold_amount) over by_customer as was_above,
        lag(month) over by_customer as month_before
    from {{ ref('int_customer_months_rated') }}
    where is_in_force and rating_amount is not null and not is_partial_month
    window by_customer as (partition by customer_id order by month asc nulls first)
),

sums as (
    select
        banded.customer_id,
        banded.month,
        count(*) as months,
        count(case when rated.month_before > banded.month - {{ months('banded.history_months') }} then 1 end) as steps,
        count(
            case
                when
                    rated.month_before > banded.month - {{ months('banded.history_months') }}
                    and rated.is_above <> rated.was_above then 1
            end
        ) as flips,
        sum(rated.rating_amount) as total,
        sum(cast(rated.rating_amount as decimal(19, 2)) * cast(rated.rating_amount as decimal(19, 2))) as squares
    from {{ ref('int_customer_bands_followed') }} as banded
    inner join rated
        on
            banded.customer_id = rated.customer_id
            and rated.month > banded.month - {{ months('banded.history_months') }}
            and rated.month <= banded.month
    group by banded.customer_id, banded.month
),

customer_ratings_varied as (
    select
        customer_id,
        month,
        steps,
        flips,
        -- The root is of an exact number, and rounded at once: the same on every run.
        case
            when months > 1 and total > 0
                then cast(
                    round(sqrt(cast(months * squares - total * total as double)) / cast(total as double), 6) as decimal(18, 6)
                )
        end as coefficient_of_variation
    from sums
)

select * from customer_ratings_varied
