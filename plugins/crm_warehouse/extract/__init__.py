"""Reading what a source sent: one interface, one module per kind of source."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crm_warehouse.extract.delivery import Delivery
from crm_warehouse.profile import Extract, Profile

__all__ = ["Delivery", "extract"]


def extract(profile: Profile, spec: Extract, root: Path, business_date: date) -> Delivery:
    """The delivery of one extract for one business date: every row as text, with its place in the source.

    Raises ExtractError (one sentence) when the file is missing, empty, or not what the profile or its
    control file says. Nothing is written.
    """
    from crm_warehouse.extract import delimited, parquet
    from crm_warehouse.extract.delivery import open_file, prove_complete

    received = open_file(profile, spec, root, business_date)
    reader = {"delimited": delimited.read, "parquet": parquet.read}[spec.kind]
    delivery = reader(spec, received)
    prove_complete(spec, delivery)
    return delivery
