-- Every cell somebody is in: how many of it stay, and what is usual in it; where too few were seen, in the next wider one.
{%- set widths = {'own': 'cells.cell', 'tenure': 'cells.tenure_cell', 'tier': 'cells.tier_cell', 'bank': "''"} %}

with cells as (
    select distinct
        month,
        cell,
        -- The wider cells it lies in.
        split_part(cell, '|', 1) || '|' || split_part(cell, '|', 2) as tenure_cell,
        split_part(cell, '|', 1) as tier_cell
    from {{ ref('int_customer_cells_pooled') }}
    where cell is not null
),

medians as (
    select * from {{ ref('int_cell_medians_learned') }}
),

captures as (
    select * from {{ ref('int_cell_captures_learned') }}
),

value_cells_learned as (
    select
        cells.month,
        cells.cell,
        {%- for learned, sources in {
            'capture_rate': 'captures', 'median_margin': 'medians', 'median_growth_steps': 'medians', 'median_assets_amount': 'medians',
        }.items() %}
        coalesce({% for width in widths %}{{ width }}_{{ sources }}.{{ learned }}{{ ", " if not loop.last }}{% endfor %}) as {{ learned }},
        {%- endfor %}
        cast(round(cast(life_tables.exits as double) / life_tables.customer_months, 12) as decimal(18, 12)) as exit_rate,
        cast(round(power(1 - cast(life_tables.exits as double) / life_tables.customer_months, 12), 6) as decimal(9, 6)) as retention_12m
    from cells
    inner join {{ ref('int_life_tables') }} as life_tables
        on cells.month = life_tables.month and cells.cell = life_tables.cell
    {%- for width, cell in widths.items() %}
    left join medians as {{ width }}_medians
        on cells.month = {{ width }}_medians.month and {{ width }}_medians.cell = {{ cell }}
    left join captures as {{ width }}_captures
        on cells.month = {{ width }}_captures.month and {{ width }}_captures.cell = {{ cell }}
    {%- endfor %}
)

select * from value_cells_learned
