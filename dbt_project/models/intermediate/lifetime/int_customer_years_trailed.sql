-- What the twelve months up to each month brought, and where assets were heading: the median of the slopes between any two of
-- its months (Theil-Sen), on the logarithm of assets at constant prices.
with months as (
    select
        months.customer_id,
        months.month,
        months.spell_number,
        extract(year from months.month) * 12 + extract(month from months.month) as month_number,
        parts.contribution_avoidable_amount,
        parts.contribution_full_amount,
        coalesce(assets.adb_amount, 0) as assets_amount,
        -- A month that began before the customer did has days of nothing in its average.
        case
            when months.spell_from <= months.month and deflated.amount_days > 0
                then cast(round(ln(cast(deflated.amount_days as double) / (months.month_end - months.month + 1)), 9) as decimal(12, 9))
        end as log_assets
    from {{ ref('int_customer_value_states') }} as months
    left join {{ ref('int_customer_contributions_added') }} as parts
        on months.customer_id = parts.customer_id and months.month = parts.month
    left join {{ ref('int_customer_assets_averaged') }} as assets
        on months.customer_id = assets.customer_id and months.month = assets.month
    left join {{ ref('int_customer_assets_deflated') }} as deflated
        on months.customer_id = deflated.customer_id and months.month = deflated.month
),

-- A relationship that ended and began again has no trend over the gap.
trailed as (
    select
        months.*,
        {%- for back in range(12) %}
        lag(log_assets, {{ back }}) over by_spell as log_{{ back }},
        {%- endfor %}
        count(*) over trailing_year as months_observed,
        sum(contribution_avoidable_amount) over trailing_year as contribution_avoidable_year_amount,
        sum(contribution_full_amount) over trailing_year as contribution_full_year_amount,
        sum(assets_amount) over trailing_year as assets_months_amount
    from months
    window
        trailing_year as (partition by customer_id order by month_number asc nulls last range between 11 preceding and current row),
        by_spell as (partition by customer_id, spell_number order by month_number asc nulls last)
),

customer_years_trailed as (
    select
        customer_id,
        month,
        assets_amount,
        months_observed,
        cast(contribution_avoidable_year_amount as decimal(18, 2)) as contribution_avoidable_year_amount,
        cast(contribution_full_year_amount as decimal(18, 2)) as contribution_full_year_amount,
        cast(assets_months_amount as decimal(20, 2)) as assets_months_amount,
        {% for back in range(12) %}{{ "+ " if not loop.first }}case when log_{{ back }} is null then 0 else 1 end {% endfor %} as trend_months,
        {%- set slopes = [] %}
        {%- for near in range(11) %}
        {%- for far in range(near + 1, 12) %}
        {%- do slopes.append("cast(log_%d - log_%d as double) / %d" % (near, far, far - near)) %}
        {%- endfor %}
        {%- endfor %}
        {{ median_of(slopes) }} as asset_slope
    from trailed
)

select * from customer_years_trailed
