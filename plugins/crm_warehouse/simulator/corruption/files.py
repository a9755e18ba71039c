"""Files: cut, empty, missing, of another day, in another form."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.delivery_files import Sent, sent_path, write_rows
from crm_warehouse.simulator.corruption.edits import Apply
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, Case, Kind

OTHER_DELIMITERS = {"|": ",", ",": ";", "|+|": "|"}
# Of a full table of which less changed in a day, yesterday's content is a quiet day's; what is late comes tomorrow, and
# `keys.no_late_comer` names it.
OUTDATED_MIN_SHARE = 0.01


def cut_at_a_line(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    if rows.empty:
        case.refuse("it has no rows")
    return rows.head(int(case.random.integers(len(rows) // 2, len(rows))))


def header_only(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    return rows.head(0) if len(rows) else case.refuse("it has no rows")


def text_of(sent: Sent, case: Case) -> bytes:
    """The bytes of a text file; a Parquet file cannot be wrong in this way."""
    return case.refuse("Parquet files have no lines") if case.path.suffix == ".parquet" else sent.data


def delimited_lines(sent: Sent, case: Case) -> list[bytes]:
    """The lines of a delimited file, each with its line end."""
    if case.path.suffix in (".parquet", ".jsonl"):
        case.refuse("only delimited files can be wrong in this way")
    lines = sent.data.splitlines(keepends=True)
    return lines if len(lines) > 1 else case.refuse("it has no rows")


def of_lines(change) -> Apply:
    """A kind that changes the list of lines of a delimited file."""
    return lambda sent, case: replace(sent, data=b"".join(change(delimited_lines(sent, case), case)))


def delimiter_of(case: Case) -> bytes:
    return case.spec.delimiter.encode()


def in_a_line(case: Case, lines: list[bytes], change) -> list[bytes]:
    place = int(case.random.integers(1, len(lines)))
    return [*lines[:place], change(lines[place]), *lines[place + 1 :]]


def with_trailer(lines: list[bytes], case: Case) -> list[bytes]:
    return [*lines, b"TOTAL" + delimiter_of(case) + str(len(lines) - 1).encode() + b"\n"]


def delimiter_changed(sent: Sent, case: Case) -> Sent:
    delimited_lines(sent, case)
    other = OTHER_DELIMITERS.get(case.spec.delimiter, "|")
    return replace(sent, data=write_rows(case.spec, case.path, case.rows_of(sent), sent.data, other))


def wrong_encoding(sent: Sent, case: Case) -> Sent:
    """Text in the encoding of the bank's other systems: GB18030 where UTF-8 is agreed, and the reverse."""
    data = text_of(sent, case)
    if data.isascii():
        case.refuse("it has no character that an encoding could spoil")
    written, other = (case.spec.encoding, "utf-8" if case.spec.encoding != "utf-8" else "gb18030")
    try:
        return replace(sent, data=data.decode(written).encode(other))
    except UnicodeDecodeError:
        return case.refuse(f"it is not {written} any more")


def byte_order_mark(sent: Sent, case: Case) -> Sent:
    return replace(sent, data="\ufeff".encode(case.spec.encoding) + text_of(sent, case))


