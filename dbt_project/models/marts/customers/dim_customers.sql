with customers as (
    select
        latest.*,
        -- Years completed on the business date, by the calendar.
        cast(extract(year from {{ as_of() }}) - extract(year from birth_date) as integer)
        - case
            when
                extract(month from {{ as_of() }}) * 100 + extract(day from {{ as_of() }})
                < extract(month from birth_date) * 100 + extract(day from birth_date) then 1
            else 0
        end as age
    from {{ ref('int_customers_latest') }} as latest
),

-- The relationship that is current or was the last.
spells as (
    select * from {{ ref('int_customer_spells_followed') }}
    where valid_to = {{ end_of_time() }}
),

ages as (
    select * from {{ ref('int_age_bands_dated') }}
    where valid_from <= {{ as_of() }} and valid_to > {{ as_of() }}
),

risks as (
    select * from {{ ref('int_customer_risks_dated') }}
    where valid_from <= {{ as_of() }} and valid_to > {{ as_of() }}
),

tiers as (
    select * from {{ ref('fct_customer_tier_history') }}
    where valid_to = {{ end_of_time() }} and known_to = cast({{ end_of_time() }} as timestamp)
),

merged as (
    select * from {{ ref('int_merged_records') }}
    where merged_from <= {{ as_of() }} and merged_to > {{ as_of() }}
),

managers as (
    select * from {{ ref('int_primary_managers') }}
),

dim_customers as (
    select
        keys.customer_key,
        tiers.tier_code,
        customers.region_code,
        customers.city_tier,
        ages.age_band,
        customers.gender,
        customers.occupation_code,
        customers.industry_code,
        customers.risk_rating,
        spells.onboarded_on,
        spells.closed_on,
        customers.branch_id,
        managers.rm_id as primary_rm_id,
        ages.is_founder_generation,
        customers.city_tier = 'county' as is_county,
        customers.occupation_code = 'self_employed' as is_sole_proprietor,
        risks.is_cautious,
        merged.customer_id is not null as is_merged_record
    from customers
    inner join {{ ref('int_customer_keys') }} as keys
        on customers.customer_id = keys.customer_id
    inner join spells
        on customers.customer_id = spells.customer_id
    left join tiers
        on keys.customer_key = tiers.customer_key
    left join ages
        on customers.age between ages.age_from and ages.age_to
    left join risks
        on customers.customer_id = risks.customer_id
    left join managers
        on customers.customer_id = managers.customer_id
    left join merged
        on customers.customer_id = merged.customer_id
)

select * from dim_customers
