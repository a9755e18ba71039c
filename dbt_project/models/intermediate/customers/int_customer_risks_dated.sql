-- Who counts as cautious from day to day: a risk appetite of at most the class that the policy says (C1 low to C5 high). Its first
-- class also names the days before it.
with spans as (
    select
        'C' || cast(cast(value as integer) as varchar) as highest_class,
        case when lag(valid_from) over (order by valid_from asc nulls first) is null then cast('0001-01-01' as date) else valid_from end
            as valid_from,
        valid_to
    from {{ ref('int_parameter_spans') }}
    where parameter = 'cautious_risk_class_max'
),

versions as (
    select * from {{ ref('int_customer_versions_dated') }}
    where risk_rating is not null
),

customer_risks_dated as (
    select
        versions.customer_id,
        versions.risk_rating <= spans.highest_class as is_cautious,
        greatest(versions.valid_from, spans.valid_from) as valid_from,
        least(versions.valid_to, spans.valid_to) as valid_to
    from versions
    inner join spans
        on
            versions.valid_from < spans.valid_to
            and versions.valid_to > spans.valid_from
)

select * from customer_risks_dated
