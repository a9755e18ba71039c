"""Great Expectations 1.24.1 on DuckDB: the one place that makes it work.

As shipped, `SqlAlchemyExecutionEngine.execute_query` closes its connection before the caller fetches rows. DuckDB
drops the rows then ("list index out of range") and every expectation errs. Buffering them inside the connection mends
it. And `UnexpectedRowsExpectation` runs its query twice, to count the rows and to fetch them; the count is enough, halves
the time, and no value leaves the engine. tests/expectations/test_gate_engine.py keeps a known-good and a known-bad table
against this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.datasource.fluent import SQLDatasource


# A gate's memory does not follow the size of what it judges: beyond this DuckDB works on disk.
CONFIG = {"memory_limit": "600MB"}


def connect(database: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the database of a gate."""
    return duckdb.connect(str(database), read_only=read_only, config=CONFIG)


@contextmanager
def open_database(path: Path) -> Iterator[tuple[EphemeralDataContext, SQLDatasource]]:
    """A GX context without files and a read-only datasource on the DuckDB file at `path`."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine

    def execute_buffered(engine, query):
        with engine.get_connection() as connection:
            return engine._execute_query_with_recovery(connection, query).freeze()()

    SqlAlchemyExecutionEngine.execute_query = execute_buffered
    SqlAlchemyExecutionEngine.execute_query_in_transaction = execute_buffered
    _count_only(gxe.UnexpectedRowsExpectation)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    datasource = context.data_sources.add_sql(
        name="warehouse",
        connection_string=f"duckdb:///{path}",
        create_temp_table=False,
        kwargs={"connect_args": {"read_only": True, "config": CONFIG}},
    )
    try:
        yield context, datasource
    finally:
        # DuckDB refuses a second connection with other options while a pooled one is open.
        datasource.get_execution_engine().close()
        datasource.get_engine().dispose()


def _count_only(expectation: type) -> None:
    """Let an UnexpectedRowsExpectation count its rows without fetching them."""
    fetched = "unexpected_rows_query.table"
    if fetched not in expectation.metric_dependencies:
        return  # done before in this process
    judge = expectation._validate
    expectation.metric_dependencies = tuple(name for name in expectation.metric_dependencies if name != fetched)

    def judge_count(self, metrics, runtime_configuration=None, execution_engine=None):
        return judge(self, {fetched: [], **metrics}, runtime_configuration, execution_engine)

    expectation._validate = judge_count
