"""Comparing the columns that came with those of the profile, without repeating a customer's row as a header."""

from __future__ import annotations

import re
from collections.abc import Sequence

LOOKS_LIKE_A_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
MOST_SHOWN = 5


def difference(found: Sequence[str], expected: Sequence[str]) -> str | None:
    """What differs, as the end of a sentence: `lacks amount and has unknown fee`. None when nothing does.

    Where a header is missing, what is found is a customer. So a name that the profile does not know is shown only if
    it looks like a name and stands beside at least half of the profile's columns; else they are counted.
    """
    if list(found) == list(expected):
        return None
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    twice = list(dict.fromkeys(name for name in expected if found.count(name) > 1))
    if missing or extra:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has {unknown(extra, is_header=2 * len(missing) <= len(expected))}"] if extra else []
        return " and ".join(parts)
    return f"has {', '.join(twice)} more than once" if twice else "has its columns in another order"


def unknown(names: Sequence[str], is_header: bool) -> str:
    """Unknown columns by name where that tells nothing of a customer, else by their number."""
    if names == [""]:
        return "a delimiter at its end"
    if is_header and len(names) <= MOST_SHOWN and all(LOOKS_LIKE_A_NAME.fullmatch(name) for name in names):
        return f"unknown {', '.join(names)}"
    return f"{len(names)} unknown column{'s' if len(names) > 1 else ''}"
