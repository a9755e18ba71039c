"""Load a range of business dates (the initial load, or a reload after a correction), build once, prove and publish.

**Purpose.** The same tasks as `crm_warehouse_daily`, over every business date from `first_date` to `last_date`; the marts are
as of the last one. Started by hand or by `make demo`.

**Safe to run again.** What has landed is skipped, what was accepted stays accepted, and the same landing, policy and code
give the same content hashes; when nothing differs from the live version, the pointer does not move.

**When it is red.** As in `crm_warehouse_daily`: the `evidence` task says what is wrong and what to do.

**Owner.** data-engineering.
"""

from datetime import timedelta

from airflow.sdk import Param, dag

from crm_warehouse.operators.nightly import BANK_PARAMS, DEFAULT_ARGS, load_and_publish


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=24),
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["crm-warehouse", "initial-load"],
    params={
        **BANK_PARAMS,
        "first_date": Param("2026-05-31", type="string", format="date", description="First business date to load."),
        "last_date": Param("2026-06-30", type="string", format="date", description="Last one; the marts are as of it."),
    },
)
def crm_warehouse_rebuild():
    load_and_publish("{{ params.first_date }}", "{{ params.last_date }}")


crm_warehouse_rebuild()
