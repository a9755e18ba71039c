"""The digest of a body (RFC 9530): what is changed on the way between a real server and the reader is not taken."""

from __future__ import annotations

import hashlib
import json

import pytest
from unit.extract.test_http import SOURCE, Crm, answering, contacts
from unit.tiny_bank import DAY, profile_body, write_profile

from crm_warehouse.extract import content_digest
from crm_warehouse.extract.http import ATTEMPTS
from crm_warehouse.profile import load_profile
from crm_warehouse.simulator.crm_server import CrmHandler


@pytest.fixture
def crm(tmp_path) -> Crm:
    body = profile_body()
    body["sources"]["crm"] = {**SOURCE, "content_digest": True}
    settings = write_profile(tmp_path, body)
    return Crm(settings, load_profile(settings), [])


def changed_on_the_way(handler: CrmHandler) -> None:
    """The page with another number of minutes, under the digest of the page as it was sent; as many rows, equal totals."""
    content = json.dumps(handler.answer()[1]).encode()
    changed = content.replace(b'"minutes": 30', b'"minutes": 90')
    assert changed != content
    handler.send(200, changed, Content_Digest=content_digest.of(content))


def without_digest(handler: CrmHandler) -> None:
    handler.send(200, json.dumps(handler.answer()[1]).encode())


def test_a_delivery_whose_pages_are_as_they_were_sent_is_read(crm):
    crm.deliver(contacts(5))
    assert crm.read().rows.num_rows == 5
    assert crm.pauses == []


@pytest.mark.parametrize("page", [1, 2])
def test_a_page_changed_once_is_asked_for_again(crm, page):
    crm.deliver(contacts(3))
    delivery = crm.read(answering(*[None] * (page - 1), changed_on_the_way))
    assert delivery.rows["minutes"].to_pylist() == ["30", "30", "30"]
    assert crm.pauses == [0.5]


def test_a_page_that_is_changed_each_time_is_refused(crm):
    crm.deliver(contacts(3))
    handler = answering(*[changed_on_the_way] * 50)
    text = crm.refusal(handler)
    assert "not the one its Content-Digest names" in text and f"{ATTEMPTS} times in a row" in text
    assert len(handler.paths) == ATTEMPTS


def test_a_body_without_the_digest_that_was_agreed_is_refused_at_once(crm):
    crm.deliver(contacts(3))
    assert "without a Content-Digest of SHA-256" in crm.refusal(answering(without_digest))
    assert crm.pauses == []


def test_a_delivery_damaged_after_its_control_file_was_written_is_refused(crm):
    crm.deliver(contacts(3))
    file = crm.settings.source_root / "crm" / DAY.isoformat() / "contacts.jsonl"
    file.write_bytes(file.read_bytes().replace(b"30", b"90"))
    assert "not the one its Content-Digest names" in crm.refusal()


def test_a_control_file_without_a_sha256_gives_no_digest(crm):
    crm.deliver(contacts(3), sha256=None)
    assert "without a Content-Digest of SHA-256" in crm.refusal()


def test_where_no_digest_was_agreed_none_is_needed(tmp_path):
    body = profile_body()
    body["sources"]["crm"] = SOURCE
    settings = write_profile(tmp_path, body)
    crm = Crm(settings, load_profile(settings), [])
    crm.deliver(contacts(3))
    assert crm.read(answering(without_digest)).rows.num_rows == 3


def test_the_header_is_read_among_other_digests_and_parameters():
    digest = hashlib.sha256(b"x").digest()
    value = content_digest.of(b"x")
    assert content_digest.sha256_named(value) == digest
    assert content_digest.sha256_named(f"sha-512=:AAAA:, {value};q=1") == digest
    for wrong in ("", "sha-256=x", "sha-512=:AAAA:", "xsha-256" + value[7:], "sha-256=:short:"):
        assert content_digest.sha256_named(wrong) is None
