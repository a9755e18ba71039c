"""Asking the serving database in tests, as its owner or as somebody with a role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2


def ask(url: str, statement: str, role: str | None = None) -> list[tuple]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        if role:
            cursor.execute(f'set local role "{role}"')
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def clean(url: str) -> None:
    """Nothing of ours is in it."""
    ask(url, "drop schema if exists marts, rm, restricted cascade")


@contextmanager
def role_with(url: str, name: str, *schemas: str) -> Iterator[None]:
    """A role that may read these schemas."""
    ask(url, f'create role "{name}"')
    for schema in schemas:
        ask(
            url,
            f'grant usage on schema {schema} to "{name}"; grant select on all tables in schema {schema} to "{name}"',
        )
    try:
        yield
    finally:
        ask(url, f'drop owned by "{name}" cascade; drop role "{name}"')
