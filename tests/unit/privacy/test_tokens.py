"""Customer tokens: keyed, made once for each customer, and bound to one key that is never replaced."""

import hashlib
import hmac
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from unit.tiny_bank import TinyBank

from crm_warehouse.errors import SettingsError
from crm_warehouse.privacy.tokens import customer_key_of, read_key, update_token_map, write_key
from crm_warehouse.settings import Settings

KEY, OTHER_KEY = "0f" * 32, "1e" * 32


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("CRM_WAREHOUSE_CUSTOMER_KEY_FILE", raising=False)
    return TinyBank.below(tmp_path).settings


def customers_file(folder: Path, *ids: str | None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    pq.write_table(pa.table({"client id": pa.array(ids, pa.string())}), path)
    return path


def token_map(settings: Settings, *files: Path) -> dict[str, str]:
    rows = pq.read_table(update_token_map(settings, list(files), "client id")).to_pylist()
    assert [row["customer_id"] for row in rows] == sorted({row["customer_id"] for row in rows})
    return {row["customer_id"]: row["customer_key"] for row in rows}


def test_a_token_is_the_first_128_bits_of_a_keyed_hash():
    token = customer_key_of(b"k" * 32, "C1")
    assert token == hmac.new(b"k" * 32, b"C1", hashlib.sha256).hexdigest()[:32]
    assert len(token) == 32 and set(token) <= set("0123456789abcdef")


def test_a_token_differs_by_key_and_by_customer_and_is_no_plain_hash():
    tokens = {customer_key_of(key, customer) for key in (b"a" * 32, b"b" * 32) for customer in ("C1", "C2", "客户一")}
    assert len(tokens) == 6
    assert hashlib.sha256(b"C1").hexdigest()[:32] not in tokens


def test_a_key_is_made_at_random_the_first_time_and_then_kept(tmp_path, monkeypatch):
    monkeypatch.delenv("CRM_WAREHOUSE_CUSTOMER_KEY_FILE", raising=False)
    one, two = (TinyBank.below(tmp_path / name).settings for name in ("one", "two"))
    assert len(read_key(one)) == 32
    assert read_key(one) == read_key(one) != read_key(two)


def test_a_key_file_is_for_its_owner_only(settings):
    read_key(settings)
    assert stat.S_IMODE(settings.customer_key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.customer_key_file.parent.stat().st_mode) == 0o700


def test_a_key_file_is_never_replaced(settings):
    write_key(settings.customer_key_file, KEY)
    with pytest.raises(FileExistsError):
        write_key(settings.customer_key_file, OTHER_KEY)
    assert read_key(settings) == bytes.fromhex(KEY)


def test_a_given_key_file_is_used(settings, tmp_path, monkeypatch):
    write_key(tmp_path / "vault" / "key", OTHER_KEY)
    monkeypatch.setenv("CRM_WAREHOUSE_CUSTOMER_KEY_FILE", str(tmp_path / "vault" / "key"))
    assert read_key(settings) == bytes.fromhex(OTHER_KEY)
    assert not settings.secrets.exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"secret\n", id="no hexadecimal"),
        pytest.param(b"0f" * 31, id="too short"),
        pytest.param(b"\xff\xfe\x80" * 20, id="raw bytes"),
        pytest.param("密钥".encode(), id="Chinese"),
    ],
)
def test_a_file_that_is_no_key_is_refused_and_not_shown(settings, content):
    settings.customer_key_file.parent.mkdir(parents=True)
    settings.customer_key_file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        read_key(settings)
    assert str(settings.customer_key_file) in str(refused.value)
    assert "at least 32 bytes as hexadecimal digits" in str(refused.value)
    assert "secret" not in str(refused.value).replace(str(settings.customer_key_file), "")


def test_every_customer_of_every_file_has_one_token(settings, tmp_path):
    write_key(settings.customer_key_file, KEY)
    files = [customers_file(tmp_path / "in", "C2", "C1", "C2"), customers_file(tmp_path / "in", "C3", "C1", None)]
    assert token_map(settings, *files) == {
        customer: customer_key_of(bytes.fromhex(KEY), customer) for customer in ("C1", "C2", "C3")
    }


def test_only_new_customers_are_hashed_and_old_ones_stay(settings, tmp_path):
    """The second run could not hash C2 to the mark that stands in the map: it did not try."""
    write_key(settings.customer_key_file, KEY)
    path = update_token_map(settings, [customers_file(tmp_path / "in", "C1", "C2")], "client id")
    marked = pq.read_table(path).to_pylist()
    marked[1]["customer_key"] = "0" * 32
    pq.write_table(pa.Table.from_pylist(marked), path)
    later = token_map(settings, customers_file(tmp_path / "in", "C0", "C2", "C3"))
    assert list(later) == ["C0", "C1", "C2", "C3"]
    assert later["C2"] == "0" * 32


def test_a_customer_who_is_no_longer_sent_keeps_the_token(settings, tmp_path):
    before = token_map(settings, customers_file(tmp_path / "in", "C1", "C2"))
    assert token_map(settings, customers_file(tmp_path / "in", "C2")) == before


def test_no_new_customer_leaves_the_same_bytes(settings, tmp_path):
    files = [customers_file(tmp_path / "in", "C1", "C2")]
    first = update_token_map(settings, files, "client id").read_bytes()
    assert update_token_map(settings, files, "client id").read_bytes() == first


def test_another_key_is_refused_with_a_sentence_and_the_map_stays(settings, tmp_path, monkeypatch):
    path = update_token_map(settings, [customers_file(tmp_path / "in", "C1")], "client id")
    before = path.read_bytes()
    write_key(tmp_path / "other_key", OTHER_KEY)
    monkeypatch.setenv("CRM_WAREHOUSE_CUSTOMER_KEY_FILE", str(tmp_path / "other_key"))
    with pytest.raises(SettingsError) as refused:
        update_token_map(settings, [customers_file(tmp_path / "in", "C2")], "client id")
    for part in (str(tmp_path / "other_key"), str(path), "give the original key back", "or remove the map"):
        assert part in str(refused.value)
    assert path.read_bytes() == before


def test_a_lost_key_is_not_replaced_in_silence(settings, tmp_path):
    update_token_map(settings, [customers_file(tmp_path / "in", "C1")], "client id")
    settings.customer_key_file.unlink()
    with pytest.raises(SettingsError, match="is not the key that made the tokens"):
        update_token_map(settings, [customers_file(tmp_path / "in", "C2")], "client id")


def test_the_map_is_with_the_warehouse_and_the_key_is_not(settings, tmp_path):
    path = update_token_map(settings, [customers_file(tmp_path / "in", "C1")], "client id")
    assert path.is_relative_to(settings.warehouse)
    assert [file for file in settings.warehouse.rglob("*") if KEY.encode() in file.read_bytes()] == []
    assert not settings.customer_key_file.is_relative_to(settings.warehouse)
