"""Customer tokens: the marts know a customer by a keyed hash, and only the holder of the key can make it again."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.errors import SettingsError
from crm_warehouse.files import sync
from crm_warehouse.settings import Settings

KEY_BYTES = 32


def customer_key_of(key: bytes, customer_id: str) -> str:
    """HMAC-SHA256 of the customer id, 128 bits of it in hexadecimal: enough that no two customers ever meet."""
    return hmac.digest(key, customer_id.encode("utf-8"), "sha256").hex()[:32]


def read_key(settings: Settings) -> bytes:
    """The bank's token key; made at random the first time, readable by its owner only."""
    path = settings.customer_key_file
    if not path.exists():
        write_key(path, secrets.token_hex(KEY_BYTES))
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise SettingsError(f"{path} is not a key: it must hold at least {KEY_BYTES} bytes as hexadecimal digits")
    return key


def write_key(path: Path, key: str) -> None:
    """Write a key file once; an existing one is never replaced, because every token depends on it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())


TOKEN_SCHEMA = pa.schema([("customer_id", pa.string()), ("customer_key", pa.string())])


def update_token_map(settings: Settings, files: list[Path], column: str) -> Path:
    """Add the customers in `column` of the given Parquet files to the token map; only new ones are hashed.

    The map (customer_id, customer_key; sorted) stays with the warehouse's private files: it names customers.
    """
    path = settings.token_map
    key = read_key(settings)
    known = pq.read_table(path, schema=TOKEN_SCHEMA) if path.is_file() else TOKEN_SCHEMA.empty_table()
    if known.num_rows and known["customer_key"][0].as_py() != customer_key_of(key, known["customer_id"][0].as_py()):
        raise SettingsError(
            f"{settings.customer_key_file} is not the key that made the tokens in {path};"
            " give the original key back, or remove the map to give every customer a new token"
        )
    with duckdb.connect() as connection:
        connection.register("known", known)
        query = (
            f'select distinct "{column}" as customer_id from read_parquet(?) as landed'
            f' where "{column}" is not null and "{column}" not in (select customer_id from known)'
        )
        new = [customer_id for (customer_id,) in connection.execute(query, [[str(file) for file in files]]).fetchall()]
    added = pa.table([new, [customer_key_of(key, customer_id) for customer_id in new]], schema=TOKEN_SCHEMA)
    _write(path, pa.concat_tables([known, added]))
    return path


def forget_tokens(settings: Settings, is_forgotten: Callable[[bytes, str], bool]) -> None:
    """Take customers out of the token map: those of whom `is_forgotten` (the bank's key, customer id) is true."""
    if not settings.token_map.is_file():
        return
    key, known = read_key(settings), pq.read_table(settings.token_map, schema=TOKEN_SCHEMA)
    stays = [not is_forgotten(key, customer_id) for customer_id in known["customer_id"].to_pylist()]
    if not all(stays):
        _write(settings.token_map, known.filter(pa.array(stays)))


def _write(path: Path, tokens: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    pq.write_table(tokens.sort_by("customer_id"), temporary)
    sync(temporary)
    temporary.replace(path)
