"""Every kind of corruption: it changes what it says and nothing else, the same again by seed, and can be undone."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from conftest import settings_in
from unit.corruption.tiny_tables import tiny_extracts, write_tiny_tables

from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.profile import Extract, load_profile
from crm_warehouse.simulator.corruption import aside
from crm_warehouse.simulator.corruption.catalogue import KINDS, find_kind
from crm_warehouse.simulator.corruption.damage import corrupt
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, Kind

DAY = date(2026, 6, 15)
DAYS = (
    DAY,
    date(2026, 6, 29),
    date(2026, 5, 31),
)  # the first on which a kind can be made: few days have fees or arrears
MAGNITUDE = 0.1
AT_LEAST = {"shared_mobile": 22, "amounts_exchanged": 2}

# 6-quality, "Corruptions to catch", word by word: kind, severity (B, Q, W, A), and S where the hard half is meant.
SPECIFIED = {
    "files": "cut_at_a_line B; zero_bytes B; header_only B; missing_at_cut_off B; yesterdays_file BS; same_file_new_name W;"
    " corrected_sequence W; control_absent B; control_count_off_by_one B; sha_mismatch B; columns_reordered B;"
    " column_added W; type_changed B; delimiter_changed B; wrong_encoding B; broken_characters Q; byte_order_mark A;"
    " huge_field Q; file_of_another_branch B",
    "customers": "duplicate_customer_id B; null_id_number Q; id_checksum_wrong Q; placeholder_id Q; birth_date_against_id Q;"
    " day_month_swapped Q; masked_mobiles BS; shared_mobile W; unknown_risk_code Q; customers_vanish BS;"
    " name_starting_with_equals W",
    "accounts, balances, transactions": "unknown_customer Q; currency_defaulted_to_cny BS; leading_zeros_lost B;"
    " opened_after_business_date Q; yuan_as_fen B; fen_as_yuan B; sign_flipped B; rounded_to_yuan B; roll_forward_broken B;"
    " amount_nan Q; amount_overflow Q; duplicated_rows B; debit_credit_swapped BS; one_hour_missing BS; future_timestamp Q;"
    " zero_amount Q; reversal_without_its_original W",
    "products, holdings, NAV, loans, cards": "product_code_reused B; unknown_product Q; units_against_value Q; stale_nav W;"
    " rate_as_percent B; full_card_number B",
    "RM, service, surveys, campaigns, rates": "all_customers_on_one_rm B; rm_who_left W; all_consents_true B;"
    " request_closed_before_opened Q; survey_scale_reversed W; survey_score_out_of_range Q; control_group_contacted W;"
    " currency_missing B; pair_inverted B",
}
SEVERITIES = {"B": "block", "Q": "quarantine", "W": "warn", "A": "accept"}


@pytest.fixture(scope="module")
def bank(simulated_bank: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Extract, ...]]:
    """The reference bank's sources, and beside them the tables it is about to send."""
    root = tmp_path_factory.mktemp("corrupted")
    shutil.copytree(simulated_bank, root, dirs_exist_ok=True)
    extracts = load_profile(settings_in(root, source_root=root)).extracts
    sent = {spec.table for spec in extracts}
    later = tuple(spec for spec in tiny_extracts() if spec.table not in sent)
    tiny = tmp_path_factory.mktemp("tiny")
    write_tiny_tables(tiny)
    for spec in later:
        for path in tiny.glob(spec.file.format(business_date="*", extract=spec.name)):
            for file in (path, path.with_suffix(".ctl")):
                target = root / file.relative_to(tiny)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, target)
    return root, extracts + later


def files_of(root: Path, day: date) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.glob(f"[!.]*/{day}/*")}


def facts_of(content: bytes) -> dict[str, str]:
    return dict(line.split("=", 1) for line in content.decode().splitlines())


def read(spec: Extract, path: str, content: bytes) -> pd.DataFrame | None:
    """The rows as pandas reads them, all text; None when they are not what the profile declares."""
    try:
        if path.endswith(".parquet"):
            rows = pd.read_parquet(io.BytesIO(content)).astype(object)
        elif path.endswith(".jsonl"):
            rows = pd.DataFrame([json.loads(line) for line in content.decode("utf-8-sig").splitlines()], dtype=object)
            rows = rows if len(rows) else pd.DataFrame(columns=[c.name for c in spec.columns])
        else:
            separator = spec.delimiter if len(spec.delimiter) == 1 else r"\|\+\|"
            text = content.decode(spec.encoding).removeprefix("\ufeff")
            engine = "c" if len(spec.delimiter) == 1 else "python"
            rows = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, na_filter=False, engine=engine)
    except Exception:
        return None
    return rows.map(str) if list(rows.columns) == [column.name for column in spec.columns] else None


