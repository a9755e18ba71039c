"""Text that a spreadsheet would run as a formula, made plain: a customer may call himself `=HYPERLINK(...)`."""

from __future__ import annotations

# What Excel, LibreOffice and WPS take for the beginning of a formula, or skip before one (blanks, too); in full width too.
STARTS = "=+-@\t\r\n＝＋－＠"


def neutralise(text: str) -> str:
    """`text` with an apostrophe before it where a spreadsheet would run it. For texts only: a number keeps its minus."""
    return f"'{text}" if text.lstrip(" ")[:1] in {*STARTS} else text


def neutralised(column: str) -> str:
    """The same as an SQL expression of a text column (its quoted name)."""
    starts = STARTS.replace("\t", "").replace("\r", "").replace("\n", "")
    return (
        f"case when trim({column}, ' ') <> '' and contains('{starts}' || chr(9) || chr(10) || chr(13), left(ltrim({column}, ' '), 1))"
        f" then '''' || {column} else {column} end"
    )
