"""Parquet files of data-platform peers: columns matched exactly, values turned into text without loss."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract.delivery import SOURCE_ROW, Delivery, Received
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


def read(spec: Extract, received: Received) -> Delivery:
    """Rows of a Parquet file. Raises ExtractError when a column is missing, new, or of another type (schema drift)."""
    try:
        table = pq.read_table(pa.BufferReader(received.content))
    except (pa.ArrowInvalid, OSError) as problem:
        reason = str(problem).splitlines()[0]
        raise ExtractError(
            f"{received.place} is not a whole Parquet file ({reason}); ask for the delivery again"
        ) from None
    names = [column.name for column in spec.columns]
    if table.column_names != names:
        raise ExtractError(f"{received.place} has the columns {table.column_names}; the profile says {names}")
    for column in spec.columns:
        if not any(accepts(table.schema.field(column.name).type) for accepts in ACCEPTED[column.type]):
            found = table.schema.field(column.name).type
            raise ExtractError(f"{received.place}: column {column.name} is {found}; the profile says {column.type}")
        if column.type == "timestamp":  # with a zone or without: the text is UTC
            index = table.column_names.index(column.name)
            table = table.set_column(index, column.name, pc.cast(table[column.name], pa.timestamp("us")))
    rows = _as_text(spec, table)
    return Delivery(received, rows.append_column(SOURCE_ROW, pa.array(np.arange(2, len(rows) + 2, dtype=np.int64))))


def _as_text(spec: Extract, table: pa.Table) -> pa.Table:
    """Every value as it would stand in a delimited file. DuckDB writes decimals plainly, Arrow as 0E-9."""
    with duckdb.connect() as connection:
        connection.register("received", table)
        columns = ", ".join(f"coalesce({_text_of(column)}, '') as \"{column.name}\"" for column in spec.columns)
        return connection.execute(f"select {columns} from received").to_arrow_table()


def _text_of(column: Column) -> str:
    if column.type == "timestamp":
        # Parts of a second stay in the text; the gate then says that the profile does not allow for them.
        return f"replace(strftime(\"{column.name}\", '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')"
    return f'cast("{column.name}" as varchar)'
