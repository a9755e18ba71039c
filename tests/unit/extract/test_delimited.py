"""Delimited files: decoded strictly, header matched exactly, every value kept as the text it is."""

from dataclasses import replace
from pathlib import Path

import pytest
from unit.tiny_bank import DAY, TinyBank, deliver

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import Delivery, delimited, extract
from crm_warehouse.extract.delivery import open_file
from crm_warehouse.profile import Column, Extract

COLUMNS = (Column("id", "text", key=True), Column("name", "text"), Column("amount", "decimal"))


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return TinyBank.below(tmp_path)


def spec_of(**settings) -> Extract:
    """An extract of three columns without control file; `settings` as in a profile."""
    given = {"kind": "delimited", "delivery": "full", "columns": COLUMNS, "file": "{extract}.csv", **settings}
    return Extract(source="core", name="people", **given)


def read(tiny: TinyBank, content: str | bytes, **settings) -> Delivery:
    """The delivery that `content` makes when a source sends it."""
    spec = spec_of(**settings)
    raw = content if isinstance(content, bytes) else content.encode(spec.encoding)
    deliver(spec, tiny.settings.source_root, raw)
    return extract(tiny.profile, spec, tiny.settings.source_root, DAY)


def refusal_of(tiny: TinyBank, content: str | bytes, **settings) -> str:
    """The one sentence with which it is refused; it names the file."""
    with pytest.raises(ExtractError) as refused:
        read(tiny, content, **settings)
    assert "people.csv" in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def rows_of(delivery: Delivery) -> list[tuple]:
    """Rows as `(source row, id, name, amount)`."""
    return [(row["_source_row"], row["id"], row["name"], row["amount"]) for row in delivery.rows.to_pylist()]


def test_every_value_stays_the_text_it_is(tiny):
    delivery = read(tiny, "id,name,amount\n007, padded ,1.10\nNULL,NA,nan\n,x,\n")
    assert rows_of(delivery) == [(2, "007", " padded ", "1.10"), (3, "NULL", "NA", "nan"), (4, "", "x", "")]
    assert delivery.rejected == []


def test_a_row_of_nothing_is_refused_with_its_place(tiny):
    assert "row 3: an empty row" in refusal_of(tiny, "id,name,amount\n1,a,2\n,,\n3,b,4\n")


def test_no_line_break_is_needed_at_the_end_and_crlf_is_one(tiny):
    assert rows_of(read(tiny, "id,name,amount\r\n1,a,2\r\n3,b,4")) == [(2, "1", "a", "2"), (3, "3", "b", "4")]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("王芳", id="GB2312"),
        pytest.param("朱镕基", id="GBK"),
        pytest.param("㐀䶵", id="four bytes, extension A"),
        pytest.param("𠮷野家", id="four bytes, beyond the basic plane"),
        pytest.param("ᠮᠣᠩᠭᠣᠯ བོད་", id="four bytes, Mongolian and Tibetan"),
        pytest.param("€", id="euro"),
    ],
)
def test_gb18030_is_read_whole_beyond_gbk_too(tiny, name):
    assert rows_of(read(tiny, f"id,name,amount\n1,{name},2\n", encoding="gb18030")) == [(2, "1", name, "2")]


def test_gb18030_whose_second_byte_is_the_delimiter_is_not_split(tiny):
    name = bytes([0x81, 0x7C]).decode("gb18030")  # 0x7C alone is `|`
    assert rows_of(read(tiny, f"id|name|amount\n1|{name}|2\n", encoding="gb18030", delimiter="|")) == [
        (2, "1", name, "2")
    ]


def test_gb18030_labelled_utf_8_is_refused(tiny):
    text = refusal_of(tiny, "id,name,amount\n1,王芳,2\n".encode("gb18030"), encoding="utf-8")
    assert "is not utf-8" in text and "byte 17" in text and "correct the profile's encoding" in text


def test_utf_8_with_bytes_that_gb18030_has_not_is_refused(tiny):
    assert "is not gb18030" in refusal_of(tiny, b"id,name,amount\n1,\xff\xff,2\n", encoding="gb18030")


