-- Each scored month once the year after it is over: what the next year was said to bring, beside what it brought. The naive
-- model says that the year before repeats; it is shown when it is the better one, too. A model that has learned nothing yet of
-- somebody is not shown for that month: one that picks its customers looks good.
with realised as (
    select
        scores.customer_key,
        scores.month,
        scores.next_year_value,
        scores.explicit_value,
        count(*) over (partition by scores.month) as customers,
        -- Whoever left on the first day of the year brought nothing.
        cast(coalesce(sum(later.contribution_avoidable_amount), 0) as decimal(18, 2)) as realised_amount
    from {{ ref('fct_customer_values') }} as scores
    inner join {{ ref('int_months') }} as year_ends
        on scores.month + {{ months('12') }} = year_ends.month and year_ends.is_complete
    left join {{ ref('fct_customer_contributions') }} as later
        on
            scores.customer_key = later.customer_key
            and later.month > scores.month
            and later.month <= scores.month + {{ months('12') }}
    where not scores.has_left and scores.next_year_value is not null
    group by scores.customer_key, scores.month, scores.next_year_value, scores.explicit_value
),

predictions as (
    select
        realised.*,
        models.model,
        case models.model when 'lifetime_value' then next_year_value else explicit_value end as predicted_amount
    from realised
    cross join (values ('lifetime_value'), ('last_year_repeats')) as models (model)
    union all
    select
        realised.*,
        years.model,
        years.predicted_amount
    from realised
    inner join {{ ref('int_customer_keys') }} as keys
        on realised.customer_key = keys.customer_key
    inner join {{ ref('int_customer_years_predicted') }} as years
        on keys.customer_id = years.customer_id and realised.month = years.month
),

-- Equals share the middle of their places; twice the place is whole.
placed as (
    select
        predictions.*,
        count(*) over (partition by month, model) = customers as is_of_all,
        2 * rank() over (partition by month, model order by predicted_amount asc nulls last)
        + count(*) over (partition by month, model, predicted_amount) - 1 as predicted_place,
        2 * rank() over (partition by month, model order by realised_amount asc nulls last)
        + count(*) over (partition by month, model, realised_amount) - 1 as realised_place,
        ntile(10) over (partition by month, model order by predicted_amount asc nulls last, customer_key asc nulls last) as decile
    from predictions
),

totals as (
    select
        month,
        model,
        {{ exact_quotient('cast(sum(abs(realised_amount - predicted_amount)) as decimal(24, 2))', 'count(*)') }} as mean_absolute_error_amount,
        cast(count(*) * cast(sum(predicted_place * realised_place) as decimal(38, 0)) as double)
        - cast(sum(predicted_place) as double) * cast(sum(realised_place) as double) as covariance,
        cast(count(*) * cast(sum(predicted_place * predicted_place) as decimal(38, 0)) as double)
        - cast(sum(predicted_place) as double) * cast(sum(predicted_place) as double) as predicted_variance,
        cast(count(*) * cast(sum(realised_place * realised_place) as decimal(38, 0)) as double)
        - cast(sum(realised_place) as double) * cast(sum(realised_place) as double) as realised_variance
    from placed
    where is_of_all
    group by month, model
),

fct_value_backtests as (
    select
        placed.month,
        12 as horizon_months,
        placed.model,
        cast(placed.decile as integer) as decile,
        count(*) as customers,
        cast(sum(placed.predicted_amount) as decimal(18, 2)) as predicted_amount,
        cast(sum(placed.realised_amount) as decimal(18, 2)) as realised_amount,
        {{ exact_quotient('cast(sum(abs(placed.realised_amount - placed.predicted_amount)) as decimal(24, 2))', 'count(*)') }} as decile_absolute_error_amount,
        totals.mean_absolute_error_amount,
        baseline.mean_absolute_error_amount as baseline_absolute_error_amount,
        cast(round(totals.covariance / nullif(sqrt(totals.predicted_variance * totals.realised_variance), 0), 6) as decimal(9, 6))
            as rank_correlation,
        totals.mean_absolute_error_amount < baseline.mean_absolute_error_amount as is_better_than_baseline
    from placed
    inner join totals
        on placed.month = totals.month and placed.model = totals.model
    inner join totals as baseline
        on placed.month = baseline.month and baseline.model = 'last_year_repeats'
    group by
        placed.month, placed.model, placed.decile, totals.mean_absolute_error_amount, baseline.mean_absolute_error_amount,
        totals.covariance, totals.predicted_variance, totals.realised_variance
)

select * from fct_value_backtests
