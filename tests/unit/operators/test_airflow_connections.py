"""Addresses of sources in Airflow: its own connection first, else the environment's."""

from __future__ import annotations

import pytest

from crm_warehouse.operators import connections


@pytest.mark.parametrize(
    ("stored", "url"),
    [
        ("http://:t%2Fok@crm.bank:8080", "http://:t%2Fok@crm.bank:8080"),
        ('{"conn_type": "http", "host": "crm.bank", "schema": "https", "password": "tok"}', "https://:tok@crm.bank"),
        ('{"conn_type": "http", "host": "https://crm.bank/api", "password": "tok"}', "https://:tok@crm.bank/api"),
        (
            '{"conn_type": "postgres", "host": "db.bank", "port": 5433, "login": "reader", "password": "p@ss/w",'
            ' "schema": "core", "extra": {"sslmode": "require"}}',
            "postgresql://reader:p%40ss%2Fw@db.bank:5433/core?sslmode=require",
        ),
        ("postgres://reader:pw@db.bank/core", "postgresql://reader:pw@db.bank/core"),
    ],
)
def test_a_connection_of_airflow_becomes_the_address_the_readers_take(monkeypatch, stored, url):
    monkeypatch.setenv("AIRFLOW_CONN_CRM_WAREHOUSE_TINY_CRM_API", stored)
    monkeypatch.setenv("CRM_WAREHOUSE_CONNECTION_CRM_API", "http://:other@elsewhere")
    assert connections.find_address("tiny", "crm_api") == url


def test_without_a_connection_of_airflow_the_environment_decides(monkeypatch):
    def missing(conn_id: str):
        raise connections.AirflowNotFoundException(conn_id)

    monkeypatch.setattr(connections.Connection, "get", missing)
    monkeypatch.setenv("CRM_WAREHOUSE_CONNECTION_CRM_API", "http://:tok@crm.bank")
    assert connections.find_address("tiny", "crm_api") == "http://:tok@crm.bank"
    assert connections.find_address("tiny", "other") is None


def test_the_serving_database_is_a_connection_of_airflow_or_a_variable_of_its_own(monkeypatch):
    """Never that of a source: a warehouse that writes where it reads from would be a surprise."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM_WAREHOUSE_TINY_SERVING_DATABASE", "postgres://bi:p%40ss@db.bank/serving")
    monkeypatch.setenv("CRM_WAREHOUSE_CONNECTION_SERVING_DATABASE", "postgresql://source@elsewhere/db")
    assert connections.find_serving_database("tiny") == "postgresql://bi:p%40ss@db.bank/serving"

    def missing(conn_id: str):
        raise connections.AirflowNotFoundException(conn_id)

    monkeypatch.setattr(connections.Connection, "get", missing)
    assert connections.find_serving_database("tiny") is None
    monkeypatch.setenv("CRM_WAREHOUSE_SERVING_DATABASE", "postgresql://bi@db.bank/serving")
    assert connections.find_serving_database("tiny") == "postgresql://bi@db.bank/serving"
