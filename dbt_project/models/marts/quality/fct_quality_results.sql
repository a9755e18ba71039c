with results as (
    select * from {{ ref('int_quality_results_recorded') }}
),

-- A rule's own runs in order: one that did not exist in some run has no row there.
followed as (
    select
        results.*,
        {{ exact_ratio('failed_rows', 'table_rows') }} as failed_ratio,
        row_number() over of_rule as rule_run_number,
        max(case when status <> 'passed' then run_number end) over of_rule as last_failed_run_number,
        count(*) over last_28 as runs_of_28,
        count(case when status = 'passed' then 1 end) over last_28 as passed_of_28
    from results
    window
        of_rule as (partition by gate, rule_id order by run_number asc nulls last),
        last_28 as (
            partition by gate, rule_id order by run_number asc nulls last
            rows between 27 preceding and current row
        )
),

compared as (
    select
        followed.*,
        lag(failed_ratio) over (partition by gate, rule_id order by run_number asc nulls last) as previous_failed_ratio,
        min(rule_run_number) over (partition by gate, rule_id, last_failed_run_number) as spell_began
    from followed
),

fct_quality_results as (
    select
        run_id,
        run_started_at,
        first_business_date,
        business_date,
        gate,
        is_gate_open,
        rules_planned,
        rules_run,
        rule_id,
        table_name,
        rule_name_en,
        rule_name_zh,
        dimension,
        severity,
        status,
        table_rows,
        failed_rows,
        failed_ratio,
        waiver_number,
        waived_by,
        previous_failed_ratio,
        case when last_failed_run_number is not null then rule_run_number - spell_began end as runs_since_failure,
        runs_of_28,
        passed_of_28,
        {{ exact_ratio('passed_of_28', 'runs_of_28') }} as passed_ratio_28
    from compared
)

select * from fct_quality_results