def targets_of(kind: Kind, extracts: tuple[Extract, ...]) -> list[Extract]:
    return [spec for spec in extracts if kind.hits(f"{spec.source}.{spec.name}")]


def make(kind: Kind, bank: tuple[Path, tuple[Extract, ...]], way: str, magnitude: float | None = None):
    """The corruption of the first extract and date where it is possible: what was there before, and what was done."""
    root, extracts = bank
    refusals = []
    for spec in targets_of(kind, extracts):
        for day in DAYS:
            before = files_of(root, day)
            try:
                table = f"{spec.source}.{spec.name}"
                return spec, day, before, corrupt(extracts, root, kind.name, day, table, magnitude, way=way)
            except CorruptionRefused as refusal:
                refusals.append(str(refusal))
    raise AssertionError(refusals)


CASES = [(kind, way) for kind in KINDS for way in ("source", "transit") if kind.way in (way, "both")]


@pytest.mark.parametrize(("kind", "way"), CASES, ids=[f"{kind.name}-{way}" for kind, way in CASES])
def test_a_kind_changes_its_own_delivery_the_control_file_tells_the_way_and_undo_restores_all(bank, kind, way):
    root, extracts = bank
    spec, day, before, done = make(kind, bank, way)
    try:
        after = files_of(root, day)
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert changed == set(done.files)
        path = spec.path(root, day).relative_to(root).as_posix()
        control = path.rpartition(".")[0] + ".ctl"
        assert all(name.startswith(path.rpartition(".")[0]) for name in changed), "another extract has changed"
        if kind.part == "control":
            assert control in changed
        elif changed & {path, control}:
            assert path in changed
        if kind.part != "control" and way == "source" and path in after:
            check_that_the_control_file_agrees(spec, kind, path, before, after)
        if kind.part != "control" and way == "transit" and path in after:
            assert after[control] == before[control]
            assert facts_of(after[control])["sha256"] != hashlib.sha256(after[path]).hexdigest()
    finally:
        aside.restore(root)
    assert files_of(root, day) == before
    assert not (root / aside.ASIDE).exists()
    corrupt(extracts, root, kind.name, day, done.table, way=way)
    again = files_of(root, day)
    aside.restore(root)
    assert again == after, "the same seed gave other bytes"


def check_that_the_control_file_agrees(spec: Extract, kind: Kind, path: str, before: dict, after: dict) -> None:
    control = path.rpartition(".")[0] + ".ctl"
    facts, earlier = facts_of(after[control]), facts_of(before[control])
    assert facts["sha256"] == hashlib.sha256(after[path]).hexdigest()
    assert list(facts) == list(earlier)
    if kind.part == "data" and kind.keeps_totals:
        assert facts | {"sha256": ""} == earlier | {"sha256": ""}
        return
    rows = read(spec, path, after[path])
    if after[path] == b"":
        assert facts["rows"] == "0"
    if rows is None:
        return
    assert facts["rows"] == str(len(rows))
    for column in (column.name for column in spec.columns if column.control_total):
        total = float(facts[f"total_{column}"])
        if kind.keeps_totals:
            assert total == float(earlier[f"total_{column}"])
        else:
            found = pd.to_numeric(rows[column], errors="coerce").sum()
            assert total == pytest.approx(found, rel=1e-9, abs=0.005)


SHARES = [kind for kind in KINDS if kind.reach == "share" and kind.part == "rows"]


@pytest.mark.parametrize("kind", SHARES, ids=[kind.name for kind in SHARES])
def test_the_magnitude_is_the_share_of_rows_hit(bank, kind):
    root, _ = bank
    spec, day, before, done = make(kind, bank, "source" if kind.way != "transit" else "transit", MAGNITUDE)
    path = spec.path(root, day).relative_to(root).as_posix()
    old, new = (read(spec, path, files[path]) for files in (before, files_of(root, day)))
    aside.restore(root)
    if len(old) == len(new):
        hit = int((old.to_numpy() != new.to_numpy()).any(axis=1).sum())
    else:
        hit = abs(len(old) - len(new))
    most = max(AT_LEAST.get(kind.name, 1), round(MAGNITUDE * len(old)))
    assert 1 <= hit <= most


