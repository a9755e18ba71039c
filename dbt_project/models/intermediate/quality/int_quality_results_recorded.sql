-- Verdicts on record, with the place of each run among those told: a run that began at the same moment goes by its name.
select
    recorded.*,
    dense_rank() over (
        order by run_started_at asc nulls last, run_id asc nulls last
    ) as run_number
from {{ quality_results() }} as recorded
