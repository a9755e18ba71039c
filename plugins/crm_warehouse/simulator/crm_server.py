"""The simulated bank's CRM interface: serves `<root>/<source>/<business_date>/<extract>.jsonl` in pages of JSON.

A delivery is there once its control file `<extract>.ctl` is. The cursor is the place in the file where the next page
begins, so a page costs the same wherever it is.

Every answer names the digest of its body (RFC 9530). The control file says what the source sent; a file that is no longer
that was damaged on the way, and so is every page of it: its digest is that of another body. Without a sha256 there is no digest.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from urllib.parse import parse_qs, quote, urlsplit

from crm_warehouse.extract import content_digest
from crm_warehouse.files import sha256_of

LONGEST_PAGE = 5000


class CrmServer(ThreadingMixIn, TCPServer):
    """A server of one folder of deliveries and one token, on a free port of this machine or on a socket file."""

    daemon_threads = True

    def __init__(self, folder: Path, token: str, handler: type[CrmHandler], socket_file: Path | None = None) -> None:
        if socket_file:
            self.address_family = socket.AF_UNIX
        super().__init__(str(socket_file) if socket_file else ("127.0.0.1", 0), handler)
        self.folder = folder
        self.token = token
        self._hashed: dict[tuple[str, int, int], str] = {}  # by path, time and size

    def is_as_sent(self, file: Path) -> bool | None:
        """Whether a file is still the one that its control file says was sent; None where it does not say."""
        if "sha256" not in (said := said_in(file.with_suffix(".ctl"))):
            return None
        state = file.stat()
        key = (str(file), state.st_mtime_ns, state.st_size)
        if key not in self._hashed:
            self._hashed[key] = sha256_of(file)
        return said["sha256"] == self._hashed[key]


class CrmHandler(BaseHTTPRequestHandler):
    """`GET /v1/<extract>?business_date=D&limit=N[&cursor=C]`."""

    protocol_version = "HTTP/1.1"
    server: CrmServer

    def setup(self) -> None:
        # Else each page waits 40 ms on a port for its first part to be acknowledged; a socket file knows no such thing.
        self.disable_nagle_algorithm = self.server.address_family == socket.AF_INET
        super().setup()

    def do_GET(self) -> None:
        """Answer one request; what it says wrong is a JSON object with `error`."""
        self.is_as_sent: bool | None = True
        status, body = self.answer()
        content = json.dumps(body).encode()
        if self.is_as_sent is None:
            self.send(status, content)
            return
        # Of a body that was changed on the way only this is known: its digest is not that of the one that was sent.
        sent = content if self.is_as_sent else b"the page as it was sent: " + hashlib.sha256(content).digest()
        self.send(status, content, Content_Digest=content_digest.of(sent))

    def answer(self) -> tuple[HTTPStatus, dict]:
        """The status and the body of the answer."""
        sent = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(sent, f"Bearer {self.server.token}".encode()):
            return HTTPStatus.UNAUTHORIZED, {"error": "a valid bearer token is needed"}
        url = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        extract = re.fullmatch(r"/v1/([a-z_]+)", url.path)
        day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", asked.get("business_date", ""))
        if not extract or not day:
            return HTTPStatus.BAD_REQUEST, {"error": "ask for /v1/<extract>?business_date=YYYY-MM-DD"}
        limit, start = asked.get("limit", str(LONGEST_PAGE)), asked.get("cursor", "0")
        if not (limit.isdigit() and int(limit) > 0 and start.isdigit()):
            return HTTPStatus.BAD_REQUEST, {"error": "limit and cursor are not what this server gave out"}
        file = self.server.folder / day[0] / f"{extract[1]}.jsonl"
        control = file.with_suffix(".ctl")
        if not (file.is_file() and control.is_file()):
            return HTTPStatus.NOT_FOUND, {"error": f"{extract[1]} of {day[0]} has not been delivered"}
        self.is_as_sent = self.server.is_as_sent(file)
        page = page_of(file, int(start), min(int(limit), LONGEST_PAGE))
        if page is None:
            return HTTPStatus.BAD_REQUEST, {"error": "the cursor is not one that this server gave out"}
        return HTTPStatus.OK, {"extract": extract[1], **facts_of(control), **page}

    def send(self, status: int, body: bytes, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """Answer while the connection lasts. A damaged delivery cannot be read here either: the connection ends, unsaid."""
        try:
            super().handle()
        except (ValueError, KeyError):
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: who serves it sees what it answers."""


def facts_of(control: Path) -> dict:
    """What a control file says of its delivery, as every page repeats it."""
    said = said_in(control)
    return {
        "business_date": said["business_date"],
        "sequence": int(said["sequence"]),
        "rows": int(said["rows"]),
        "sent_at": said["sent_at"],
        "totals": {name.removeprefix("total_"): said[name] for name in said if name.startswith("total_")},
    }


def said_in(control: Path) -> dict[str, str]:
    """The lines of a control file."""
    return dict(line.split("=", 1) for line in control.read_text(encoding="utf-8").splitlines() if "=" in line)


def page_of(file: Path, start: int, limit: int) -> dict | None:
    """The items from byte `start` on, and the cursor of the page after them; None where no line begins there."""
    with file.open("rb") as lines:
        lines.seek(max(start - 1, 0))
        if start and lines.read(1) != b"\n":
            return None
        items = [json.loads(line) for line in (lines.readline() for _ in range(limit)) if line]
        end = lines.tell()
        return {"items": items, "next_cursor": str(end) if lines.read(1) else None}


@contextmanager
def serving(root: Path, token: str, source: str = "crm", handler: type[CrmHandler] = CrmHandler) -> Iterator[str]:
    """Serve `<root>/<source>` on a free port of this machine while the context lasts; gives the base URL."""
    with CrmServer(root / source, token, handler) as server, _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def serving_on_socket(root: Path, token: str, source: str) -> Iterator[str]:
    """The same on a socket file, where no network is needed, not even this machine's own; gives the address to open."""
    with tempfile.TemporaryDirectory(prefix="crm_") as folder:
        file = Path(folder) / "socket"
        with CrmServer(root / source, token, CrmHandler, file) as server, _running(server):
            yield f"http+unix://:{token}@{quote(str(file), safe='')}"


@contextmanager
def _running(server: CrmServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
