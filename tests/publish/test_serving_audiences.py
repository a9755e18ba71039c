"""In PostgreSQL a manager sees own rows by role name, an analyst tokens, and ids only who was granted them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from conftest import settings_in
from publish.candidates import publish_customers
from publish.serving_database import ask, clean, role_with

from crm_warehouse.publish import serving

OWN = "select customer_key from rm.fct_values order by 1"


@pytest.fixture
def database(postgresql: str, tmp_path: Path) -> Iterator[str]:
    settings = settings_in(tmp_path / "home")
    publish_customers(settings)
    clean(postgresql)
    serving.serve(settings, postgresql)
    yield postgresql
    clean(postgresql)


def test_a_manager_sees_the_rows_of_own_customers_only(database: str):
    with role_with(database, "R00001", "rm"), role_with(database, "R00002", "rm"), role_with(database, "R9", "rm"):
        assert ask(database, OWN, "R00001") == [("k1",), ("k2",)]
        assert ask(database, OWN, "R00002") == [("k3",)]
        assert ask(database, OWN, "R9") == []
        assert ask(database, "select customer_key from rm.dim_customers", "R00002") == [("k3",)]


@pytest.mark.parametrize("relation", ["marts.fct_values", "marts.dim_customers", "restricted.customer_ids"])
def test_a_manager_cannot_reach_around_the_views(database: str, relation: str):
    with role_with(database, "R00001", "rm"), pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(database, f"select * from {relation}", "R00001")


def test_a_function_in_a_managers_query_never_sees_rows_of_others(database: str):
    """Without the security barrier a cheap function would be asked before the filter."""
    with role_with(database, "R00001", "rm"):
        ask(database, 'grant create on schema public to "R00001"')
        spy = """
            create function public.spy(text) returns boolean language plpgsql cost 0.0000001 as
            $$ begin if $1 not in ('k1', 'k2') then raise exception 'saw %', $1; end if; return true; end $$;
            select customer_key from rm.fct_values where public.spy(customer_key) order by 1
        """
        assert ask(database, spy, "R00001") == [("k1",), ("k2",)]


def test_marts_that_are_not_of_customers_have_no_view_for_managers(database: str):
    views = "select table_name from information_schema.views where table_schema = 'rm' order by 1"
    assert ask(database, views) == [("dim_customers",), ("fct_values",)]


def test_ids_are_of_published_customers_only_and_for_nobody_who_was_not_granted_them(database: str):
    assert ask(database, "select * from restricted.customer_ids order by 1") == [
        (f"k{n}", f"C{n}") for n in range(1, 5)
    ]
    with role_with(database, "analyst", "marts"):
        assert len(ask(database, "select * from marts.fct_values", "analyst")) == 4
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(database, "select * from restricted.customer_ids", "analyst")
    with role_with(database, "stranger"), pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(database, "select * from marts.fct_values", "stranger")
