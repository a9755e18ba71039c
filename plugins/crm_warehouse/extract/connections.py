"""Where the address of a source's connection comes from: outside the code, and never into a message or a record."""

from __future__ import annotations

import os
from collections.abc import Callable

from crm_warehouse.errors import SettingsError
from crm_warehouse.profile import Extract, Profile

# (bank, connection) -> its URL with its secret, or None where it is not configured.
FindAddress = Callable[[str, str], str | None]


def variable_of(connection: str) -> str:
    return f"CRM_WAREHOUSE_CONNECTION_{connection.upper()}"


def address_in_environment(bank: str, connection: str) -> str | None:
    """The URL of a connection from the environment, for every bank alike."""
    return os.environ.get(variable_of(connection)) or None


def require_address(profile: Profile, spec: Extract, find_address: FindAddress) -> str:
    """The URL of the source's connection; SettingsError says which variable to set."""
    address = find_address(profile.bank, spec.connection)
    if not address:
        form = "http://:TOKEN@HOST:PORT" if spec.kind == "http" else "postgresql://USER:PASSWORD@HOST/DATABASE"
        raise SettingsError(
            f"source {spec.source} has no address: set {variable_of(spec.connection)} to {form},"
            f" or in Airflow the connection crm_warehouse_{profile.bank}_{spec.connection}"
        )
    return address
