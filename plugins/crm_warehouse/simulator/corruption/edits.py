"""The few shapes most kinds have: edit a column of some rows, drop some rows, send some rows again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.kind import Case
from crm_warehouse.simulator.corruption.text_values import moved_days, put, scaled

ColumnOf = str | Mapping[str, str] | Callable[[Case], str]
Where = Callable[[pd.DataFrame, Case], object]
Apply = Callable[[pd.DataFrame, Case], pd.DataFrame]


def column_of(column: ColumnOf, case: Case) -> str:
    """The column meant: a name, one for each table, or what the case says."""
    if callable(column):
        return column(case)
    return column if isinstance(column, str) else column[case.table]


def money(case: Case) -> str:
    return case.money


def key(case: Case) -> str:
    return case.spec.key[0]


def edit(column: ColumnOf, change: object, where: Where | None = None) -> Apply:
    """Change a column, where it is filled: `change` is a text, or a function of (texts, case)."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        name = column_of(column, case)
        candidates = rows[name] != "" if where is None else np.asarray(where(rows, case), dtype=bool)
        if not callable(change):
            candidates = candidates & (rows[name] != change)
        hit = case.places(rows, candidates)
        return put(rows, hit, name, change(rows[name].iloc[hit], case) if callable(change) else change)

    return apply


def all_equal(column: ColumnOf, pick: Callable[[pd.Series], str]) -> Apply:
    """Every filled value of a column becomes one of them, the one that `pick` takes."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        name = column_of(column, case)
        known = rows.loc[rows[name] != "", name]
        if known.empty:
            case.refuse(f"{name} is nowhere filled")
        value = pick(known)
        return put(rows, case.places(rows, (rows[name] != "") & (rows[name] != value)), name, value)

    return apply


def most_common(texts: pd.Series) -> str:
    return min(texts.mode())


def scale(column: ColumnOf, factor: float, where: Where | None = None) -> Apply:
    """Multiply the numbers of a column that are not nought."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        name = column_of(column, case)
        candidates = rows[name].str.contains("[1-9]")
        if where is not None:
            candidates = candidates & where(rows, case)
        return scaled(rows, case.places(rows, candidates), name, factor)

    return apply


def swap(pairs: Mapping[str, tuple[str, str]], where: Where | None = None) -> Apply:
    """Exchange the values of two columns, the pair of each table, where they differ."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        first, second = pairs[case.table]
        candidates = rows[first] != rows[second]
        if where is not None:
            candidates = candidates & where(rows, case)
        hit = case.places(rows, candidates)
        return put(put(rows, hit, first, rows[second].iloc[hit]), hit, second, rows[first].iloc[hit])

    return apply


def drop(where: Where | None = None) -> Apply:
    """Leave rows out."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        candidates = np.ones(len(rows), dtype=bool) if where is None else where(rows, case)
        return rows.drop(index=case.places(rows, candidates)).reset_index(drop=True)

    return apply


def repeat(column: ColumnOf | None = None, change: object = None, where: Where | None = None) -> Apply:
    """Send rows a second time, behind the last; `change` makes the copies differ in a column."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        candidates = np.ones(len(rows), dtype=bool) if where is None else where(rows, case)
        again = rows.iloc[case.places(rows, candidates)].reset_index(drop=True)
        if column is not None:
            name = column_of(column, case)
            again = put(again, np.arange(len(again)), name, change(again[name], case) if callable(change) else change)
        return pd.concat([rows, again], ignore_index=True)

    return apply


def later(column: ColumnOf, days: int) -> Apply:
    """Move dates or instants by so many days."""
    return edit(column, lambda texts, case: moved_days(texts, days))


def after(limits: Mapping[str, tuple[str, str]], days: int) -> Apply:
    """Put one moment (the first of the pair of a table) `days` after another (the second); negative: before it."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        moved, fixed = limits[case.table]
        hit = case.places(rows, rows[fixed] != "")
        return put(rows, hit, moved, moved_days(rows[fixed].iloc[hit], days))

    return apply


def on(days_from_today: int) -> Callable[[pd.Series, Case], np.ndarray]:
    """Dates or instants at the business date plus so many days; an instant keeps its hour."""

    def change(texts: pd.Series, case: Case) -> np.ndarray:
        day = moved_days(pd.Series([case.today]), days_from_today)[0]
        return np.array([day + text[10:] for text in texts], dtype=object)

    return change


def shuffled(texts: pd.Series, case: Case) -> np.ndarray:
    """The same values, each at another place: rolled by a random number of places."""
    values = texts.to_numpy(dtype=object)
    return np.roll(values, int(case.random.integers(1, max(2, len(values)))))


def new_ids(texts: pd.Series, case: Case) -> np.ndarray:
    """Identifiers of the same form that are not in use: the first digit is a nine."""
    return texts.str.replace(r"\d", "9", n=1, regex=True).to_numpy(dtype=object)


def filled(column: str) -> Where:
    return lambda rows, case: rows[column] != ""


def is_(column: str, *values: str) -> Where:
    return lambda rows, case: rows[column].isin(values)
