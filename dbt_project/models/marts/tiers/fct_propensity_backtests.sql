-- Each scored month once its outcome is known: what was said then, with what was known then, beside what happened. The
-- baseline says the same for everybody on a side.
with scored as (
    select
        near.month,
        near.has_crossed,
        parameters.calibration_bins,
        learned.crossing_propensity,
        learned.base_rate
    from {{ ref('int_customers_near_thresholds') }} as near
    inner join {{ ref('int_threshold_crossings_learned') }} as learned
        on
            near.month = learned.month
            and near.side = learned.side
            and near.gap_tenth = learned.gap_tenth
    inner join {{ ref('int_tier_parameters_dated') }} as parameters
        on near.month = parameters.month
    where near.has_crossed is not null and not near.is_partial_month
),

predictions as (
    select
        scored.month,
        scored.calibration_bins,
        scored.has_crossed,
        models.model,
        case models.model when 'base_rate' then scored.base_rate else scored.crossing_propensity end as predicted
    from scored
    cross join (values ('gap_tenth'), ('base_rate')) as models (model)
),

errors as (
    select
        month,
        model,
        has_crossed,
        predicted,
        cast(least(calibration_bins, floor(predicted * calibration_bins) + 1) as integer) as bin_number,
        -- In millionths, so that sums are of whole numbers.
        cast(predicted * 1000000 as bigint) - case when has_crossed then 1000000 else 0 end as error_millionths
    from predictions
),

binned as (
    select
        month,
        model,
        bin_number,
        count(*) as customers,
        count(case when has_crossed then 1 end) as crossed,
        sum(predicted) as predicted,
        sum(error_millionths * error_millionths) as squares
    from errors
    group by month, model, bin_number
),

totals as (
    select
        month,
        model,
        {{ exact_ratio('sum(squares)', 'sum(customers) * cast(1000000000000 as decimal(13, 0))') }} as brier_score
    from binned
    group by month, model
),

fct_propensity_backtests as (
    select
        binned.month,
        binned.model,
        binned.bin_number,
        binned.customers,
        {{ exact_ratio('binned.predicted * 10000', 'binned.customers * 10000') }} as predicted_rate,
        {{ exact_ratio('binned.crossed', 'binned.customers') }} as observed_rate,
        {{ exact_ratio('binned.squares', 'binned.customers * cast(1000000000000 as decimal(13, 0))') }} as bin_brier_score,
        totals.brier_score as model_brier_score,
        baseline.brier_score as baseline_brier_score,
        totals.brier_score < baseline.brier_score as is_better_than_baseline
    from binned
    inner join totals
        on binned.month = totals.month and binned.model = totals.model
    inner join totals as baseline
        on binned.month = baseline.month and baseline.model = 'base_rate'
)

select * from fct_propensity_backtests
