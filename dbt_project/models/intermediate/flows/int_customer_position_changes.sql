-- What moved the assets of positions other than by posting or order, by the share each customer holds at the month's end.
with persons as (
    select distinct customer_id from {{ ref('int_customer_spells') }}
),

bridged as (
    select * from {{ ref('int_position_months_bridged') }}
    where fx_amount <> 0 or market_amount <> 0 or overdraft_reporting_amount <> 0 or units_reporting_amount <> 0
),

held as (
    select
        bridged.*,
        persons.customer_id as holder_id,
        coalesce(holders.share_fraction, cast(1 as decimal(9, 6))) as share_fraction
    from bridged
    left join {{ ref('int_position_holders') }} as holders
        on
            bridged.position_id = holders.position_id
            and bridged.month_end >= holders.valid_from
            and bridged.month_end < holders.valid_to
    inner join persons
        on coalesce(holders.customer_id, bridged.customer_id) = persons.customer_id
),

customer_position_changes as (
    {%- for part, reason, local_amount, reporting_amount in [
        ('market', 'null', 'null', 'market_amount'),
        ('fx', 'null', 'null', 'fx_amount'),
        ('correction', "'overdraft'", 'overdraft_amount', 'overdraft_reporting_amount'),
        ('correction', "'units_without_order'", 'units_amount', 'units_reporting_amount'),
    ] %}
    select
        holder_id as customer_id,
        month,
        currency_code,
        '{{ part }}' as part,
        cast({{ reason }} as varchar) as correction_reason,
        cast(sum(cast({{ local_amount }} * share_fraction as decimal(26, 8))) as decimal(26, 8)) as amount,
        cast(sum(cast({{ reporting_amount }} * share_fraction as decimal(26, 12))) as decimal(32, 12)) as held_amount
    from held
    where {{ reporting_amount }} <> 0
    group by holder_id, month, currency_code
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from customer_position_changes
