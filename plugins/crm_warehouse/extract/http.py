"""CRM interfaces that send JSON in pages: `GET /v1/<extract>?business_date=D&limit=N[&cursor=C]`, a bearer token.

Every page carries the facts of the whole delivery, its items, and the cursor of the next page:
`{"extract", "business_date", "sequence", "rows", "sent_at", "totals": {column: text}, "items": [...], "next_cursor"}`.
Where the profile says `content_digest`, each answer proves its body by a `Content-Digest` of SHA-256 (RFC 9530); a body that
is not the one it names was changed on the way and is asked for again, like half a body.
What is kept as the original is every item as one line of JSON with its names sorted, in the order received.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import numpy as np
import pyarrow as pa
import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from crm_warehouse.errors import ExtractError, SettingsError
from crm_warehouse.extract import content_digest, forbidden, names, socket_file
from crm_warehouse.extract.delivery import SOURCE_ROW, Delivery, HashingFile, Received, sent_at
from crm_warehouse.extract.rows import RowsWriter
from crm_warehouse.profile import Column, Extract, Profile

ON_SOCKET_FILE = "http+unix"
ATTEMPTS = 5  # of one request; between them 0.5, 1, 2, 4 seconds, or what the server asks for
LONGEST_WAIT = 120  # seconds; a server that asks for more is not up tonight
TIMEOUTS = (10, 60)  # seconds to connect, and between two bytes
BROKEN_OFF = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
FACTS = ("extract", "business_date", "sequence", "rows", "sent_at", "totals")
# The types that JSON has of its own; all others, decimals too, come as text: a JSON number is not exact.
NOT_TEXT = {"integer": int, "boolean": bool}


class _NewDelivery(Exception):
    """The pages changed while they were read: the source sends another delivery by now."""


@dataclass(frozen=True)
class Api:
    """An interface of pages that is open for reading. `sleep` is what waits between attempts."""

    base: str
    token: str = field(repr=False)
    session: requests.Session = field(repr=False)
    sleep: Callable[[float], None] = time.sleep

    def get(self, extract: str, proven: bool = False, **parameters: object) -> dict:
        """One page, `proven` by its digest. Broken answers are asked for again, ATTEMPTS times; ExtractError says what remained wrong."""
        url = f"{self.base}/v1/{quote(extract)}"
        for attempt in range(1, ATTEMPTS + 1):
            problem, wait = self._try(url, parameters, proven)
            if isinstance(problem, dict):
                return problem
            if wait is not None and wait > LONGEST_WAIT:
                raise ExtractError(f"{url} asks to wait {wait:.0f} seconds ({problem}); run again after that")
            if attempt < ATTEMPTS:
                self.sleep(2 ** (attempt - 2) if wait is None else wait)
        raise ExtractError(f"{url} {problem}, {ATTEMPTS} times in a row; see to the interface, then run again")

    def _try(self, url: str, parameters: dict, proven: bool) -> tuple[dict | str, float | None]:
        """The page, or what was wrong with the answer, and how long the server asks to wait."""
        try:
            answer = self.session.get(
                url,
                params=parameters,
                headers={"Accept-Encoding": "identity"} if proven else {},  # a digest is of the bytes on the way
                auth=self._authorise,
                timeout=TIMEOUTS,
                allow_redirects=False,  # a redirect could carry the token to another host
                proxies={"no_proxy": str(urlsplit(url).hostname)},  # and so could a proxy
            )
        except BROKEN_OFF as problem:
            return f"broke off ({type(problem).__name__})", None
        except requests.exceptions.RequestException as problem:
            raise ExtractError(f"{url} cannot be asked ({type(problem).__name__}); correct the connection") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            return f"answered {answer.status_code}", _asked_to_wait(answer)
        if answer.status_code in (401, 403):
            raise ExtractError(f"{url} refused the token ({answer.status_code}); renew the connection's token")
        if "cursor" in parameters and answer.status_code in (400, 404, 410):
            raise _NewDelivery  # the pages that this cursor belongs to are gone
        if answer.status_code == 404:
            raise ExtractError(
                f"{url} has nothing for {parameters['business_date']} (404): the source has not delivered yet;"
                " run again when it has"
            )
        if answer.status_code != 200:
            raise ExtractError(f"{url} answered {answer.status_code}; correct the connection or the profile")
        if proven:
            named = content_digest.sha256_named(answer.headers.get(content_digest.HEADER, ""))
            if named is None:
                raise ExtractError(
                    f"{url} sent a body without a Content-Digest of SHA-256, which the profile says it has;"
                    " ask the source to send it, or correct the profile"
                )
            if named != hashlib.sha256(answer.content).digest():
                return "sent a body that is not the one its Content-Digest names: it was changed on the way", None
        try:
            page = json.loads(answer.content)
        except (ValueError, RecursionError):
            return "sent a body that is not whole JSON", None
        return (page, None) if isinstance(page, dict) else ("sent JSON that is no page", None)

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _asked_to_wait(answer: requests.Response) -> float | None:
    try:
        return Retry().get_retry_after(answer.raw)
    except InvalidHeader:
        return None


@contextmanager
def open_api(address: str, connection: str, sleep: Callable[[float], None] = time.sleep) -> Iterator[Api]:
    """An interface at `address` (`https://:TOKEN@HOST:PORT`, or `http+unix://:TOKEN@FILE` on this machine), open."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in ("http", "https", ON_SOCKET_FILE) and parts.hostname and (parts.port or True)
    except ValueError:
        is_usable = False
    token = unquote(parts.password or parts.username or "") if is_usable else ""
    if not re.fullmatch(r"[!-~]+", token):
        raise SettingsError(
            f"the address of connection {connection} is not http(s)://:TOKEN@HOST:PORT with a token of plain characters"
            " (percent-encode / ? # @ and %)"
        )
    host = parts.netloc.rpartition("@")[2]
    with requests.Session() as session:
        if parts.scheme == ON_SOCKET_FILE:
            session.mount(socket_file.BASE, socket_file.SocketFileAdapter(unquote(host)))
            base = socket_file.BASE
        else:
            base = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
        yield Api(base, token, session, sleep)


