-- For each month what policy says of money that leaves for others, as in force on its first day; null where the bank has
-- decided none.
with months as (
    select * from {{ ref('int_months') }}
),

parameters as (
    select * from {{ ref('int_parameter_spans') }}
),

leakage_parameters_dated as (
    select
        months.month,
        cast(max(case when parameters.parameter = 'poaching_window_days' then parameters.value end) as integer) as poaching_window_days,
        max(case when parameters.parameter = 'poaching_min_share' then parameters.value end) as poaching_min_share,
        max(case when parameters.parameter = 'poaching_min_adb_amount' then parameters.value end) as poaching_min_adb_amount
    from months
    left join parameters
        on
            parameters.valid_from <= months.month
            and parameters.valid_to > months.month
    group by months.month
)

select * from leakage_parameters_dated