def test_a_character_cut_at_the_end_is_refused(tiny):
    assert "cannot be decoded" in refusal_of(tiny, "id,name,amount\n1,2,王".encode()[:-1])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_byte_order_mark_is_accepted(tiny, encoding):
    written_in = encoding.removesuffix("-sig")
    content = "\ufeffid,name,amount\n1,王,2\n".encode(written_in)
    assert rows_of(read(tiny, content, encoding=encoding)) == [(2, "1", "王", "2")]


def test_a_header_that_lacks_a_column_is_refused_by_name(tiny):
    assert "the header lacks amount;" in refusal_of(tiny, "id,name\n1,a\n")


def test_a_header_with_an_extra_column_is_refused_by_name(tiny):
    assert "the header has unknown mobile;" in refusal_of(tiny, "id,name,amount,mobile\n1,a,2,3\n")


def test_a_renamed_column_is_lacking_and_unknown(tiny):
    assert "lacks amount and has unknown Amount" in refusal_of(tiny, "id,name,Amount\n1,a,2\n")


@pytest.mark.parametrize("header", ["id,amount,name", "id,name,amount,amount"])
def test_reordered_or_repeated_columns_are_refused(tiny, header):
    text = refusal_of(tiny, f"{header}\n1,a,2\n")
    assert "the header" in text and "must match the profile exactly" in text


def test_rows_without_a_header_are_refused(tiny):
    assert "lacks id, name, amount" in refusal_of(tiny, "1,a,2\n3,b,4\n")


def test_another_delimiter_than_the_profile_says_is_refused(tiny):
    assert "lacks id, name, amount" in refusal_of(tiny, "id;name;amount\n1;a;2\n")


@pytest.mark.parametrize("delimiter", [",", "|", ";", "\t", "\x1b", "|+|", "@#"])
def test_every_delimiter_that_banks_use_separates_fields(tiny, delimiter):
    lines = [("id", "name", "amount"), ("1", "王+芳", "2"), ("3", "", "4")]
    content = "".join(delimiter.join(line) + "\n" for line in lines)
    assert rows_of(read(tiny, content, delimiter=delimiter)) == [(2, "1", "王+芳", "2"), (3, "3", "", "4")]


def test_parts_of_a_long_delimiter_are_part_of_a_value(tiny):
    assert rows_of(read(tiny, "id|+|name|+|amount\n1|+|a|b+c|+|2\n", delimiter="|+|")) == [(2, "1", "a|b+c", "2")]


@pytest.mark.parametrize("delimiter", [",", "|", "\x1b", "|+|"])
def test_a_quoted_value_may_hold_the_delimiter(tiny, delimiter):
    content = delimiter.join(("id", "name", "amount")) + "\n" + delimiter.join(("1", f'"a{delimiter}b"', "2")) + "\n"
    assert rows_of(read(tiny, content, delimiter=delimiter)) == [(2, "1", f"a{delimiter}b", "2")]


def test_the_control_character_that_stands_in_for_a_long_delimiter_is_refused(tiny):
    assert "0x1f" in refusal_of(tiny, "id|+|name|+|amount\n1|+|a\x1fb|+|2\n", delimiter="|+|")


def test_a_nul_is_refused_with_its_place(tiny):
    assert "holds a NUL at character 17" in refusal_of(tiny, "id,name,amount\n1,\0a,2\n")


@pytest.mark.parametrize("quoted", ["a\nb", "a\r\nb", 'say ""yes""', "a,b"])
def test_quoted_line_breaks_quotes_and_delimiters_stay_in_their_value(tiny, quoted):
    rows = rows_of(read(tiny, f'id,name,amount\n1,"{quoted}",2\n3,b,4\n'))
    assert rows == [(2, "1", quoted.replace('""', '"'), "2"), (3, "3", "b", "4")]


@pytest.mark.parametrize(
    ("bad", "reason"), [("3,b", "2 fields instead of 3"), ("3,b,4,5", "4 fields instead of 3"), ("3", "1 fields")]
)
def test_a_row_of_too_few_or_too_many_fields_is_refused_with_its_source_row(tiny, bad, reason):
    text = refusal_of(tiny, f"id,name,amount\n1,a,2\n{bad}\n5,c,6\n")
    assert f"row 3: {reason}" in text


