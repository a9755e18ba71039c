"""Reading what a source sent: one interface, one module per kind of source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from crm_warehouse.extract.connections import FindAddress, address_in_environment, require_address
from crm_warehouse.extract.delivery import Delivery
from crm_warehouse.profile import Extract, Profile

__all__ = ["Delivery", "extract", "open_source"]


@contextmanager
def open_source(
    profile: Profile,
    source: str,
    root: Path,
    find_address: FindAddress = address_in_environment,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[object]:
    """What `extract` reads the extracts of one source from, for as long as the context lasts.

    A folder of files, the session of an API, or one snapshot of a database: every extract read from it shows the
    same moment. Raises SettingsError when the source's connection has no address.
    """
    from crm_warehouse.extract import http, postgresql

    spec = profile.extracts_of(source)[0]
    if spec.kind == "http":
        with http.open_api(require_address(profile, spec, find_address), spec.connection, sleep) as api:
            yield api
    elif spec.kind == "postgresql":
        with postgresql.open_snapshot(require_address(profile, spec, find_address), spec.connection) as snapshot:
            yield snapshot
    else:
        yield root


def extract(
    profile: Profile, spec: Extract, opened: object, business_date: date, workplace: Path | None = None
) -> Delivery:
    """The delivery of one extract for one business date: every row as text, with its place in the source.

    `opened` is what `open_source` gives; of files it is their folder. The delivery's files are in a folder of its own,
    below `workplace` or among the temporary files of the system, and go with it. Raises ExtractError (one sentence)
    when the delivery is missing, empty, or not what the profile or its sender says, and ForbiddenData when it holds
    what may not be kept; then nothing stays.
    """
    from crm_warehouse.extract import delimited, http, parquet, postgresql
    from crm_warehouse.extract.delivery import Workplace, open_file, prove_complete

    place = Workplace(workplace)
    try:
        if spec.kind in ("delimited", "parquet"):
            received = open_file(profile, spec, opened, business_date, place.folder)
            delivery = {"delimited": delimited.read, "parquet": parquet.read}[spec.kind](spec, received)
        else:
            read = {"http": http.read, "postgresql": postgresql.read}[spec.kind]
            delivery = read(profile, spec, opened, business_date, place.folder)
        prove_complete(spec, delivery)
    except BaseException:
        place.remove()
        raise
    return replace(delivery, received=replace(delivery.received, workplace=place))
