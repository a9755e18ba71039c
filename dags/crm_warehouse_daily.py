"""Load one business date of the bank, build the marts, prove them and publish.

**Purpose.** Every night: extract each source, landing gate, build, mart gate, publish, evidence. BI reads the new version
when `publish` is green; until then, and when anything fails, it stays on the last good one.

**Schedule.** 03:00 Shanghai time, after the banks' cut-off at 02:00, for the day that has just ended. A day on which the
bank is closed skips. `catchup` is off: a run must not start by surprise for each night the scheduler was down. Load missed
nights on purpose: `airflow backfill create --dag-id crm_warehouse_daily --from-date
2026-06-01T00:00+08:00 --to-date 2026-06-05T23:59+08:00`.
Any date can be run again: landing skips what has landed, the build starts from landing, the pointer moves once.

**When it is red.** Open the `evidence` task: its message is one sentence that names the file or rule and what to do, and
the run's report. *extract*: a file is missing or damaged: ask the source for it, clear the task. *landing_gate*: a rule
blocked: get a corrected delivery (next sequence number), clear `extract`. *build*: a dbt test failed: the log names it.
*mart_gate*: the figures are not fit for use: nobody has seen them. *publish*: another run was faster: run again; or
PostgreSQL could not follow: the files are live, mend it and clear the task.

**Owner.** data-engineering; for a waiver ask the rule's owner (shown in the report).
"""

from datetime import datetime, timedelta, timezone

from airflow.sdk import CronDataIntervalTimetable, Param, dag

from crm_warehouse.operators.nightly import BANK_PARAMS, DEFAULT_ARGS, load_and_publish


@dag(
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 6, 1, tzinfo=timezone(timedelta(hours=8))),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=8),
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["crm-warehouse", "nightly"],
    params={
        **BANK_PARAMS,
        "business_date": Param(
            None, type=["null", "string"], format="date", description="Empty: the day the schedule's interval began."
        ),
    },
)
def crm_warehouse_daily():
    business_date = (
        "{{ params.business_date or (data_interval_start.in_timezone('Asia/Shanghai').to_date_string()"
        " if data_interval_start else '') }}"
    )
    load_and_publish(business_date, business_date, skip_when_closed=True)


crm_warehouse_daily()
