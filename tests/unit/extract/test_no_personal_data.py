"""No sentence of a refused delivery repeats a value of a row: they go into logs, records and reports."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from unit.tiny_bank import BALANCE, CUSTOMER, DAY, TinyBank, deliver, parquet_bytes, products, proofs, written

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import extract

NAME, MOBILE, AMOUNT = "Ouyang", "13912345678", "777123.45"
ROW = f"C1|{NAME}|female|1980-02-25|{AMOUNT}|0.045|3|true|{MOBILE}"
HEADER = "customer_id|customer_name|gender|birth_date|income|score|visits|is_vip|seen_at"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return TinyBank.below(tmp_path)


def require_silence(problem: ExtractError) -> None:
    for text in (str(problem), repr(problem.__cause__)):
        for value in (NAME, NAME.lower(), MOBILE, AMOUNT, AMOUNT.split(".")[0], "female"):
            assert value not in text, text
    assert "\n" not in str(problem)


FILES = {
    "no header": f"{ROW}\n{ROW}\n",
    "no header, another delimiter": ROW.replace("|", ";") + "\n",
    "header with a value in it": f"{HEADER}|{MOBILE}\n{ROW}|x\n",
    "header with one column of a row": HEADER.replace("seen_at", f"{NAME} {MOBILE}") + f"\n{ROW}\n",
    "half a header": f"customer_id|customer_name|{NAME}|female|{MOBILE}\n",
    "header in quotes never closed": f'"customer_id|{ROW}\n{ROW}\n',
    "a field too few": f"{HEADER}\nC1|{NAME}|{MOBILE}\n{ROW}\n",
    "a field too many": f"{HEADER}\n{ROW}|{MOBILE}\n{ROW}\n",
    "a quote never closed": f'{HEADER}\n"{ROW}\n{ROW}\n',
    "a quote closed too early": f'{HEADER}\n"{NAME}"{ROW}\n',
    "a NUL": f"{HEADER}\n\0{ROW}\n",
    "a blank line": f"{HEADER}\n{ROW}\n\n{ROW}\n",
    "a row longer than a block": f"{HEADER}\n{ROW}{NAME * 4_000_000}\n",
    "count off": f"{HEADER}\n{ROW}\n{ROW}\n{ROW}\n",
    "not in its encoding": f"{HEADER}\n{ROW}".encode() + b"\xff\xff\n",
    "card number": f"{HEADER}\n{ROW.replace('female', '4111111111111111')}\n",
    "card codes": f"{HEADER.replace('score', 'cvv')}\n{ROW}\n",
    "cut in a character": f"{HEADER}\n{ROW}|欧".encode("gb18030")[:-1],
}


@pytest.mark.parametrize("name", FILES)
def test_a_delimited_file_is_refused_without_a_value(tiny, name):
    content = FILES[name] if isinstance(FILES[name], bytes) else FILES[name].encode("gb18030")
    deliver(tiny.spec("core__customers"), tiny.settings.source_root, content, rows=2)
    with pytest.raises(ExtractError) as refused:
        extract(tiny.profile, tiny.spec("core__customers"), tiny.settings.source_root, DAY)
    require_silence(refused.value)
    assert "4111" not in str(refused.value)


def test_an_amount_that_is_no_number_is_named_by_row_only(tiny):
    spec = tiny.spec("core__balances")
    rows = [BALANCE, {**BALANCE, "account_id": NAME, "balance_amount": f"{AMOUNT}x"}]
    deliver(spec, tiny.settings.source_root, written(spec, rows), **{**proofs(spec, [BALANCE]), "rows": 2})
    with pytest.raises(ExtractError, match="column balance_amount, row 3: not a number") as refused:
        extract(tiny.profile, spec, tiny.settings.source_root, DAY)
    require_silence(refused.value)


@pytest.mark.parametrize(
    "fact", ["file", "business_date", "sha256", "sequence", "rows", "sent_at", "total_balance_amount"]
)
def test_a_control_file_with_a_row_in_it_is_refused_without_a_value(tiny, fact):
    tiny.send("core__balances", [BALANCE], **{fact: f"{NAME} {MOBILE}"})
    with pytest.raises(ExtractError) as refused:
        extract(tiny.profile, tiny.spec("core__balances"), tiny.settings.source_root, DAY)
    require_silence(refused.value)


@pytest.mark.parametrize("kind", ["header is a row", "another type", "cut", "a page is broken"])
def test_a_parquet_file_is_refused_without_a_value(tiny, kind):
    table = products()
    if kind == "header is a row":
        table = table.rename_columns([NAME, MOBILE, "female"])
    if kind == "another type":
        table = table.set_column(1, "fee_rate", pa.array([NAME, MOBILE]))
    content = bytearray(parquet_bytes(table))
    if kind == "a page is broken":
        content[4:64] = b"\xff" * 60
    spec = tiny.spec("wealth__products")
    deliver(spec, tiny.settings.source_root, bytes(content[:-20] if kind == "cut" else content))
    with pytest.raises(ExtractError) as refused:
        extract(tiny.profile, spec, tiny.settings.source_root, DAY)
    require_silence(refused.value)


class Pages:
    """An interface that answers with one page."""

    base = "http://crm"

    def __init__(self, **page: object):
        self.page = page

    def get(self, extract: str, proven: bool = False, **parameters: object) -> dict:
        return self.page


def page_with(item: object, **facts: object) -> dict:
    told = {"extract": "customers", "business_date": str(DAY), "sequence": 1, "rows": 1, "sent_at": f"{DAY}T17:30:00Z"}
    return {**told, "totals": {}, "items": [item], "next_cursor": None, **facts}


GOOD = {**{name: str(value) for name, value in CUSTOMER.items()}, "visits": 3, "is_vip": True, "customer_name": NAME}
PAGES = {
    "an item keyed by a row": page_with({NAME: 1, MOBILE: 2}),
    "an item with a value as a name": page_with({**GOOD, f"{NAME} {MOBILE}": 1}),
    "an item that is no object": page_with(NAME),
    "a value of another type": page_with({**GOOD, "income": 777123.45}),
    "a NUL": page_with({**GOOD, "customer_name": f"{NAME}\0"}),
    "no Unicode": page_with({**GOOD, "customer_name": f"{NAME}\ud800"}),
    "facts that are a row": page_with(GOOD, extract=f"{NAME} {MOBILE}"),
    "a day that is a row": page_with(GOOD, business_date=f"{NAME} {MOBILE}"),
    "a total that is a row": page_with(GOOD, totals={"income": NAME}),
    "a moment that is a row": page_with(GOOD, sent_at=NAME),
    "count off": page_with(GOOD, rows=2),
    "a card number": page_with({**GOOD, "customer_name": "4111111111111111"}),
    "a card code": page_with({**GOOD, "cvv": "123"}),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_refused_without_a_value(tiny, name):
    spec = replace(tiny.spec("core__customers"), kind="http", file="", connection="crm")
    with pytest.raises(ExtractError) as refused:
        extract(tiny.profile, spec, Pages(**PAGES[name]), DAY)
    require_silence(refused.value)
    assert "4111" not in str(refused.value)


def test_the_pages_that_are_refused_differ_from_a_good_one_only_in_what_is_wrong(tiny):
    spec = replace(tiny.spec("core__customers"), kind="http", file="", connection="crm")
    delivery = extract(tiny.profile, spec, Pages(**page_with(GOOD)), DAY)
    line = json.dumps(GOOD, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
    assert delivery.received.sha256 == hashlib.sha256(line.encode()).hexdigest()
    assert delivery.row_count == 1
