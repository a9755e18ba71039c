-- The band of age each customer is in, from birthday to birthday, and from list to list of the policy. Whoever is born on
-- 29 February has a birthday on 1 March in other years, as years completed by the calendar have it.
with versions as (
    select * from {{ ref('int_customer_versions_dated') }}
    where birth_date is not null
),

birthdays as (
    select
        versions.customer_id,
        versions.valid_from,
        versions.valid_to,
        bands.age_band,
        bands.is_founder_generation,
        bands.valid_from as policy_from,
        bands.valid_to as policy_to,
        {%- for column, age in [('band_from', 'bands.age_from'), ('band_to', 'bands.age_to + 1')] %}
        cast(versions.birth_date + {{ months('12 * (' ~ age ~ ')') }} as date) as {{ column }},
        {%- endfor %}
        extract(day from versions.birth_date) as born_on_day
    from versions
    cross join {{ ref('int_age_bands_dated') }} as bands
),

customer_ages_dated as (
    select
        customer_id,
        age_band,
        is_founder_generation,
        greatest(
            valid_from, policy_from, band_from + case when extract(day from band_from) < born_on_day then 1 else 0 end
        ) as valid_from,
        least(
            valid_to, policy_to, band_to + case when extract(day from band_to) < born_on_day then 1 else 0 end
        ) as valid_to
    from birthdays
)

select * from customer_ages_dated
where valid_from < valid_to