def read(profile: Profile, spec: Extract, api: Api, business_date: date, folder: Path) -> Delivery:
    """All pages of one extract for one business date. A delivery replaced while it is read is read anew, once."""
    place = f"{api.base}/v1/{spec.name} of {business_date}"
    for _ in range(2):
        try:
            return _read_once(profile, spec, api, business_date, folder, place)
        except _NewDelivery:
            continue
    raise ExtractError(f"{place} became another delivery twice while it was read; run again when the source is done")


def _read_once(profile: Profile, spec: Extract, api: Api, business_date: date, folder: Path, place: str) -> Delivery:
    original = folder / f"{spec.name}.jsonl"
    with original.open("wb") as file, RowsWriter(spec, place, folder) as writer:
        lines = HashingFile(file)
        facts = _read_pages(spec, api, business_date, place, writer, lines)
        file.flush()
        control = {name: str(facts[name]) for name in ("business_date", "sequence", "rows", "sent_at")}
        control |= {f"total_{column}": total for column, total in facts["totals"].items()}
        received = Received(
            place=place,
            file=original.name,
            original=original,
            size=lines.size,
            sha256=lines.sha256,
            business_date=business_date,
            sequence=facts["sequence"],
            received_at=sent_at(profile, facts["sent_at"]),
            control=control,
            witness="the API",
        )
        return writer.finish(received, [])


def _read_pages(
    spec: Extract, api: Api, business_date: date, place: str, writer: RowsWriter, lines: HashingFile
) -> dict:
    """Write all pages; the facts of the delivery. Each page brings something new, so reading comes to an end."""
    facts, cursor, read = None, None, 0
    pages, cursors = set(), set()
    while True:
        parameters = {"business_date": business_date.isoformat(), "limit": spec.page_size}
        page = api.get(spec.name, spec.content_digest, **parameters, **({} if cursor is None else {"cursor": cursor}))
        found = _facts_of(spec, page, business_date, place)
        if facts is not None and found != facts:
            raise _NewDelivery
        facts, cursor = found, page["next_cursor"]
        rows, content = _rows_of(spec, business_date, page["items"], read, place)
        fingerprint = hashlib.sha256(content).digest()
        if content and fingerprint in pages:
            raise ExtractError(f"{place} sent a page twice, after {read} items; ask for the delivery again")
        pages.add(fingerprint)
        lines.write(content)
        writer.add(rows)
        read += len(rows)
        if read > facts["rows"]:
            raise ExtractError(
                f"{place} sent {read} items or more but says {facts['rows']}; ask for the delivery again"
            )
        if cursor is None:
            return facts
        if cursor in cursors or not content:
            what = "sent a cursor twice" if cursor in cursors else "sent a page without items before the last"
            raise ExtractError(f"{place} {what}, after {read} items; ask for the delivery again")
        cursors.add(cursor)


