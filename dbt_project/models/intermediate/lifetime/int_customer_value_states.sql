-- Where each customer stands at the end of a month: by this the life table counts, and peers are found.
with months as (
    select
        months.*,
        spells.spell_from,
        spells.spell_to,
        spells.spell_to > months.month_end as is_here,
        (extract(year from months.month_end + 1) - extract(year from spells.spell_from)) * 12
        + extract(month from months.month_end + 1) - extract(month from spells.spell_from)
        - case when extract(day from months.month_end + 1) < extract(day from spells.spell_from) then 1 else 0 end as tenure_months
    from {{ ref('int_customer_months') }} as months
    inner join {{ ref('int_customer_spells') }} as spells
        on
            months.customer_id = spells.customer_id
            and months.spell_number = spells.spell_number
),

known as (
    select
        months.*,
        versions.city_tier,
        versions.occupation_code,
        versions.declared_wealth_amount,
        -- Years completed at the month's end, by the calendar.
        cast(extract(year from months.month_end) - extract(year from versions.birth_date) as integer)
        - case
            when
                extract(month from months.month_end) * 100 + extract(day from months.month_end)
                < extract(month from versions.birth_date) * 100 + extract(day from versions.birth_date) then 1
            else 0
        end as age
    from months
    left join {{ ref('int_customer_versions_dated') }} as versions
        on
            months.customer_id = versions.customer_id
            and versions.valid_from <= months.month_end
            and versions.valid_to > months.month_end
),

customer_value_states as (
    select
        known.customer_id,
        known.month,
        known.month_end,
        known.spell_number,
        known.spell_from,
        known.spell_to,
        known.is_here,
        -- A second record of one person has no tier of its own.
        coalesce(rated.tier_code, 'unrated') as tier_code,
        case
            when known.tenure_months < parameters.tenure_band_1_months then '1'
            when known.tenure_months < parameters.tenure_band_2_months then '2'
            when known.tenure_months < parameters.tenure_band_3_months then '3'
            else '4'
        end as tenure_band,
        coalesce(ages.age_band, '') as age_band,
        coalesce(known.city_tier, '') as city_tier,
        coalesce(known.occupation_code, '') as occupation_code,
        known.declared_wealth_amount
    from known
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on known.month = parameters.month
    left join {{ ref('int_customer_months_rated') }} as rated
        on
            known.customer_id = rated.customer_id
            and known.month = rated.month
            and rated.is_in_force
    left join {{ ref('int_age_bands_dated') }} as ages
        on
            known.age between ages.age_from and ages.age_to
            and known.month_end >= ages.valid_from
            and known.month_end < ages.valid_to
)

select * from customer_value_states