def test_more_bad_rows_are_counted(tiny):
    assert "(and 2 more rows)" in refusal_of(tiny, "id,name,amount\n1\n2\n3\n4,d,5\n")


def test_source_rows_stay_true_after_a_blank_line(tiny):
    """A person who opens the file at that row must see that row; to refuse the blank line as row 3 is right, too."""
    try:
        rows = rows_of(read(tiny, "id,name,amount\n1,a,2\n\n3,b,4\n"))
    except ExtractError as refused:
        assert "row 3: " in str(refused)
    else:
        assert rows == [(2, "1", "a", "2"), (4, "3", "b", "4")]


def test_the_last_row_may_be_cut_where_the_profile_says_so(tiny):
    delivery = read(tiny, "id,name,amount\n1,a,2\n3,b,4\n5,c", last_row_may_be_cut=True)
    assert rows_of(delivery) == [(2, "1", "a", "2"), (3, "3", "b", "4")]
    assert delivery.rejected == [(4, "2 fields instead of 3")]


def test_the_last_row_may_be_cut_within_quotes_where_the_profile_says_so(tiny):
    delivery = read(tiny, 'id,name,amount\n1,"a",2\n3,"b",4\n5,"c', last_row_may_be_cut=True)
    assert rows_of(delivery) == [(2, "1", "a", "2"), (3, "3", "b", "4")]
    assert delivery.rejected == [(4, "cut within a quoted value")]


def test_a_quote_never_closed_that_swallows_rows_is_no_cut_last_row(tiny):
    text = refusal_of(tiny, 'id,name,amount\n1,"a",2\n3,"b,4\n5,c,6\n', last_row_may_be_cut=True)
    assert "row 3: a quote is not closed" in text


def test_a_cut_last_row_is_refused_where_the_profile_does_not_say_so(tiny):
    assert "row 4: 2 fields instead of 3" in refusal_of(tiny, "id,name,amount\n1,a,2\n3,b,4\n5,c")


@pytest.mark.parametrize("rows", ["1,a,2\n3,b\n5,c,6\n", "1,a\n3,b,4\n5,c", "1,a,2\n3,b\n5,c"])
def test_only_the_last_row_may_be_cut(tiny, rows):
    assert "fields instead of 3" in refusal_of(tiny, f"id,name,amount\n{rows}", last_row_may_be_cut=True)


def test_zero_bytes_are_refused(tiny):
    assert "is empty (zero bytes)" in refusal_of(tiny, b"")


@pytest.mark.parametrize("content", ["id,name,amount\n", "id,name,amount", "\ufeffid,name,amount\r\n"])
def test_a_header_without_rows_is_refused(tiny, content):
    assert "has a header but no rows" in refusal_of(tiny, content)


def test_a_missing_file_is_named_with_its_date_and_who_must_send_it(tiny):
    with pytest.raises(ExtractError) as refused:
        extract(tiny.profile, spec_of(), tiny.settings.source_root, DAY)
    for part in (str(tiny.settings.source_root / "people.csv"), str(DAY), "is missing", "ask the core system"):
        assert part in str(refused.value)


def test_a_folder_in_place_of_the_file_is_a_missing_file(tiny):
    (tiny.settings.source_root / "people.csv").mkdir(parents=True)
    with pytest.raises(ExtractError, match="is missing"):
        extract(tiny.profile, spec_of(), tiny.settings.source_root, DAY)


def test_a_field_of_three_megabytes_costs_its_own_row_and_not_the_file(tiny):
    delivery = read(tiny, f"id,name,amount\n1,{'长' * 1_000_000},2\n3,b,4\n")
    assert rows_of(delivery) == [(3, "3", "b", "4")]
    assert delivery.rejected == [(2, "name is 3,000,000 bytes long, more than 100,000")]


def test_how_long_a_value_may_be_is_the_profiles_to_say(tiny):
    content = "id,name,amount\n1,abcde,2\n3,abcd,4\n"
    assert rows_of(read(tiny, content, longest_value_bytes=4)) == [(3, "3", "abcd", "4")]
    assert len(rows_of(read(tiny, content, longest_value_bytes=5))) == 2


