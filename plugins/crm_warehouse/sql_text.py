"""Texts within SQL that takes no parameters: attach, copy, comment, and views."""


def as_text(value: object) -> str:
    """A text, or a path, as SQL writes it: in quotes."""
    return "'" + str(value).replace("'", "''") + "'"
