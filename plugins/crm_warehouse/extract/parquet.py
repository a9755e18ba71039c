"""Parquet files of data-platform peers: columns matched exactly, values turned into text without loss."""

from __future__ import annotations

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
    except pa.ArrowInvalid as problem:
        raise ExtractError(f"{received.path} is not a whole Parquet file ({problem}); ask for the delivery again") from None
    names = [column.name for column in spec.columns]
    if table.column_names != names:
        raise ExtractError(f"{received.path} has the columns {table.column_names}; the profile says {names}")
    rows = pa.table({column.name: _as_text(received, column, table[column.name]) for column in spec.columns})
    return Delivery(received, rows.append_column(SOURCE_ROW, pa.array(np.arange(2, len(rows) + 2, dtype=np.int64))))


def _as_text(received: Received, column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not any(accepts(values.type) for accepts in ACCEPTED[column.type]):
        raise ExtractError(f"{received.path}: column {column.name} is {values.type}; the profile says {column.type}")
    text = pc.strftime(values, "%Y-%m-%dT%H:%M:%SZ") if column.type == "timestamp" else pc.cast(values, pa.string())
    return pc.fill_null(text, "")
