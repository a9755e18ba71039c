"""The `Content-Digest` header of RFC 9530: the digest of a message's bytes as they were sent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

HEADER = "Content-Digest"


def of(content: bytes) -> str:
    """The header's value for a content."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def sha256_named(header: str) -> bytes | None:
    """The SHA-256 that a header's value names, whatever other digests it has; None when it names none."""
    found = re.search(r"(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):", header)
    try:
        return base64.b64decode(found[1], validate=True) if found else None
    except binascii.Error:
        return None