def line_ends_of_windows(sent: Sent, case: Case) -> Sent:
    return replace(sent, data=text_of(sent, case).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def bits_flipped(sent: Sent, case: Case) -> Sent:
    content = np.frombuffer(sent.data, dtype=np.uint8).copy()
    places = case.random.choice(content.size, min(3, content.size), replace=False)
    content[places] ^= case.random.integers(1, 256, places.size).astype(np.uint8)
    return replace(sent, data=content.tobytes())


def nul_bytes(sent: Sent, case: Case) -> Sent:
    place = int(case.random.integers(0, len(sent.data)))
    return replace(sent, data=sent.data[:place] + bytes(512) + sent.data[place + 512 :])


def last_line_cut(sent: Sent, case: Case) -> Sent:
    return replace(sent, data=sent.data[: -min(len(sent.data), int(case.random.integers(4, 12)))])


def yesterdays_file(sent: Sent, case: Case) -> Sent:
    """The delivery before, with its own control file: both agree with each other, not with the day."""
    path = sent_path(case.spec, case.root, case.earlier_date())
    earlier = path.with_suffix(".ctl")
    if not earlier.is_file():
        case.refuse(f"{earlier} is missing")
    return Sent(path.read_bytes(), dict(line.split("=", 1) for line in earlier.read_text("utf-8").splitlines()))


def refuse_if_nearly_the_same(earlier: pd.DataFrame, today: pd.DataFrame, case: Case) -> None:
    if earlier.empty:
        case.refuse("the delivery before it has no rows: no more of it would be seen than a quiet day")
    new = len(today.merge(earlier.drop_duplicates(), how="left", indicator=True).query("_merge == 'left_only'"))
    if new < OUTDATED_MIN_SHARE * len(today):
        case.refuse(f"only {new} of its {len(today)} rows are not in the earlier one: that is a quiet day's content")


def earlier_file_todays_control(sent: Sent, case: Case) -> Sent:
    refuse_if_nearly_the_same(case.earlier_rows(), case.rows_of(sent), case)
    return replace(sent, data=sent_path(case.spec, case.root, case.earlier_date()).read_bytes())


def week_old_rows_redated(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """What was sent a week ago, its dates of that day turned into today's."""
    then, old = case.earlier_date(7).isoformat(), case.earlier_rows(7)
    for column in case.columns_of("date", "timestamp"):
        old[column] = old[column].str.replace(f"^{then}", case.today, regex=True)
    refuse_if_nearly_the_same(old, rows, case)
    return old


def same_file_new_name(sent: Sent, case: Case) -> Sent:
    """The file and its control file a second time, as `<extract>_again`."""
    if not case.spec.file:
        case.refuse("an interface sends nothing under a name that nobody asks for")
    name = f"{case.path.stem}_again"
    control = {**sent.control, "file": name + case.path.suffix} if sent.control else {}
    again = "".join(f"{key}={value}\n" for key, value in control.items()).encode()
    return replace(sent, beside={name + case.path.suffix: sent.data, f"{name}.ctl": again})


ANY = EVERY_EXTRACT
WHOLE = {"part": "data", "reach": "all"}
FORM = {**WHOLE, "keeps_totals": True}
# fmt: off
KINDS = (
    Kind("cut_at_a_line", ANY, "The file ends early, at the end of a line", "文件在某行末尾被截断", "both", "block",
         cut_at_a_line, reach="all"),
    Kind("zero_bytes", ANY, "The file is empty", "文件为零字节", "both", "block",
         lambda sent, case: replace(sent, data=b""), **WHOLE),
    Kind("header_only", ANY, "A header and no rows on a business day", "营业日只有表头没有数据", "both", "block",
         header_only, reach="all"),
    Kind("missing_at_cut_off", ANY, "Neither file nor control file has come", "截止时文件与控制文件均未到", "transit",
         "block", lambda sent, case: Sent(None, None), **WHOLE),
    Kind("data_file_missing", ANY, "The control file came, the data file did not", "控制文件已到而数据文件未到",
         "transit", "block", lambda sent, case: replace(sent, data=None), **WHOLE),
    Kind("yesterdays_file", ANY, "The delivery before again, with its own date and control file",
         "重发上一日文件，日期与控制文件均为上一日", "source", "block", yesterdays_file, part="control", reach="all"),
    Kind("earlier_file_todays_control", ANY, "The content of the delivery before under today's control file",
         "上一日内容配以当日控制文件", "source", "block", earlier_file_todays_control, **WHOLE),
    Kind("week_old_rows_redated", ANY, "The rows of a week ago, that day's dates turned into today's",
         "一周前的数据改为当日日期后发送", "source", "block", week_old_rows_redated, reach="all"),
    Kind("same_file_new_name", ANY, "The same file a second time under a new name", "同一文件以新名称再次发送",
         "source", "warn", same_file_new_name, **WHOLE),
    Kind("delimiter_changed", ANY, "Another delimiter than agreed", "分隔符改变", "both", "block", delimiter_changed,
         **FORM),
    Kind("wrong_encoding", ("core.customers", "reference.branches", "reference.calendar", "crm.campaigns"),
         "GB18030 text where UTF-8 is agreed, or UTF-8 where GB18030 is", "编码与约定不符（GB18030 与 UTF-8 互换）",
         "both", "block", wrong_encoding, **FORM),
    Kind("byte_order_mark", ANY, "A byte-order mark before the header", "文件开头带有字节顺序标记", "source",
         "accept", byte_order_mark, **FORM),
    Kind("line_ends_of_windows", ANY, "Lines end with CR LF", "行尾为 CR LF", "source", "accept",
         line_ends_of_windows, **FORM),
    Kind("bits_flipped", ANY, "Three bytes are others", "三个字节被破坏", "transit", "block", bits_flipped, **WHOLE),
    Kind("nul_bytes", ANY, "512 NUL bytes somewhere in the file", "文件中出现 512 个空字节", "both", "block",
         nul_bytes, **FORM),
    Kind("last_line_cut", ANY, "The file ends in the middle of its last line", "最后一行被截断", "both", "block",
         last_line_cut, **FORM),
    Kind("compressed", ANY, "Gzip under the plain name", "以原名发送压缩文件", "both", "block",
         lambda sent, case: replace(sent, data=gzip.compress(sent.data, mtime=0)), **FORM),
    Kind("written_twice", ANY, "The whole file twice in one, header too", "整个文件连同表头重复两遍", "both", "block",
         lambda sent, case: replace(sent, data=sent.data * 2), **WHOLE),
    Kind("header_missing", ANY, "No header line", "缺少表头", "both", "block",
         of_lines(lambda lines, case: lines[1:]), **FORM),
    Kind("header_in_upper_case", ANY, "The header in capitals", "表头为大写", "both", "block",
         of_lines(lambda lines, case: [lines[0].upper(), *lines[1:]]), **FORM),
    Kind("trailer_line", ANY, "A line of totals behind the last row", "文件末尾多出合计行", "both", "block",
         of_lines(with_trailer), **FORM),
    Kind("empty_lines_at_end", ANY, "Three empty lines at the end", "文件末尾多出三个空行", "both", "block",
         of_lines(lambda lines, case: [*lines, b"\n\n\n"]), **FORM),
    Kind("delimiter_within_a_value", ANY, "One row has a delimiter, unquoted, within a value",
         "某行字段内含未加引号的分隔符", "both", "block",
         of_lines(lambda lines, case: in_a_line(case, lines, lambda line: line[:3] + delimiter_of(case) + line[3:])),
         **FORM),
    Kind("quote_not_closed", ANY, "One row opens a quote that is never closed", "某行引号未闭合", "both", "block",
         of_lines(lambda lines, case: in_a_line(case, lines, lambda line: b'"' + line)), **FORM),
)
