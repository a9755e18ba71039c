"""Addresses of sources and of the serving database from Airflow's connections (`crm_warehouse_<bank>_<name>`), else from the environment."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from crm_warehouse.extract.connections import address_in_environment
from crm_warehouse.publish.serving import database_in_environment


def find_address(bank: str, connection: str) -> str | None:
    """The URL of a source's connection, with its secret; None where there is neither connection nor variable."""
    try:
        found = Connection.get(f"crm_warehouse_{bank}_{connection}")
    except AirflowNotFoundException:
        return address_in_environment(bank, connection)
    return _url_of(found)


def find_serving_database(bank: str) -> str | None:
    """The URL of the database that follows what is published: Airflow's connection first, else the environment's."""
    try:
        return _url_of(Connection.get(f"crm_warehouse_{bank}_serving_database"))
    except AirflowNotFoundException:
        return database_in_environment(bank)


def _url_of(connection: Connection) -> str:
    """As the extract step takes it. Airflow's own URI form has another scheme, and for HTTP no protocol."""
    scheme, _, host = (connection.host or "").rpartition("://")
    port = f":{connection.port}" if connection.port else ""
    secret = f"{quote(connection.login or '', safe='')}:{quote(connection.password or '', safe='')}"
    if connection.conn_type == "http":
        # By Airflow's custom an HTTP connection's schema is its protocol.
        host, _, path = host.partition("/")
        return f"{scheme or connection.schema or 'http'}://{secret}@{host}{port}{'/' if path else ''}{path}"
    options = "&".join(
        f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in connection.extra_dejson.items()
    )
    database = quote(connection.schema or "", safe="")
    return f"postgresql://{secret}@{host}{port}/{database}{'?' if options else ''}{options}"
