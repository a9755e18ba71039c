"""HTTP over a socket file instead of a port: how an interface on this machine is read where there is no network."""

from __future__ import annotations

import socket

import requests
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

BASE = "http://localhost"  # what requests sees; the socket decides where it goes


class SocketFileAdapter(requests.adapters.HTTPAdapter):
    """Sends every request of a session to one socket file."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._pool = _Pool(file)

    def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None) -> HTTPConnectionPool:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


class _Pool(HTTPConnectionPool):
    def __init__(self, file: str) -> None:
        super().__init__("localhost")
        self._file = file

    def _new_conn(self) -> HTTPConnection:
        self.num_connections += 1
        return _Connection(self._file)


class _Connection(HTTPConnection):
    def __init__(self, file: str) -> None:
        super().__init__("localhost")
        self._file = file

    def _new_conn(self) -> socket.socket:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.settimeout(self.timeout)
        connected.connect(self._file)
        return connected
