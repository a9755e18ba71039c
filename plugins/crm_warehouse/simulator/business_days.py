"""Which days the simulated bank is open: weekends, public holidays and make-up working days of 2024 to 2026."""

from datetime import date

import numpy as np

FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2026, 12, 31)

HOLIDAYS = (
    ("元旦", date(2024, 1, 1), date(2024, 1, 1)),
    ("春节", date(2024, 2, 10), date(2024, 2, 17)),
    ("清明节", date(2024, 4, 4), date(2024, 4, 6)),
    ("劳动节", date(2024, 5, 1), date(2024, 5, 5)),
    ("端午节", date(2024, 6, 8), date(2024, 6, 10)),
    ("中秋节", date(2024, 9, 15), date(2024, 9, 17)),
    ("国庆节", date(2024, 10, 1), date(2024, 10, 7)),
    ("元旦", date(2025, 1, 1), date(2025, 1, 1)),
    ("春节", date(2025, 1, 28), date(2025, 2, 4)),
    ("清明节", date(2025, 4, 4), date(2025, 4, 6)),
    ("劳动节", date(2025, 5, 1), date(2025, 5, 5)),
    ("端午节", date(2025, 5, 31), date(2025, 6, 2)),
    ("国庆节、中秋节", date(2025, 10, 1), date(2025, 10, 8)),
    ("元旦", date(2026, 1, 1), date(2026, 1, 3)),
    ("春节", date(2026, 2, 15), date(2026, 2, 23)),
    ("清明节", date(2026, 4, 4), date(2026, 4, 6)),
    ("劳动节", date(2026, 5, 1), date(2026, 5, 5)),
    ("端午节", date(2026, 6, 19), date(2026, 6, 21)),
    ("中秋节", date(2026, 9, 25), date(2026, 9, 27)),
    ("国庆节", date(2026, 10, 1), date(2026, 10, 7)),
)

# Weekend days worked in exchange for a longer holiday; bank counters open on them.
MAKE_UP_DAYS = (
    date(2024, 2, 4), date(2024, 2, 18), date(2024, 4, 7), date(2024, 4, 28), date(2024, 5, 11), date(2024, 9, 14),
    date(2024, 9, 29), date(2024, 10, 12),
    date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11),
    date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
)  # fmt: skip


def calendar_columns() -> dict[str, np.ndarray]:
    """One row per calendar day of 2024 to 2026: calendar_date, is_business_day, holiday_name (None if none)."""
    days = np.arange(FIRST_DAY, np.datetime64(LAST_DAY) + 1, dtype="datetime64[D]")
    names = np.full(days.size, None, dtype=object)
    for name, first, last in HOLIDAYS:
        names[(days >= np.datetime64(first)) & (days <= np.datetime64(last))] = name
    is_make_up = np.isin(days, np.array(MAKE_UP_DAYS, dtype="datetime64[D]"))
    is_business_day = (np.is_busday(days) & np.equal(names, None)) | is_make_up
    return {"calendar_date": days, "is_business_day": is_business_day.astype(bool), "holiday_name": names}


def business_days(first: date, last: date) -> np.ndarray:
    """Business days from first to last, both included, as datetime64[D]."""
    columns = calendar_columns()
    days = columns["calendar_date"][columns["is_business_day"]]
    return days[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]


def spring_festivals() -> np.ndarray:
    """First days of the Spring Festival holidays that are known, as datetime64[D]."""
    return np.array([first for name, first, _ in HOLIDAYS if name == "春节"], dtype="datetime64[D]")
