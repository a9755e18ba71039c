"""Card numbers, card codes and passwords (class C3) are refused before anything is kept; ids are no cards."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from unit.tiny_bank import BALANCE, CUSTOMER, DAY, TinyBank, customers, parquet_bytes

from crm_warehouse import pipeline
from crm_warehouse.errors import ForbiddenData
from crm_warehouse.evidence import log
from crm_warehouse.extract import extract
from crm_warehouse.extract.delivery import SOURCE_ROW
from crm_warehouse.extract.forbidden import find_forbidden, is_secret
from crm_warehouse.files import sha256_of
from crm_warehouse.profile import Column, Extract
from crm_warehouse.progress import silent

SPEC = Extract("core", "cards", "delimited", "", "full", (Column("card", "text", key=True), Column("note", "text")))
# Numbers for testing that the card schemes publish, and a made-up one of 19 digits.
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6222021234567890128", "4222222222222"]


def luhn_passes(digits: str) -> bool:
    doubled = [int(d) * (1 + n % 2) for n, d in enumerate(reversed(digits))]
    return sum(d - 9 * (d > 9) for d in doubled) % 10 == 0


def found_in(*values: str, spec: Extract = SPEC) -> list[tuple[str, int, int]]:
    """Column, first row and rows of what is found when these are cards and their notes are blank."""
    rows = {"card": list(values), "note": [""] * len(values), SOURCE_ROW: list(range(2, len(values) + 2))}
    return [(finding.column, finding.row, finding.rows) for finding in find_forbidden(spec, pa.table(rows))]


def with_check_digit(digits: str) -> str:
    return next(digits + d for d in "0123456789" if luhn_passes(digits + d))


@pytest.mark.parametrize("card", CARDS + [with_check_digit("9" * 12 + "1" * n) for n in range(7)])
def test_a_card_number_of_13_to_19_digits_is_found(card):
    card = card if luhn_passes(card) else with_check_digit(card[:-1])
    assert found_in("x", card, "y", card) == [("card", 3, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "卡号4111111111111111。",
        "pay 4111111111111111, now",
    ],
)
def test_a_card_number_is_found_as_people_write_it(text):
    assert found_in(text) == [("card", 2, 1)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("4111111111111112", id="Luhn fails"),
        pytest.param("T4111111111111111", id="a letter before"),
        pytest.param("4111111111111111_7", id="part of a longer word"),
        pytest.param("41111111111111114111111111111111", id="too long"),
        pytest.param("411111111111", id="too short"),
        pytest.param("0000000000000000", id="begins with 0"),
        pytest.param("2026-06-01 2026-06-02", id="dates"),
        pytest.param("2026-06-01T17:30:00Z", id="moment"),
        pytest.param("13800138000 13800138000", id="mobiles"),
        pytest.param("", id="blank"),
    ],
)
def test_other_digits_are_no_card_numbers(text):
    assert found_in(text) == []


def resident_id(body: str) -> str:
    weights = [2 ** (17 - n) % 11 for n in range(17)]
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def test_resident_ids_are_no_card_numbers_though_one_in_ten_passes_luhn():
    ids = [resident_id(f"11010119{80 + n % 20}0307{n % 1000:03d}") for n in range(2000)]
    assert sum(luhn_passes(id_) for id_ in ids if id_.isdigit()) > 100
    assert found_in(*ids) == []


def test_a_column_that_the_profile_exempts_is_not_looked_at():
    exempt = replace(SPEC, columns=(replace(SPEC.columns[0], not_cards=True), SPEC.columns[1]))
    assert found_in(*CARDS, spec=exempt) == []


def test_columns_that_are_not_text_are_not_looked_at():
    integers = replace(SPEC, columns=(replace(SPEC.columns[0], type="integer"), SPEC.columns[1]))
    assert found_in("4111111111111111", spec=integers) == []


@pytest.mark.parametrize(
    "name", ["cvv", "CVV2", "card_cvc", "cvn2", "pin", "pin_block", "login_password", "track_2", "密码"]
)
def test_names_of_secrets_are_known(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["customer_id", "opinion", "shopping", "pinyin_name", "tracking", "cid", "passport_no"]
)
def test_other_names_are_no_secrets(name):
    assert not is_secret(name)


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return TinyBank.below(tmp_path)


def with_card(count: int) -> list[dict[str, str]]:
    rows = customers(count)
    rows[1] |= {"customer_name": "王芳 4111 1111 1111 1111"}
    return rows


def run_extracts(tiny: TinyBank) -> ForbiddenData:
    pipeline.plan_run(tiny.settings, "r1", DAY, DAY)
    with pytest.raises(ForbiddenData) as refused:
        pipeline.extract_source(tiny.settings, "r1", "core", silent)
    return refused.value


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_delivery_with_a_card_number_is_refused_purged_and_on_record(tiny):
    path = tiny.send("core__customers", with_card(5))
    tiny.send("core__balances", [BALANCE])
    refused = run_extracts(tiny)
    for part in (
        str(path),
        "row 3",
        "column customer_name holds full card numbers",
        "ask the core system",
        "not_cards",
    ):
        assert part in str(refused)
    (entry,) = log.read_entries(tiny.settings)
    assert entry["event"] == "forbidden_data_refused"
    assert {name: entry["body"][name] for name in ("table", "file", "sha256", "column", "first_row", "rows")} == {
        "table": "core__customers",
        "file": "customers.csv",
        "sha256": sha256_of(path),
        "column": "customer_name",
        "first_row": 3,
        "rows": 1,
    }
    assert {file.name for file in tiny.settings.landing.rglob("*") if file.is_file()} <= {".lock"}
    for trace in (b"4111 1111", b"1111 1111", b"41111111"):
        assert trace not in everything_below(tiny.settings.home)
        assert trace not in str(refused).encode()


def test_after_a_corrected_file_the_run_goes_on(tiny):
    tiny.send("core__customers", with_card(5))
    tiny.send("core__balances", [BALANCE])
    run_extracts(tiny)
    tiny.send("core__customers", customers(5))
    assert pipeline.extract_source(tiny.settings, "r1", "core", silent)["landed"] == 2


def test_a_delivery_with_a_column_of_card_codes_is_refused_and_on_record(tiny):
    path = tiny.send("core__customers", [CUSTOMER])
    path.write_bytes(path.read_bytes().replace(b"score", b"card_cvv"))
    control = path.with_suffix(".ctl")
    old = [line for line in control.read_text().splitlines() if line.startswith("sha256")][0]
    control.write_text(control.read_text().replace(old, f"sha256={sha256_of(path)}"))
    assert "column cvv holds card codes or passwords" in str(run_extracts(tiny))
    assert log.read_entries(tiny.settings)[0]["body"]["sha256"] == sha256_of(path)


def test_a_declared_column_of_card_codes_is_refused_as_soon_as_it_is_filled(tiny):
    spec = replace(SPEC, columns=(SPEC.columns[0], Column("cvv2", "text")), file="cards.csv")
    root = tiny.settings.source_root
    root.mkdir()
    (root / "cards.csv").write_text("card,cvv2\nK1,\n")
    assert extract(tiny.profile, spec, root, DAY).row_count == 1
    (root / "cards.csv").write_text("card,cvv2\nK1,\nK2,123\n")
    with pytest.raises(ForbiddenData, match="row 3: column cvv2 holds card codes or passwords"):
        extract(tiny.profile, spec, root, DAY)


def test_a_card_number_in_parquet_is_found(tiny):
    path = tiny.spec("wealth__products").path(tiny.settings.source_root, DAY)
    spec = replace(tiny.spec("wealth__products"), columns=SPEC.columns)
    path.parent.mkdir(parents=True)
    path.write_bytes(parquet_bytes(pa.table({"card": ["K1", CARDS[0]], "note": ["", ""]})))
    with pytest.raises(ForbiddenData, match="row 3: column card holds full card numbers"):
        extract(tiny.profile, spec, tiny.settings.source_root, DAY)


def test_what_is_refused_leaves_nothing_among_temporary_files(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    tiny.send("core__customers", with_card(5))
    with pytest.raises(ForbiddenData):
        extract(tiny.profile, tiny.spec("core__customers"), tiny.settings.source_root, DAY)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_card_number_in_a_late_batch_of_a_large_file_is_found_with_its_row(tiny, monkeypatch):
    monkeypatch.setattr("crm_warehouse.extract.delimited.PIECE", 4096)
    rows = customers(1000)
    rows[900]["customer_name"] = rows[901]["customer_name"] = CARDS[0]
    tiny.send("core__customers", rows)
    with pytest.raises(ForbiddenData, match=r"row 902: column customer_name holds full card numbers, 2 row\(s\)"):
        extract(tiny.profile, tiny.spec("core__customers"), tiny.settings.source_root, DAY)
