"""Questions to the last built warehouse, by the names of the project's models."""

from __future__ import annotations

import re

import duckdb

from crm_warehouse.errors import SettingsError
from crm_warehouse.privacy.tokens import customer_key_of, read_key
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings


class Warehouse:
    """One connection to the warehouse, to be read only."""

    def __init__(self, warehouse: duckdb.DuckDBPyConnection, models: CompiledModels, settings: Settings) -> None:
        self._warehouse, self._models, self._settings = warehouse, models, settings

    def rows(self, query: str, *values: object) -> list[dict]:
        """Rows of a query in which `{name}` is the relation of that model."""
        return self.ask(query, list(values))

    def ask(self, query: str, values: list | dict) -> list[dict]:
        """The same with all values in one."""
        query = re.sub(r"\{(\w+)\}", lambda found: self._models.relation(found[1]), query)
        found = self._warehouse.execute(query, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def one(self, query: str, *values: object) -> dict | None:
        """The first row, or None."""
        return next(iter(self.rows(query, *values)), None)

    def known(self, customer: str) -> tuple[str, str]:
        """(id, key) of a customer; an id is looked up only by the key it has under this bank's secret."""
        keys = [customer]
        if self._settings.customer_key_file.is_file():
            keys.append(customer_key_of(read_key(self._settings), customer))
        for key in keys:
            found = self.one("select customer_id, customer_key from {int_customer_keys} where customer_key = ?", key)
            if found:
                return found["customer_id"], found["customer_key"]
        raise SettingsError(
            f"the warehouse of {self._settings.bank} knows no such customer: give a customer_key as the marts have it,"
            " or, where the bank's token key is, the bank's own customer id"
        )
