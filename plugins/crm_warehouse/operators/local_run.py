"""Run one DAG to its end in this process, in real Airflow on an SQLite metadata database: `DAG.test`, no server.

    python -m crm_warehouse.operators.local_run <dag_id> '<params as JSON>'

The environment (AIRFLOW_HOME and the rest) comes from crm_warehouse.airflow_home. Exit code 1 when the run is red.
"""

from __future__ import annotations

import json
import sys


def main(dag_id: str, params: str) -> int:
    """Run the DAG and print its run id and state as the last line, as JSON."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.pool import Pool

    from crm_warehouse.operators.nightly import WRITER_POOL

    Pool.create_or_update_pool(WRITER_POOL, slots=1, description="DuckDB has one writer", include_deferred=False)
    bag = DagBag(load_op_links=False)
    if bag.import_errors:
        print(json.dumps({"run_id": None, "state": "failed", "import_errors": bag.import_errors}))
        return 1
    dag = bag.get_dag(dag_id)
    for task in dag.tasks:
        task.retries = 0  # a person is watching: say what is wrong now, not after back-offs
    run = dag.test(run_conf=json.loads(params))
    print(json.dumps({"run_id": run.run_id, "state": str(run.state)}))
    return 0 if run.state == "success" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
