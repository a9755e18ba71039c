"""The tasks of the main job, the same for one business date and for many."""

from __future__ import annotations

import logging
from datetime import date, timedelta

from airflow.sdk import Asset, Param, task
from airflow.sdk.exceptions import AirflowFailException

WRITER_POOL = "warehouse_writer"  # one slot: DuckDB has one writer
MARTS = Asset(name="crm_warehouse_marts", uri="x-crm-warehouse://published/current.json")

BANK_PARAMS = {
    "bank": Param(
        None, type=["null", "string"], description="A profile in dbt_project/banks; empty: CRM_WAREHOUSE_BANK."
    ),
    "data": Param(None, type=["null", "string"], description="Folder of the extracts; empty: CRM_WAREHOUSE_DATA."),
    "switch_bank": Param(False, type="boolean", description="Let this bank replace another that is live here."),
}


def call(step: str, context: dict, *arguments, **options):
    """Run one step of crm_warehouse.pipeline; a problem a person must mend fails at once, without retries."""
    from crm_warehouse import pipeline, progress
    from crm_warehouse.errors import CrmWarehouseError
    from crm_warehouse.settings import load_settings

    try:
        settings = load_settings(context["params"]["bank"], context["params"]["data"])
        if step in pipeline.STEPS_WITH_PROGRESS:
            # Mapped tasks share a task id; the source they extract tells them apart.
            arguments += (progress.to_file(" ".join([context["ti"].task_id, *arguments])),)
        return getattr(pipeline, step)(settings, context["run_id"], *arguments, **options)
    except CrmWarehouseError as problem:
        raise AirflowFailException(str(problem)) from problem


@task.short_circuit(execution_timeout=timedelta(minutes=5))
def plan(first: str, last: str, skip_when_closed: bool, **context) -> list[str]:
    """Decide the business dates; returns the sources to extract. None, on a day the bank is closed, skips the run."""
    from crm_warehouse.errors import NothingDelivered

    try:
        dates = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        raise AirflowFailException(
            f"'{first}' and '{last}' must be dates like 2026-06-30: set the run's params"
        ) from None
    try:
        return call("plan_run", context, *dates, context["params"]["switch_bank"])["sources"]
    except AirflowFailException as problem:
        if skip_when_closed and isinstance(problem.__cause__, NothingDelivered):
            logging.getLogger("crm_warehouse").info("%s: nothing to do", problem)
            return []
        raise


@task(execution_timeout=timedelta(hours=2))
def extract(source: str, **context) -> None:
    """Land every extract of one source."""
    from crm_warehouse.operators.connections import find_address

    call("extract_source", context, source, find_address=find_address)


@task(execution_timeout=timedelta(hours=1), pool=WRITER_POOL)
def landing_gate(**context) -> None:
    """Judge what landed; accept it or stop."""
    call("judge_landing", context)


@task(execution_timeout=timedelta(hours=2), pool=WRITER_POOL)
def build(**context) -> None:
    """Build and test the warehouse, write the candidate."""
    call("build_warehouse", context)


@task(execution_timeout=timedelta(hours=1), pool=WRITER_POOL)
def mart_gate(**context) -> None:
    """Judge the candidate; let it pass or stop."""
    call("judge_marts", context)


@task(execution_timeout=timedelta(minutes=30), pool=WRITER_POOL, outlets=[MARTS])
def publish(**context) -> None:
    """Move the pointer to the candidate; the serving database follows."""
    from crm_warehouse.operators.connections import find_serving_database

    call("publish_marts", context, find_database=find_serving_database)


@task(execution_timeout=timedelta(minutes=15), trigger_rule="all_done")
def evidence(**context) -> None:
    """Put the run on record, failed or not; a failed run ends red here."""
    summary = call("record_evidence", context)
    if summary["outcome"] == "failed":
        raise AirflowFailException(f"the run failed: {summary['problem']} (report: {summary['report']})")


def load_and_publish(first: str, last: str, *, skip_when_closed: bool = False) -> None:
    """Wire the tasks. `first`, `last`: templates of ISO dates; `skip_when_closed`: no delivery that day skips the run."""
    landed = extract.expand(source=plan(first, last, skip_when_closed))
    landed >> landing_gate() >> build() >> mart_gate() >> publish() >> evidence()


def report_failure(context: dict) -> None:
    """Say in one line what failed and where to read more; the place to hook a pager to."""

    task_instance = context["task_instance"]
    logging.getLogger("crm_warehouse").error(
        "%s.%s of run %s failed: %s",
        task_instance.dag_id,
        task_instance.task_id,
        context["run_id"],
        context.get("exception"),
    )


DEFAULT_ARGS = {
    "owner": "data-engineering",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "on_failure_callback": report_failure,
}
