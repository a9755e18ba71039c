with gaps as (
    select
        gaps.*,
        -- Who was no customer that month has no contribution to lack a part.
        months.customer_id is not null as is_of_customer
    from {{ ref('int_contribution_gaps') }} as gaps
    left join {{ ref('int_customer_months') }} as months
        on gaps.customer_id = months.customer_id and gaps.month = months.month
),

fct_contribution_gaps as (
    select
        month,
        part,
        input,
        subject,
        count(distinct case when is_of_customer then customer_id end) as customer_count,
        count(distinct loan_id) as loan_count,
        min(loan_id) as first_loan_id,
        'no ' || replace(input, '_', ' ') || ' for ' || subject || ' in ' || substring(cast(month as varchar), 1, 7)
        || case when count(loan_id) > 0 then ' (loans: ' || count(distinct loan_id) || ', the first ' || min(loan_id) || ')' else '' end
        || ': customers without ' || part || ': ' || count(distinct case when is_of_customer then customer_id end) as sentence_en,
        substring(cast(month as varchar), 1, 7) || ' ' || subject || ' 缺少' || case input
            when 'transfer_price' then '内部资金转移价格'
            when 'customer_rate' then '客户利率'
            when 'interest_rate' then '可信的贷款利率'
            when 'probability_of_default' then '违约概率'
            when 'loss_given_default' then '违约损失率'
            else '单位成本'
        end
        || case when count(loan_id) > 0 then '（' || count(distinct loan_id) || ' 笔贷款，首笔 ' || min(loan_id) || '）' else '' end
        || '：' || count(distinct case when is_of_customer then customer_id end) || ' 位客户的 ' || part || ' 不可得' as sentence_zh
    from gaps
    group by month, part, input, subject
)

select * from fct_contribution_gaps