def _facts_of(spec: Extract, page: dict, business_date: date, place: str) -> dict:
    """What a page says of the whole delivery, checked: it must be the one that was asked for."""
    missing = [name for name in (*FACTS, "items", "next_cursor") if name not in page]
    if missing:
        raise ExtractError(f"{place} sent a page without {', '.join(missing)}; ask the source to complete it")
    facts = {name: page[name] for name in FACTS}
    for name, asked in (("extract", spec.name), ("business_date", business_date.isoformat())):
        if facts[name] != asked:
            said = repr(facts[name]) if re.fullmatch(r"[a-z_]{1,63}|[0-9-]{8,10}", str(facts[name])) else "another"
            raise ExtractError(f"{place} sent a page whose {name} is {said}; ask for the delivery again")
    totals = [column.name for column in spec.columns if column.control_total]
    try:
        is_right = (
            all(type(facts[name]) is int and facts[name] >= 0 for name in ("sequence", "rows"))
            and isinstance(page["items"], list)
            and isinstance(page["next_cursor"], str | None)
            and all(isinstance(total, str) and Decimal(total).is_finite() for total in facts["totals"].values())
            and datetime.fromisoformat(facts["sent_at"])
        )
    except (TypeError, ValueError, AttributeError, InvalidOperation):
        is_right = False
    if not is_right:
        raise ExtractError(
            f"{place} sent a page whose sequence and rows are no whole numbers, totals no decimals as text,"
            " sent_at no time, items no list, or next_cursor no text; ask the source to correct it"
        )
    without = [name for name in totals if name not in facts["totals"]]
    if without:
        raise ExtractError(f"{place} does not say the total of {', '.join(without)}; ask the source to complete it")
    return facts


def _rows_of(spec: Extract, business_date: date, items: list[Any], before: int, place: str) -> tuple[pa.Table, bytes]:
    """The items of a page as text, and the lines of JSON that landing keeps; `before`: items of the pages before."""
    expected = {column.name for column in spec.columns}
    for number, item in enumerate(items, before + 1):
        if not isinstance(item, dict) or item.keys() != expected:
            if isinstance(item, dict):
                identity = {"business_date": business_date.isoformat(), "file": f"{spec.name}.jsonl"}
                identity["sha256"] = hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()
                forbidden.refuse_names(spec, place, identity, sorted(item.keys() - expected), number)
            problem = _difference(item, expected)
            raise ExtractError(f"{place}, item {number}: {problem}; it must match the profile exactly")
    texts = {
        column.name: _texts(column, [item[column.name] for item in items], before, place) for column in spec.columns
    }
    lines = (json.dumps(item, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n" for item in items)
    try:
        content = "".join(lines).encode("utf-8")
        rows = pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()})
    except (UnicodeEncodeError, pa.ArrowInvalid):
        raise ExtractError(f"{place} holds text that is not Unicode; ask for the delivery again") from None
    numbers = np.arange(before + 1, before + len(items) + 1, dtype=np.int64)
    return rows.append_column(SOURCE_ROW, pa.array(numbers)), content


def _difference(item: Any, expected: set[str]) -> str:
    if not isinstance(item, dict):
        return f"it is {_json_type(item)}, not an object"
    return f"it {names.difference(sorted(item), sorted(expected))}"


def _texts(column: Column, values: list[Any], before: int, place: str) -> list[str]:
    """The values of one column as text. Each must be of the one JSON type that keeps its meaning, or null."""
    expected = NOT_TEXT.get(column.type, str)
    for number, value in enumerate(values, before + 1):
        if value is not None and type(value) is not expected:
            raise ExtractError(
                f"{place}, item {number}: {column.name} is {_json_type(value)}; the profile says {column.type},"
                f" which JSON sends as {_json_type(expected())}"
            )
        if expected is str and value and "\0" in value:
            raise ExtractError(f"{place}, item {number}: {column.name} holds a NUL; ask for the delivery again")
    if expected is bool:
        return ["" if value is None else "true" if value else "false" for value in values]
    return ["" if value is None else str(value) for value in values]


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")
