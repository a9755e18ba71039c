-- The bands of age in force from when to when: a date of the policy replaces the whole list. The first list also names the days
-- before it: a band is a label to group by, not a decision.
with lists as (
    select
        effective_from,
        lag(effective_from) over (order by effective_from asc nulls first) is null as is_first,
        lead(effective_from, 1, {{ end_of_time() }}) over (order by effective_from asc nulls first) as valid_to
    from (select distinct effective_from from {{ ref('age_bands') }}) as dates
),

age_bands_dated as (
    select
        bands.age_band,
        bands.age_from,
        bands.age_to,
        bands.is_founder_generation,
        case when lists.is_first then cast('0001-01-01' as date) else lists.effective_from end as valid_from,
        lists.valid_to
    from {{ ref('age_bands') }} as bands
    inner join lists
        on bands.effective_from = lists.effective_from
)

select * from age_bands_dated