def test_a_field_too_long_in_a_file_that_carries_money_refuses_the_file(tiny):
    columns = (*COLUMNS[:2], replace(COLUMNS[2], control_total=True))
    assert "row 2: name is 200,000 bytes long" in refusal_of(
        tiny, f"id,name,amount\n1,{'x' * 200_000},2\n3,b,4\n", columns=columns
    )


def test_a_row_longer_than_a_block_is_refused(tiny):
    assert "has a row of more than 16 MiB" in refusal_of(tiny, f"id,name,amount\n1,{'x' * 40_000_000},2\n")


@pytest.mark.parametrize(
    ("rows", "row"),
    [('1,"a"b,2\n3,c,4\n', 2), ('1,a,2\n3,"b,4\n5,c,6\n', 3), ('1,a,2\n3,"b,4\n5,"c",6\n', 3), ('1,a,"2', 2)],
)
def test_a_quote_that_is_not_closed_or_closed_too_early_is_refused_with_its_row(tiny, rows, row):
    assert f"row {row}: a quote is not closed, or is closed before" in refusal_of(tiny, f"id,name,amount\n{rows}")


def test_a_quote_within_a_value_is_part_of_it(tiny):
    assert rows_of(read(tiny, 'id,name,amount\n1,19" screen,2\n')) == [(2, "1", '19" screen', "2")]


@pytest.mark.parametrize("number", ["1.005", "1,00", "1e3", "12345678901234567890.00", "1.2.3", "０.5"])
def test_a_number_that_would_be_rounded_or_guessed_stays_the_text_it_is(tiny, number):
    assert rows_of(read(tiny, f'id,name,amount\n1,a,"{number}"\n')) == [(2, "1", "a", number)]


def test_a_delimiter_at_the_end_of_each_line_is_refused(tiny):
    assert "the header has a delimiter at its end" in refusal_of(tiny, "id,name,amount,\n1,a,2,\n")
    assert "row 2: 4 fields instead of 3" in refusal_of(tiny, "id,name,amount\n1,a,2,\n3,b,4\n")


def test_a_column_that_comes_twice_is_named(tiny):
    assert "the header has amount more than once" in refusal_of(tiny, "id,name,amount,amount\n1,a,2,2\n")


@pytest.mark.parametrize(("rows", "row"), [("1,a,2\n\n", 3), ("\n1,a,2\n", 2), ("1,a,2\n\n\n3,b,4\n", 3)])
def test_a_blank_line_is_refused_with_its_row(tiny, rows, row):
    assert f"row {row}: an empty row" in refusal_of(tiny, f"id,name,amount\n{rows}")


@pytest.mark.parametrize(("delimiter", "encoding"), [("|+|", "utf-8"), ("|", "gb18030"), ("||+", "gb18030")])
def test_what_a_chunk_cuts_in_two_is_read_whole(tiny, monkeypatch, delimiter, encoding):
    """Characters of several bytes and delimiters of several characters, at every place of a chunk's end."""
    lines = [("id", "name", "amount"), *((str(n), "𠮷|王芳" if delimiter != "|" else "𠮷王", "1.10") for n in range(9))]
    content = "".join(delimiter.join(line) + "\n" for line in lines).encode(encoding)
    for size in range(1, 12):
        monkeypatch.setattr(delimited, "CHUNK", size)
        delivery = read(tiny, content, delimiter=delimiter, encoding=encoding)
        assert [row[1:] for row in rows_of(delivery)] == lines[1:]


def test_the_place_of_a_byte_that_cannot_be_decoded_is_true_in_a_later_chunk(tiny, monkeypatch):
    content = b"id,name,amount\n" + "1,王,2\n".encode() * 100
    for size in (1, 2, 5, 64):
        monkeypatch.setattr(delimited, "CHUNK", size)
        assert f"byte {len(content)} cannot" in refusal_of(tiny, content + b"\xff,a,2\n")