def test_another_seed_hits_other_rows(bank):
    root, extracts = bank
    found = set()
    for seed in (7, 8, 7):
        corrupt(extracts, root, "null_id_number", DAY, magnitude=0.05, seed=seed)
        found.add(files_of(root, DAY)["core/2026-06-15/customers.csv"])
        aside.restore(root)
    assert len(found) == 2


@pytest.mark.parametrize("group", SPECIFIED)
def test_every_kind_that_the_specification_lists_is_there_with_its_severity(group):
    for entry in SPECIFIED[group].split(";"):
        name, letters = entry.split()
        kind = find_kind(name)
        assert kind.expected == SEVERITIES[letters[0]], name
        assert kind.way == "source" if letters.endswith("S") else True, name


def test_the_catalogue_goes_well_beyond_the_specification_and_every_row_is_complete(bank):
    listed = {entry.split()[0] for group in SPECIFIED.values() for entry in group.split(";")}
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len(KINDS) - len(listed) >= 15
    tables = {f"{spec.source}.{spec.name}" for spec in bank[1]}
    for kind in KINDS:
        assert kind.applies_to == EVERY_EXTRACT or set(kind.applies_to) <= tables, kind.name
        assert kind.description_en
        assert any(ord(character) > 0x4E00 for character in kind.description_zh), kind.name
    hit = {table for kind in KINDS if kind.applies_to != EVERY_EXTRACT for table in kind.applies_to}
    assert hit == tables, "a table that only the file kinds know"


def test_corrupting_twice_keeps_the_first_original(bank):
    root, extracts = bank
    before = files_of(root, DAY)
    corrupt(extracts, root, "amount_nan", DAY, "core.balances")
    corrupt(extracts, root, "yuan_as_fen", DAY, "core.balances")
    corrupt(extracts, root, "control_absent", DAY, "core.balances")
    assert aside.restore(root) == [
        "amount_nan of core.balances of 2026-06-15, at source, magnitude 0.01, seed 7",
        "yuan_as_fen of core.balances of 2026-06-15, at source, magnitude 0.01, seed 7",
        "control_absent of core.balances of 2026-06-15, in transit, magnitude 0.01, seed 7",
    ]
    assert files_of(root, DAY) == before


REFUSED = [
    ({"kind_name": "amount_nam"}, "there is no kind of corruption 'amount_nam': did you mean amount_nan"),
    ({"kind_name": "zzz"}, "there is no kind of corruption 'zzz': see `corrupt --list`"),
    ({"business_date": date(2026, 6, 14)}, "no delivery of core.balances of 2026-06-14: .* give a business date"),
    ({"table": "core.balance"}, "the bank sends no extract 'core.balance': its extracts are core.customers"),
    ({"table": "core.customers"}, "amount_nan is for core.balances, .* not for core.customers"),
    ({"magnitude": 0.0}, "magnitude is 0: give a share of the rows above 0 and up to 1"),
    ({"magnitude": 1.5}, "magnitude is 1.5"),
    ({"kind_name": "masked_mobiles", "table": None, "way": "transit"}, "happens at source only, not in transit"),
    ({"kind_name": "control_absent", "way": "source"}, "happens in transit only, not at source"),
    ({"kind_name": "one_currency_multiplied", "magnitude": 1.0}, "is a factor, and 1 is none"),
    ({"kind_name": "delimiter_changed", "table": "wealth.holdings"}, "only delimited files can be wrong in this way"),
]


@pytest.mark.parametrize(("asked", "sentence"), REFUSED, ids=[sentence[:40] for _, sentence in REFUSED])
def test_what_cannot_be_done_is_refused_in_one_sentence_and_nothing_changes(bank, asked, sentence):
    root, extracts = bank
    before = files_of(root, DAY)
    usual = {"kind_name": "amount_nan", "business_date": DAY, "table": "core.balances"}
    with pytest.raises(CorruptionRefused, match=sentence) as refused:
        corrupt(extracts, root, **(usual | asked))
    assert "\n" not in str(refused.value)
    assert files_of(root, DAY) == before
    assert not (root / aside.ASIDE).exists()


def test_an_undo_of_nothing_is_refused(tmp_path):
    with pytest.raises(CorruptionRefused, match="there is nothing to undo"):
        aside.restore(tmp_path)
