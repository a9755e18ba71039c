"""Numbers, dates and identifiers as text: changed many at a time and written in the form they had."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crm_warehouse.simulator.corruption.delivery_files import PLAIN_NUMBER

CHECK_CHARACTERS = np.array(list("10X98765432"))


def put(rows: pd.DataFrame, hit: np.ndarray, column: str, values: object) -> pd.DataFrame:
    """`rows` with `values` (one, or one per place) in `column` at the places hit."""
    changed = rows.copy()
    texts = rows[column].to_numpy(dtype=object).copy()
    texts[hit] = values.to_numpy(dtype=object) if isinstance(values, pd.Series) else values
    changed[column] = pd.Series(texts, index=rows.index, dtype=str)
    return changed


def is_number(texts: pd.Series) -> np.ndarray:
    return texts.str.match(PLAIN_NUMBER).to_numpy(dtype=bool)


def places_of(texts: pd.Series) -> int:
    """Decimal places a column is written with."""
    fractions = texts[is_number(texts)].str.replace(r"^[^.]*[.]?", "", regex=True).str.len()
    return int(fractions.max()) if len(fractions) else 2


def units_of(texts: pd.Series, places: int) -> np.ndarray:
    """Numbers as whole units of the last place, exactly; rows that are no number must be left out before."""
    exact = pc.cast(pa.array(texts.to_numpy(dtype=object), pa.string()), pa.decimal128(26, places))
    return pc.cast(pc.multiply(exact, pa.scalar(10**places, pa.decimal128(11, 0))), pa.int64()).to_numpy()


def text_of(units: np.ndarray, places: int) -> np.ndarray:
    """The reverse of units_of."""
    units = np.asarray(units, dtype=np.int64)
    digits = pd.Series(np.abs(units)).astype(str).str.zfill(places + 1)
    text = digits.str[:-places] + "." + digits.str[-places:] if places else digits
    return np.where(units < 0, "-", "") + text.to_numpy(dtype=object)


def scaled(rows: pd.DataFrame, hit: np.ndarray, column: str, factor: float | np.ndarray) -> pd.DataFrame:
    """The numbers of `column` at the places hit, times `factor`, in the places the column has."""
    hit = hit[is_number(rows[column].iloc[hit])]
    places = places_of(rows[column])
    units = units_of(rows[column].iloc[hit], places)
    if np.ndim(factor) == 0 and float(factor).is_integer():
        return put(rows, hit, column, text_of(units * int(factor), places))
    return put(rows, hit, column, text_of(np.rint(units * factor).astype(np.int64), places))


def moved_days(texts: pd.Series, days: int | np.ndarray) -> np.ndarray:
    """Dates (YYYY-MM-DD) or instants (YYYY-MM-DDTHH:MM:SSZ) so many days later."""
    return moved_seconds(texts, np.asarray(days) * 86400)


def moved_seconds(texts: pd.Series, seconds: int | np.ndarray) -> np.ndarray:
    """Dates or instants so many seconds later, in the form they have; what is neither stays."""
    values = texts.to_numpy(dtype=object)
    is_moment = texts.str.match(r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$").to_numpy(dtype=bool)
    moved = values.copy()
    if is_moment.any():
        bare = np.array([value.removesuffix("Z") for value in values[is_moment]], dtype="datetime64[s]")
        shift = np.broadcast_to(np.asarray(seconds), texts.shape)[is_moment].astype("timedelta64[s]")
        later = np.datetime_as_string(bare + shift, unit="s").astype(object)
        has_time = np.array(["T" in value for value in values[is_moment]])
        moved[is_moment] = np.where(has_time, later + "Z", np.array([text[:10] for text in later], dtype=object))
    return moved


def card_numbers(random: np.random.Generator, count: int) -> list[str]:
    """Full card numbers of 19 digits with a right check digit (Luhn), of a test range no bank uses."""
    digits = np.concatenate([np.tile([6, 2, 9, 9, 9, 9], (count, 1)), random.integers(0, 10, (count, 12))], axis=1)
    doubled = digits.copy()
    doubled[:, 1::2] *= 2  # with the check digit these are every second from the right
    check = -(doubled // 10 + doubled % 10).sum(axis=1) % 10
    return ["".join(map(str, row)) + str(last) for row, last in zip(digits, check, strict=True)]
