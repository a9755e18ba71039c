"""Parquet files of data-platform peers: columns matched exactly, values turned into text without loss, batch by batch."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import forbidden, names
from crm_warehouse.extract.delivery import SOURCE_ROW, Delivery, Received
from crm_warehouse.extract.rows import RowsWriter
from crm_warehouse.profile import Column, Extract

ACCEPTED = {
    "text": (pa.types.is_string, pa.types.is_large_string),
    "date": (pa.types.is_date32,),
    "timestamp": (pa.types.is_timestamp,),
    "decimal": (pa.types.is_decimal,),
    "fraction": (pa.types.is_decimal,),
    "quantity": (pa.types.is_decimal,),
    "integer": (pa.types.is_integer,),
    "boolean": (pa.types.is_boolean,),
}


BATCH = 1 << 16  # rows


def read(spec: Extract, received: Received) -> Delivery:
    """Rows of a Parquet file. Raises ExtractError when a column is missing, new, or of another type (schema drift)."""
    try:
        with pq.ParquetFile(received.original) as file:
            _match_columns(spec, received, file.schema_arrow)
            return _write_rows(spec, received, file)
    except (pa.ArrowException, OSError):  # what they say may repeat what is in the file
        raise ExtractError(f"{received.place} is not a whole Parquet file; ask for the delivery again") from None


def _match_columns(spec: Extract, received: Received, schema: pa.Schema) -> None:
    columns = [column.name for column in spec.columns]
    forbidden.refuse_names(
        spec, received.place, received.identity, [name for name in schema.names if name not in columns]
    )
    problem = names.difference(schema.names, columns)
    if problem:
        raise ExtractError(f"{received.place} {problem}; its columns must match the profile exactly")
    for column in spec.columns:
        found = schema.field(column.name).type
        if not any(accepts(found) for accepts in ACCEPTED[column.type]):
            raise ExtractError(f"{received.place}: column {column.name} is {found}; the profile says {column.type}")


def _write_rows(spec: Extract, received: Received, file: pq.ParquetFile) -> Delivery:
    row = 2
    with RowsWriter(spec, received.place, received.original.parent) as writer, duckdb.connect() as connection:
        for batch in file.iter_batches(BATCH):
            rows = _as_text(connection, spec, pa.Table.from_batches([batch]))
            numbers = pa.array(np.arange(row, row + len(rows), dtype=np.int64))
            writer.add(rows.append_column(SOURCE_ROW, numbers))
            row += len(rows)
        return writer.finish(received, [])


def _as_text(connection: duckdb.DuckDBPyConnection, spec: Extract, table: pa.Table) -> pa.Table:
    """Every value as it would stand in a delimited file. DuckDB writes decimals plainly, Arrow as 0E-9."""
    for index, column in enumerate(spec.columns):
        if column.type == "timestamp":  # with a zone or without: the text is UTC
            moments = pc.cast(table[column.name], pa.timestamp("us"))
            table = table.set_column(index, column.name, moments)
    connection.register("received", table)
    columns = ", ".join(f"coalesce({_text_of(column)}, '') as \"{column.name}\"" for column in spec.columns)
    return connection.execute(f"select {columns} from received").to_arrow_table()


def _text_of(column: Column) -> str:
    if column.type == "timestamp":
        # Parts of a second stay in the text; the gate then says that the profile does not allow for them.
        return f"replace(strftime(\"{column.name}\", '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')"
    return f'cast("{column.name}" as varchar)'
