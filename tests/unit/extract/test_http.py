"""Pages of JSON: read from a real server, whole and once, or refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from unit.tiny_bank import DAY, FRIDAY, profile_body, write_profile

from crm_warehouse.errors import ExtractError, SettingsError
from crm_warehouse.extract import Delivery, extract
from crm_warehouse.extract.http import ATTEMPTS, LONGEST_WAIT, open_api
from crm_warehouse.landing import land
from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.settings import Settings
from crm_warehouse.simulator.crm_server import CrmHandler, serving

TOKEN = "canary-5f1c0e"
CONTACT = {
    "contact_id": "V1",
    "customer_name": "王芳",
    "contacted_at": "2026-05-31T17:30:00Z",
    "contacted_on": "2026-06-01",
    "minutes": 30,
    "is_done": True,
    "cost": "12.50",
    "rate": "0.045000000",
}
TYPES = {
    "contact_id": {"type": "text", "key": True},
    "customer_name": {"type": "text", "personal": True},
    "contacted_at": {"type": "timestamp"},
    "contacted_on": {"type": "date"},
    "minutes": {"type": "integer"},
    "is_done": {"type": "boolean"},
    "cost": {"type": "decimal", "control_total": True},
    "rate": {"type": "fraction"},
}
SOURCE = {
    "kind": "http",
    "connection": "crm_api",
    "page_size": 2,
    "extracts": {
        "contacts": {"delivery": "events", "columns": TYPES},
        "managers": {"delivery": "full", "columns": {"rm_id": {"type": "text", "key": True}}},
    },
}


@dataclass
class Crm:
    """A bank whose CRM sends pages, and the pauses that reading them took."""

    settings: Settings
    profile: Profile
    pauses: list[float]

    def spec(self, name: str = "contacts") -> Extract:
        return next(spec for spec in self.profile.extracts_of("crm") if spec.name == name)

    def deliver(self, items: list[dict], day: date = DAY, name: str = "contacts", **said: object) -> None:
        """What the simulated bank writes: JSON lines, then their control file."""
        path = self.settings.source_root / "crm" / day.isoformat() / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
        total = sum((Decimal(item.get("cost") or 0) for item in items), Decimal(0)) if name == "contacts" else 0
        control = {
            "file": path.name,
            "business_date": day,
            "sequence": 1,
            "rows": len(items),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "sent_at": f"{day}T17:30:00Z",
            "total_cost": total,
            **said,
        }
        lines = [f"{key}={value}\n" for key, value in control.items() if value is not None]
        path.with_suffix(".ctl").write_text("".join(lines), encoding="utf-8")

    def read(
        self, handler: type[CrmHandler] = CrmHandler, day: date = DAY, name: str = "contacts", token: str = TOKEN
    ) -> Delivery:
        with (
            serving(self.settings.source_root, TOKEN, handler=handler) as base,
            open_api(base.replace("://", f"://:{token}@"), "crm_api", self.pauses.append) as api,
        ):
            return extract(self.profile, self.spec(name), api, day)

    def refusal(self, handler: type[CrmHandler] = CrmHandler, **asked) -> str:
        with pytest.raises(ExtractError) as refused:
            self.read(handler, **asked)
        assert TOKEN not in str(refused.value)
        assert "\n" not in str(refused.value)
        return str(refused.value)


@pytest.fixture
def crm(tmp_path: Path) -> Crm:
    body = profile_body()
    body["sources"]["crm"] = SOURCE
    settings = write_profile(tmp_path, body)
    return Crm(settings, load_profile(settings), [])


def contacts(count: int) -> list[dict]:
    return [{**CONTACT, "contact_id": f"V{number}"} for number in range(1, count + 1)]


def answering(*faults: Callable[[CrmHandler], None] | None) -> type[CrmHandler]:
    """A server whose first answers are these; None, and all after them: as it should."""

    class Faulty(CrmHandler):
        paths: list[str] = []

        def do_GET(self) -> None:
            self.paths.append(self.path)
            fault = faults[len(self.paths) - 1] if len(self.paths) <= len(faults) else None
            fault(self) if fault else super().do_GET()

    return Faulty


def changing(change: Callable[[dict, int], object]) -> type[CrmHandler]:
    """A server that changes the page of each request (from 1 on) before it sends it."""

    class Changing(CrmHandler):
        paths: list[str] = []

        def answer(self):
            self.paths.append(self.path)
            status, page = super().answer()
            change(page, len(self.paths))
            return status, page

    return Changing


def status(code: int, **headers: str) -> Callable[[CrmHandler], None]:
    return lambda handler: handler.send(code, b"{}", **headers)


def drop(handler: CrmHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def half(handler: CrmHandler) -> None:
    body = json.dumps(handler.answer()[1]).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def half_without_length(handler: CrmHandler) -> None:
    body = json.dumps(handler.answer()[1]).encode()
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def test_all_pages_are_read_and_every_value_is_text(crm):
    crm.deliver(contacts(5))
    delivery = crm.read()
    assert delivery.rows.column_names == [*TYPES, "_source_row"]
    assert delivery.rows["contact_id"].to_pylist() == ["V1", "V2", "V3", "V4", "V5"]
    assert delivery.rows.slice(4).to_pylist() == [
        {**CONTACT, "contact_id": "V5", "minutes": "30", "is_done": "true", "_source_row": 5}
    ]
    assert delivery.rejected == []


def test_the_original_is_one_canonical_line_an_item_in_the_order_received(crm):
    crm.deliver([dict(reversed(item.items())) for item in contacts(3)])
    received = crm.read().received
    lines = received.original.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["contact_id"] for line in lines] == ["V1", "V2", "V3"]
    assert lines[0] == json.dumps(CONTACT, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert received.sha256 == hashlib.sha256(received.original.read_bytes()).hexdigest()
    assert received.file == "contacts.jsonl"


def test_what_the_api_says_of_the_delivery_is_kept_as_its_control(crm):
    crm.deliver(contacts(3), sequence=2)
    received = crm.read().received
    assert received.control["rows"] == "3" and received.control["total_cost"] == "37.50"
    assert (received.sequence, received.received_at) == (2, datetime(2026, 6, 1, 17, 30, tzinfo=UTC))


def test_null_is_no_value_whatever_the_type_and_the_original_tells_it_from_empty_text(crm):
    crm.deliver([{**dict.fromkeys(CONTACT), "contact_id": "V1"}, {**CONTACT, "customer_name": ""}])
    delivery = crm.read()
    nothing = {**dict.fromkeys(CONTACT, ""), "contact_id": "V1", "_source_row": 1}
    assert delivery.rows.to_pylist()[0] == nothing
    first, second = map(json.loads, delivery.received.original.read_bytes().splitlines())
    assert (first["customer_name"], second["customer_name"]) == (None, "")


def test_the_size_of_the_pages_changes_nothing(crm):
    crm.deliver(contacts(7))
    found = set()
    for size in (1, 3, 7, 100):
        with (
            serving(crm.settings.source_root, TOKEN) as base,
            open_api(base.replace("://", f"://:{TOKEN}@"), "crm_api") as api,
        ):
            found.add(extract(crm.profile, replace(crm.spec(), page_size=size), api, DAY).received.sha256)
    assert len(found) == 1


def test_the_same_delivery_lands_once_and_a_correction_beside_it(crm):
    crm.deliver(contacts(3))
    first, is_new = land(crm.settings, crm.spec(), crm.read())
    assert is_new and (first.folder / "contacts.jsonl").read_bytes() == crm.read().received.original.read_bytes()
    crm.deliver(contacts(3), sent_at=f"{DAY}T18:30:00Z")
    assert land(crm.settings, crm.spec(), crm.read())[1] is False
    crm.deliver(contacts(2), sequence=2)
    second, is_new = land(crm.settings, crm.spec(), crm.read())
    assert (is_new, second.number, second.manifest["encoding"]) == (True, 2, "utf-8")


def test_other_content_under_a_sequence_that_has_landed_is_refused(crm):
    crm.deliver(contacts(3))
    land(crm.settings, crm.spec(), crm.read())
    crm.deliver(contacts(2))
    with pytest.raises(ExtractError, match="must carry the next sequence number"):
        land(crm.settings, crm.spec(), crm.read())


def test_a_quiet_day_has_no_events_when_the_api_says_so(crm):
    crm.deliver([])
    assert crm.read().rows.num_rows == 0
    assert crm.read().rows.column_names == [*TYPES, "_source_row"]


def test_a_full_extract_may_never_be_empty(crm):
    crm.deliver([], name="managers")
    assert "managers of 2026-06-01 has no rows; ask the crm system" in crm.refusal(name="managers")


@pytest.mark.parametrize(
    ("fault", "pauses"),
    [
        (status(429, Retry_After="7"), [7]),
        (status(503, Retry_After="0"), [0]),
        (status(429, Retry_After="soon"), [0.5]),
        (status(429, Retry_After="Thu, 01 Jan 2026 00:00:00 GMT"), [0]),
        (status(429), [0.5]),
        (status(500), [0.5]),
        (status(502), [0.5]),
        (drop, [0.5]),
        (half, [0.5]),
        (half_without_length, [0.5]),
    ],
)
@pytest.mark.parametrize("page", [1, 2])
def test_a_broken_answer_is_asked_for_again_after_a_pause(crm, fault, pauses, page):
    crm.deliver(contacts(3))
    handler = answering(*[None] * (page - 1), fault)
    assert crm.read(handler).rows.num_rows == 3
    assert crm.pauses == pauses
    assert handler.paths[page - 1] == handler.paths[page]


@pytest.mark.parametrize(
    ("fault", "said"),
    [(status(429), "answered 429"), (status(500), "answered 500"), (drop, "broke off"), (half, "broke off")],
)
def test_attempts_are_bounded_and_pauses_grow(crm, fault, said):
    crm.deliver(contacts(3))
    handler = answering(*[fault] * 50)
    text = crm.refusal(handler)
    assert said in text and f"{ATTEMPTS} times in a row" in text
    assert len(handler.paths) == ATTEMPTS
    assert crm.pauses == [0.5, 1, 2, 4]


def test_a_server_that_asks_to_wait_too_long_is_not_waited_for(crm):
    crm.deliver(contacts(3))
    text = crm.refusal(answering(status(429, Retry_After=str(LONGEST_WAIT + 1))))
    assert f"asks to wait {LONGEST_WAIT + 1} seconds" in text
    assert crm.pauses == []


def test_a_server_that_is_not_there_is_named(crm):
    with serving(crm.settings.source_root, TOKEN) as base:
        pass
    with (
        open_api(base.replace("://", f"://:{TOKEN}@"), "crm_api", crm.pauses.append) as api,
        pytest.raises(ExtractError) as refused,
    ):
        extract(crm.profile, crm.spec(), api, DAY)
    assert base in str(refused.value) and TOKEN not in str(refused.value)


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_token_is_said_clearly_and_not_tried_again(crm, code):
    crm.deliver(contacts(3))
    text = crm.refusal(answering(status(code)))
    assert f"refused the token ({code}); renew" in text
    assert crm.pauses == []


def test_a_wrong_token_gets_nothing_and_is_not_printed(crm):
    crm.deliver(contacts(3))
    assert "wrong-canary" not in crm.refusal(token="wrong-canary")


def test_a_date_that_the_source_has_not_delivered_is_said_so(crm):
    crm.deliver(contacts(3), FRIDAY)
    assert f"nothing for {DAY} (404): the source has not delivered yet" in crm.refusal()


@pytest.mark.parametrize("code", [302, 400, 204])
def test_any_other_answer_is_an_error_and_a_redirect_is_not_followed(crm, code):
    crm.deliver(contacts(3))
    handler = answering(status(code, Location="http://127.0.0.1:1/v1/contacts"))
    assert f"answered {code}" in crm.refusal(handler)
    assert len(handler.paths) == 1


def test_a_cursor_that_comes_again_is_an_error_and_never_a_loop(crm):
    crm.deliver(contacts(20))
    cursors = []

    def turn_back(page: dict, number: int) -> None:
        cursors.append(page["next_cursor"])
        page["next_cursor"] = cursors[min(number - 1, number % 4)]

    handler = changing(turn_back)
    assert "sent a cursor twice" in crm.refusal(handler)
    assert len(handler.paths) <= 6


def test_a_page_that_comes_again_under_another_cursor_is_detected(crm):
    crm.deliver(contacts(6))
    pages = []

    def repeat(page: dict, number: int) -> None:
        pages.append(page["items"])
        if number == 2:
            page["items"] = pages[0]

    assert "sent a page twice, after 2 items" in crm.refusal(changing(repeat))


def test_a_missing_page_is_found_by_the_count(crm):
    crm.deliver(contacts(6))
    second = {}

    class Skipping(CrmHandler):
        def answer(self):
            if not second:
                code, page = super().answer()
                second["cursor"] = page["next_cursor"]
                self.path += f"&cursor={page['next_cursor']}"
                return code, {**page, "next_cursor": super().answer()[1]["next_cursor"]}
            return super().answer()

    assert "has 4 rows but the API says 6" in crm.refusal(Skipping)


def test_a_last_page_that_never_comes_ends_by_the_count(crm):
    crm.deliver(contacts(50), rows=3, total_cost="37.50")
    handler = changing(lambda page, number: None)
    assert "sent 4 items or more but says 3" in crm.refusal(handler)
    assert len(handler.paths) == 2


def test_empty_pages_without_end_are_an_error(crm):
    crm.deliver(contacts(3))
    handler = changing(lambda page, number: page.update(items=[], next_cursor=f"never-{number}"))
    assert "sent a page without items before the last" in crm.refusal(handler)


def test_a_total_off_by_a_cent_is_refused_with_both_totals(crm):
    crm.deliver(contacts(3), total_cost="37.51")
    assert "cost adds up to 37.5 but the API says 37.51" in crm.refusal()


@pytest.mark.parametrize(
    ("fact", "value"),
    [("sequence", 2), ("rows", 9), ("sent_at", "2026-06-01T18:00:00Z"), ("totals", {"cost": "0.00"})],
)
def test_a_delivery_replaced_while_it_is_read_is_read_anew(crm, fact, value):
    crm.deliver(contacts(5))
    handler = changing(lambda page, number: number == 2 and page.update({fact: value}))
    assert crm.read(handler).rows["contact_id"].to_pylist() == ["V1", "V2", "V3", "V4", "V5"]
    assert "cursor" not in handler.paths[2]


def test_a_correction_that_arrives_between_two_pages_is_read_whole(crm):
    """The cursor of the old pages then points into the middle of a line, or beyond the end."""
    crm.deliver(contacts(5))
    corrected = [{**item, "customer_name": "欧阳"} for item in contacts(3)]
    handler = changing(lambda page, number: number == 1 and crm.deliver(corrected, sequence=2))
    delivery = crm.read(handler)
    assert delivery.rows["customer_name"].to_pylist() == ["欧阳"] * 3
    assert delivery.received.sequence == 2


def test_a_delivery_that_is_withdrawn_between_two_pages_has_not_been_delivered(crm):
    crm.deliver(contacts(5))
    control = crm.settings.source_root / "crm" / DAY.isoformat() / "contacts.ctl"
    handler = changing(lambda page, number: control.unlink(missing_ok=True))
    assert "the source has not delivered yet" in crm.refusal(handler)


def test_a_proxy_of_the_machine_does_not_get_the_token(crm, monkeypatch):
    crm.deliver(contacts(3))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    assert crm.read().rows.num_rows == 3


def test_a_delivery_replaced_twice_is_an_error(crm):
    crm.deliver(contacts(5))
    handler = changing(lambda page, number: page.update(sequence=number))
    assert "became another delivery twice while it was read" in crm.refusal(handler)
    assert len(handler.paths) == 4


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({k: v for k, v in CONTACT.items() if k not in ("cost", "rate")}, "item 4: it lacks cost, rate;"),
        ({**CONTACT, "note": "x"}, "item 4: it has unknown note;"),
        ({k if k != "rate" else "rates": v for k, v in CONTACT.items()}, "it lacks rate and has unknown rates"),
        (["V4"], "item 4: it is a list, not an object"),
        (None, "item 4: it is null, not an object"),
    ],
)
def test_fields_that_are_not_the_profiles_are_named(crm, item, said):
    crm.deliver(contacts(4))
    assert said in crm.refusal(changing(lambda page, number: number == 2 and page["items"].__setitem__(1, item)))


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("cost", 12.5, "a number"),
        ("cost", 12, "a whole number"),
        ("rate", 0.045, "a number"),
        ("minutes", "30", "text"),
        ("minutes", 30.0, "a number"),
        ("minutes", True, "true or false"),
        ("is_done", "true", "text"),
        ("is_done", 1, "a whole number"),
        ("contact_id", 7, "a whole number"),
        ("contacted_on", 20260601, "a whole number"),
        ("customer_name", {"first": "芳"}, "an object"),
        ("customer_name", ["芳"], "a list"),
        ("cost", float("nan"), "a number"),
    ],
)
def test_a_value_of_another_json_type_is_refused_with_both_types(crm, column, value, found):
    crm.deliver([*contacts(3), {**CONTACT, "contact_id": "V4"}])
    change = changing(lambda page, number: number == 2 and page["items"][1].update({column: value}))
    text = crm.refusal(change)
    assert f"item 4: {column} is {found}; the profile says {TYPES[column]['type']}" in text


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_cannot_be_kept_is_refused(crm, text):
    crm.deliver([{**CONTACT, "customer_name": text}])
    refusal = crm.refusal()
    assert "NUL" in refusal or "not Unicode" in refusal


def test_a_value_is_never_in_an_error(crm):
    crm.deliver([{**CONTACT, "customer_name": 13800138000, "minutes": "30"}])
    assert "13800138000" not in crm.refusal()


@pytest.mark.parametrize("fact", ["extract", "business_date", "sequence", "rows", "sent_at", "totals", "items"])
def test_a_page_must_say_everything(crm, fact):
    crm.deliver(contacts(3))
    assert f"a page without {fact};" in crm.refusal(changing(lambda page, number: page.pop(fact)))


def test_a_page_without_next_cursor_is_not_taken_for_the_last(crm):
    crm.deliver(contacts(3))
    assert "a page without next_cursor" in crm.refusal(changing(lambda page, number: page.pop("next_cursor")))


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("sequence", "1"),
        ("rows", -1),
        ("rows", True),
        ("sent_at", "yesterday"),
        ("sent_at", None),
        ("totals", {"cost": 37.5}),
        ("totals", {"cost": "NaN"}),
        ("totals", ["37.50"]),
        ("items", {"V1": 1}),
        ("next_cursor", 7),
    ],
)
def test_a_page_must_be_readable(crm, fact, value):
    crm.deliver(contacts(3))
    assert "sent a page whose" in crm.refusal(changing(lambda page, number: page.update({fact: value})))


def test_the_total_of_a_column_that_has_one_must_be_said(crm):
    crm.deliver(contacts(3), total_cost=None)
    assert "does not say the total of cost" in crm.refusal()


@pytest.mark.parametrize(("fact", "value"), [("extract", "managers"), ("business_date", "2026-05-29")])
def test_a_page_of_another_delivery_is_refused(crm, fact, value):
    crm.deliver(contacts(3))
    assert f"whose {fact} is '{value}'" in crm.refusal(changing(lambda page, number: page.update({fact: value})))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8080",
        "127.0.0.1:8080",
        f"ftp://:{TOKEN}@127.0.0.1",
        f"http://:{TOKEN}/x@127.0.0.1:80",
        f"http://:{TOKEN}%0A@127.0.0.1:80",
        f"http://:{TOKEN}@127.0.0.1:port",
        f"http://:{TOKEN}@",
        f"http://[{TOKEN}",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_printed(address):
    with pytest.raises(SettingsError) as refused, open_api(address, "crm_api"):
        pass
    assert "connection crm_api" in str(refused.value) and TOKEN not in str(refused.value)


def test_the_token_is_not_in_the_text_of_an_open_api():
    with open_api(f"http://:{TOKEN}@127.0.0.1:1", "crm_api") as api:
        assert TOKEN not in repr(api)
        assert api.token == TOKEN
