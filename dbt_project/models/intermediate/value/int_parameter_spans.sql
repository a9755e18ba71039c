with parameters as (
    select * from {{ ref('policy_parameters') }}
),

parameter_spans as (
    select
        parameter,
        value,
        effective_from as valid_from,
        lead(effective_from, 1, {{ end_of_time() }}) over (
            partition by parameter
            order by effective_from asc nulls first
        ) as valid_to
    from parameters
)

select * from parameter_spans
