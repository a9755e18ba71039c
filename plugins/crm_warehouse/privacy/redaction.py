"""Taking erased people out of a file of landing or quarantine, row by row and for good; amounts, dates and row numbers stay.

An id of an erased customer becomes a pseudonym, the same in every file and delivery, so that accounts, balances and
movements still fit each other. Of the row that describes the customer nothing else stays but what refers to other tables.
Where a file has personal values and no customer ids (calls by number), the values of erased people become pseudonyms.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.files import sha256_of, sync
from crm_warehouse.privacy.tokens import read_key
from crm_warehouse.profile import Column, Extract, Profile
from crm_warehouse.settings import Settings
from crm_warehouse.sql_text import as_text

PREFIX = "erased-"
PSEUDONYM = f"{PREFIX}[0-9a-f]{{32}}"
SHORTEST = 5  # of personal values looked for on their own: shorter ones are words of anybody


def pseudonym_of(key: bytes, value: str) -> str:
    """What stands for a customer id or a personal value that was erased: keyed, and not the token of the published marts."""
    return PREFIX + hmac.digest(key, f"erasure:{value}".encode(), "sha256").hex()[:32]


def find_erased(
    settings: Settings, profile: Profile, spec: Extract, files: Sequence[Path], erased: Set[str]
) -> dict[Path, dict[str, str]]:
    """Who of the erased is in which Parquet files of `spec`: `{value: pseudonym}` by file. `erased`: all pseudonyms in force.

    Ids of the token map are of customers who are not erased; what else there is is hashed.
    """
    saying_who = [f'"{column.name}"' for column in _saying_who(profile, spec)]
    if not saying_who or not files or not erased:
        return {}
    known = settings.token_map
    others = f" and value not in (select customer_id from read_parquet({as_text(known)}))" if known.is_file() else ""
    source = f"read_parquet({list(map(str, files))}, hive_partitioning = false, union_by_name = true, filename = true)"
    values = " union ".join(f"select filename, trim({name}) as value from {source}" for name in saying_who)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select * from ({values}) where length(value) > 0 and not starts_with(value, '{PREFIX}'){others} order by all"
        ).fetchall()
    key = read_key(settings)
    pseudonyms = {value: pseudonym_of(key, value) for value in {value for _, value in rows}}
    found: dict[Path, dict[str, str]] = {}
    for file, value in rows:
        if pseudonyms[value] in erased:
            found.setdefault(Path(file), {})[value] = pseudonyms[value]
    return found


def redact(
    profile: Profile,
    spec: Extract,
    file: Path,
    found: Mapping[str, str],
    note: Callable[[str, str], None] | None = None,
) -> None:
    """Rewrite one Parquet file of `spec` without those `found` in it, in one step.

    `note` is told the sha256 before and after, before the file is replaced.
    """
    saying_who = _saying_who(profile, spec)
    quoted = [f'"{column.name}"' for column in saying_who]
    replaced = [f"coalesce((select pseudonym from erased where value = trim({n})), {n}) as {n}" for n in quoted]
    in_row = " or ".join(f"coalesce(trim({name}) in (select value from erased), false)" for name in quoted)
    replaced += [
        f'case when not ({in_row}) then "{column.name}" end as "{column.name}"'
        for column in spec.columns
        if column not in saying_who and _is_blanked(profile, spec, column)
    ]
    metadata = {name: text for name, text in (pq.read_metadata(file).metadata or {}).items() if name != b"ARROW:schema"}
    said = ", ".join(f"{as_text(name.decode())}: {as_text(text.decode())}" for name, text in sorted(metadata.items()))
    temporary = file.with_name(f".{file.name}.erasing")
    with duckdb.connect() as connection:
        connection.register("erased", pa.table([list(found), list(found.values())], names=["value", "pseudonym"]))
        connection.execute(
            f"copy (select * replace ({', '.join(replaced)}) from {_rows_of(file)}) to {as_text(temporary)}"
            f" (format parquet, compression zstd{f', kv_metadata {{{said}}}' if said else ''})"
        )
    sync(temporary)
    before, after = sha256_of(file), sha256_of(temporary)
    if note and before != after:  # what was set aside is not among the accepted rows
        note(before, after)
    temporary.replace(file)
    sync(file.parent)


def _rows_of(file: Path) -> str:
    return f"read_parquet({as_text(file)}, hive_partitioning = false)"


def _saying_who(profile: Profile, spec: Extract) -> list[Column]:
    """Columns that hold customer ids; in a file without any, those with personal values."""
    naming = [column for column in spec.columns if profile.names_customer(spec, column)]
    return naming or [column for column in spec.columns if column.personal]


def _is_blanked(profile: Profile, spec: Extract, column: Column) -> bool:
    describes = spec == profile.customer_extract[0]
    return column.personal or (describes and not column.key and column.references is None)


def personal_values(profile: Profile, files: Sequence[Path], customer_id: str) -> set[str] | None:
    """What files of the customer extract have of a customer in personal columns, to be looked for elsewhere; None without it."""
    spec, key = profile.customer_extract
    columns = ", ".join(["trim(NULL)", *(f'trim("{column.name}")' for column in spec.columns if column.personal)])
    with duckdb.connect() as connection:
        source = f"read_parquet({list(map(str, files))}, hive_partitioning = false, union_by_name = true)"
        query = f'select distinct {columns} from {source} where trim("{key}") = ?'
        rows = connection.execute(query, [customer_id]).fetchall()
    return {value for row in rows for value in row if value and len(value) >= SHORTEST} if rows else None
