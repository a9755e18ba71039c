"""What may stand in a bank's extracts.yml, as a JSON schema: structure, names, types, allowed values, settings per kind.

`say` is what people are told of a value that does not fit: what is allowed there. What one part of the file must hold
against another is in profile_checks.
"""

from __future__ import annotations

from datetime import date
from typing import Any

COLUMN_TYPES = ("text", "date", "timestamp", "decimal", "fraction", "quantity", "integer", "boolean")
NUMBER_TYPES = ("decimal", "fraction", "quantity", "integer")
DATE_TYPES = ("date", "timestamp")
# What a source of each kind must say, and what else it may say, besides `kind` and `delivery`.
KINDS = {
    "delimited": ({"file"}, {"encoding", "delimiter", "control", "header", "last_row_may_be_cut"}),
    "parquet": ({"file"}, {"control"}),
    "http": ({"connection"}, {"page_size", "content_digest"}),
    "postgresql": ({"connection", "table"}, {"business_date_column"}),
}
ANY_KIND = {"kind", "delivery", "expect", "longest_value_bytes"}
DELIVERIES = ("full", "events", "changes")
# What ends up in a variable's name or in SQL is written so that it can mean nothing else there.
CONNECTION = "[a-z][a-z0-9_]{0,39}"
IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]{0,62}"
NAME = "^[a-z][a-z0-9_]{0,39}$"

TEXT = {"type": "string", "minLength": 1, "say": "write a text"}
FLAG = {"type": "boolean", "say": "write true or false"}
DAY = {"type": "date", "say": "write a date that exists, as YYYY-MM-DD without quotes"}


def _one_of(names: tuple[str, ...]) -> dict:
    return {"enum": list(names), "say": f"use one of {', '.join(names)}"}


COLUMN: dict[str, Any] = {
    "type": "object",
    "say": "write {type: ...} with what else holds of the column",
    "required": ["type"],
    "additionalProperties": False,
    "properties": {
        "type": _one_of(COLUMN_TYPES),
        "key": FLAG,
        "required": FLAG,
        "values": {
            "type": "array",
            "say": "write a list of the codes there are, as [A, B]",
            "items": {
                "type": ["string", "number"],
                "say": 'YAML reads yes, no, on, off as true and false: put "..." around it',
            },
        },
        "references": {"type": "string", "say": "write source.extract.column"},
        "control_total": FLAG,
        "personal": FLAG,
        "not_cards": FLAG,
        "format": {
            "type": "string",
            "pattern": "%",
            "say": 'write it as strptime does, for example "%Y%m%d" or "%d.%m.%Y"',
        },
    },
}

SETTINGS: dict[str, Any] = {
    "kind": _one_of(tuple(KINDS)),
    "delivery": _one_of(DELIVERIES),
    "file": TEXT | {"say": "write the path below the data folder; it may hold {business_date} and {extract}"},
    "encoding": TEXT | {"say": "write an encoding, for example utf-8 or gb18030"},
    "delimiter": TEXT | {"say": 'write what stands between two values, for example "|"'},
    "control": FLAG,
    "header": FLAG,
    "last_row_may_be_cut": FLAG,
    "connection": {
        "type": "string",
        "pattern": f"^{CONNECTION}$",
        # The value is never repeated: somebody may have written an address with its password.
        "secret": True,
        "say": "connection is a name of small letters, digits and _, never an address:"
        " the address stands in the environment",
    },
    "page_size": {"type": "integer", "minimum": 1, "say": "write how many rows a page may have, from 1 on"},
    "content_digest": FLAG,
    "table": {
        "type": "string",
        "pattern": rf"^({IDENTIFIER}|\{{extract\}})\.([A-Za-z_{{}}][A-Za-z0-9_{{}}]{{0,80}})$",
        "say": "it is not schema.table of letters, digits and _ (`{extract}` stands for the extract's name)",
    },
    "business_date_column": {
        "type": ["string", "null"],
        "pattern": f"^{IDENTIFIER}$",
        "say": "it is not a column's name of letters, digits and _",
    },
    "longest_value_bytes": {"type": "integer", "minimum": 1, "say": "write how long a value may be, from 1 on"},
    "expect": {"type": "object", "say": "write principle: what it expects"},
}

FILE: dict[str, Any] = {
    "type": "object",
    "say": "write name: value lines (see CONTRIBUTING, add a bank)",
    "required": [
        "bank", "name_en", "name_zh", "reporting_currency", "timezone", "initial_delivery_on",
        "demo_last_business_date", "delivery_cut_off", "customer_column", "sources",
    ],
    "additionalProperties": False,
    "properties": {
        "bank": {"type": "string", "pattern": NAME, "say": "write the folder's name: small letters, digits and _"},
        "name_en": TEXT,
        "name_zh": TEXT,
        "reporting_currency": {"type": "string", "pattern": "^[A-Z]{3}$", "say": "write an ISO code of three capitals, for example CNY"},
        "timezone": TEXT | {"say": "write a zone of the tz database, for example Asia/Shanghai"},
        "initial_delivery_on": DAY,
        "demo_last_business_date": DAY,
        "delivery_cut_off": {
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
            "say": 'write a time of the next day in quotes, as "02:00"',
        },
        "customer_column": TEXT | {"say": "write source.extract.column"},
        "simulated": FLAG,
        "not_provided": {"type": "array", "items": TEXT, "say": "write a list of canonical tables, as [core__balances]"},
        "sources": {
            "type": "object",
            "minProperties": 1,
            "say": "write at least one source with its extracts",
            "propertyNames": {"pattern": NAME, "say": "a source's name has small letters, digits and _"},
            "additionalProperties": {
                "type": "object",
                "say": "write the source's settings and its extracts",
                "required": ["extracts"],
                "properties": {
                    "extracts": {
                        "type": "object",
                        "minProperties": 1,
                        "say": "write at least one extract",
                        "propertyNames": {"pattern": NAME, "say": "an extract's name has small letters, digits and _"},
                        "additionalProperties": {
                            "type": "object",
                            "say": "write the extract's delivery and columns",
                            "required": ["columns"],
                            "properties": {
                                "columns": {
                                    "type": "object",
                                    "minProperties": 1,
                                    "say": "write a line for each column, in the order of the file",
                                    "propertyNames": {"pattern": '^[^"]+$', "say": "a column's name has no quotation mark"},
                                    "additionalProperties": COLUMN,
                                }
                            },
                        },
                    }
                },
            },
        },
    },
}  # fmt: skip


def settings_schema(kind: object) -> dict[str, Any]:
    """What an extract of a kind may say, its source's settings included; of an unknown kind anything that some kind knows."""
    needed = KINDS[kind][0] if kind in KINDS else set()
    return {"type": "object", "required": sorted(needed | {"kind", "delivery"}), "properties": SETTINGS}


def validator_of(schema: dict[str, Any]):
    """A validator that knows dates, which YAML has and JSON has not."""
    import jsonschema

    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine("date", lambda _, value: isinstance(value, date))
    return jsonschema.validators.extend(base, type_checker=types)(schema)