@pytest.mark.parametrize("quote", ["", '"'])
def test_source_rows_are_true_over_many_pieces_with_rows_of_too_few_fields(tiny, monkeypatch, quote):
    spec = spec_of()
    for size in (1, 7, 64, 4096):
        monkeypatch.setattr(delimited, "PIECE", size)
        bad = {2, 9, 10, 11, 60, 61}
        value = f"{quote}a\nb{quote}" if quote else "ab"
        lines = (f"{n},a" if n in bad else f"{n},{value},1" for n in range(2, 62))
        deliver(spec, tiny.settings.source_root, ("id,name,amount\n" + "\n".join(lines)).encode())
        received = open_file(tiny.profile, spec, tiny.settings.source_root, DAY, tiny.settings.source_root.parent)
        delivery = delimited.read(spec, received)
        assert [row for row, _ in delivery.rejected] == sorted(bad)
        assert all(str(row["_source_row"]) == row["id"] for row in delivery.rows.to_pylist())


def test_line_ends_of_old_machines_end_rows(tiny, monkeypatch):
    monkeypatch.setattr(delimited, "PIECE", 16)
    assert len(rows_of(read(tiny, "id,name,amount\r" + "1,a,2\r" * 20))) == 20
    assert len(rows_of(read(tiny, "id,name,amount\r\n" + "1,a,2\r\n" * 20))) == 20


def test_source_rows_are_true_over_many_blocks_with_rows_too_long(tiny, monkeypatch):
    monkeypatch.setattr(delimited, "PIECE", 4096)
    rows = "".join(f"{n},{'x' * (90 if n % 100 == 0 else 5)},1\n" for n in range(2, 5002))
    delivery = read(tiny, "id,name,amount\n" + rows, longest_value_bytes=50)
    assert [row for row, _ in delivery.rejected] == list(range(100, 5002, 100))
    assert all(str(row) == id_ for row, id_, _, _ in rows_of(delivery))
    assert delivery.row_count + len(delivery.rejected) == 5000


def test_reading_does_not_change_the_source(tiny):
    content = "id,name,amount\n1,王,2\n".encode("gb18030")
    read(tiny, content, encoding="gb18030")
    assert [path.name for path in tiny.settings.source_root.iterdir()] == ["people.csv"]
    assert (tiny.settings.source_root / "people.csv").read_bytes() == content


def test_rows_read_are_rows_and_rejected_rows(tiny):
    spec = replace(spec_of(), last_row_may_be_cut=True)
    deliver(spec, tiny.settings.source_root, b"id,name,amount\n" + b"1,a,2\n" * 1000 + b"1,a")
    delivery = extract(tiny.profile, spec, tiny.settings.source_root, DAY)
    assert (delivery.rows.num_rows, len(delivery.rejected)) == (1000, 1)
    assert delivery.rows["_source_row"].to_pylist() == list(range(2, 1002))


def test_without_a_header_columns_are_by_position_and_the_first_line_is_a_row(tiny):
    delivery = read(tiny, '1,a,2\n3,"b, c",4', header=False)
    assert rows_of(delivery) == [(1, "1", "a", "2"), (2, "3", "b, c", "4")]


def test_without_a_header_the_number_of_columns_is_exact(tiny):
    assert "row 1: 2 fields instead of 3" in refusal_of(tiny, "1,a\n3,b,4\n", header=False)
    assert "row 2: 4 fields instead of 3" in refusal_of(tiny, "1,a,2\n3,b,4,5\n", header=False)


def test_without_a_header_pieces_are_numbered_on(tiny, monkeypatch):
    monkeypatch.setattr(delimited, "PIECE", 8)
    delivery = read(tiny, "1,a,2\n3,b,4\n5,c,6\n", header=False)
    assert [row for row, *_ in rows_of(delivery)] == [1, 2, 3]


def test_a_header_where_none_was_agreed_is_no_row(tiny):
    assert "has a header, but the profile says it has none" in refusal_of(tiny, "id,name,amount\n1,a,2\n", header=False)


def test_without_a_header_only_a_quiet_day_may_be_zero_bytes(tiny):
    quiet = {"header": False, "delivery": "events", "control": True}
    assert rows_of(read(tiny, "", **quiet)) == []
    assert "zero bytes" in refusal_of(tiny, "", header=False)


def test_without_a_header_the_last_row_may_be_cut(tiny):
    delivery = read(tiny, "1,a,2\n3,b", header=False, last_row_may_be_cut=True)
    assert (rows_of(delivery), delivery.rejected) == ([(1, "1", "a", "2")], [(2, "2 fields instead of 3")])
