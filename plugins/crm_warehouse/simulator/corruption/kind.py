"""What a kind of corruption is, and the one case of it that is being made."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.profile import Extract
from crm_warehouse.simulator.corruption.delivery_files import UNREADABLE, Sent, read_rows, sent_path

Way = Literal["transit", "source", "both"]
Expected = Literal["block", "quarantine", "warn", "accept"]
# Rows: the table of text is changed. Data: the bytes or the presence of files. Control: the control file itself.
Part = Literal["rows", "data", "control"]
# Share: magnitude is the share of rows hit. Factor: it is a factor. All: the description says which rows, all of them.
Reach = Literal["share", "factor", "all"]

EVERY_EXTRACT = ("*",)
MONEY = (
    "core.balances", "core.transactions", "core.loans", "core.fees", "core.cards", "wealth.holdings", "wealth.orders",
    "finance.ledger_balances",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One way in which a delivery can be wrong. `apply(rows, case)` gives rows, or `apply(sent, case)` files.

    `expected` is what should become of it at the source, where the control file agrees, see `expected_when`.
    """

    name: str
    applies_to: tuple[str, ...]
    description_en: str
    description_zh: str
    way: Way
    expected: Expected
    apply: Callable
    part: Part = "rows"
    reach: Reach = "share"
    magnitude: float = 0.01
    # Only the form or the spelling changes: at the source, count and totals stay those of the true rows.
    keeps_totals: bool = False

    def expected_when(self, way: str) -> Expected:
        """What should become of it. In transit the control file disagrees, whatever the damage: that blocks."""
        return "block" if way == "transit" else self.expected

    def hits(self, table: str) -> bool:
        return self.applies_to == EVERY_EXTRACT or table in self.applies_to


@dataclass(frozen=True)
class Case:
    """One delivery being damaged: which, how much, and the random stream of it."""

    kind: Kind
    spec: Extract
    root: Path
    business_date: date
    magnitude: float
    seed: int
    random: np.random.Generator = field(compare=False)

    @classmethod
    def of(cls, kind: Kind, spec: Extract, root: Path, business_date: date, magnitude: float, seed: int) -> Case:
        """A case whose random stream depends on the seed and the kind alone."""
        random = np.random.default_rng([seed, zlib.crc32(kind.name.encode())])
        return cls(kind, spec, root, business_date, magnitude, seed, random)

    @property
    def table(self) -> str:
        return f"{self.spec.source}.{self.spec.name}"

    @property
    def path(self) -> Path:
        return sent_path(self.spec, self.root, self.business_date)

    @property
    def today(self) -> str:
        return self.business_date.isoformat()

    @property
    def money(self) -> str:
        """The column whose sum matters most: in the control file, else the first amount."""
        columns = [c.name for c in self.spec.columns if c.control_total] or self.columns_of("decimal")
        return columns[0] if columns else self.refuse("it has no amount")

    def columns_of(self, *types: str) -> list[str]:
        return [column.name for column in self.spec.columns if column.type in types]

    def hit(self, rows: pd.DataFrame, candidates: np.ndarray | pd.Series | None = None) -> np.ndarray:
        """Places of the rows to damage: the magnitude's share of all rows, at least one, among the candidates."""
        mask = np.ones(len(rows), dtype=bool) if candidates is None else np.asarray(candidates, dtype=bool)
        places = np.flatnonzero(mask)
        if not places.size:
            self.refuse("no row of it can be damaged so")
        wanted = min(places.size, max(1, round(self.magnitude * len(rows))))
        return np.sort(self.random.choice(places, wanted, replace=False))

    def places(self, rows: pd.DataFrame, candidates: np.ndarray | pd.Series) -> np.ndarray:
        """Places the kind's reach asks for: a share of the rows, or every candidate. There must be one."""
        if self.kind.reach == "share":
            return self.hit(rows, candidates)
        places = np.flatnonzero(np.asarray(candidates, dtype=bool))
        return places if places.size else self.refuse("no row of it can be damaged so")

    def refuse(self, reason: str):
        """Say in one sentence why this kind cannot be made of this delivery."""
        raise CorruptionRefused(
            f"{self.kind.name} cannot be made of {self.table} of {self.today}: {reason};"
            " choose another date, extract or kind"
        )

    def earlier_date(self, days_before: int = 1) -> date:
        """The latest date with a delivery of this extract that is at least so many days before this one."""
        days = (
            folder.name
            for folder in (self.root / self.spec.source).iterdir()
            if re.fullmatch(r"[0-9-]{10}", folder.name)
        )
        dates = [day for day in map(date.fromisoformat, days) if sent_path(self.spec, self.root, day).is_file()]
        earlier = [day for day in dates if (self.business_date - day).days >= days_before]
        return max(earlier) if earlier else self.refuse(f"there is no delivery {days_before} day(s) before it")

    def earlier_rows(self, days_before: int = 1) -> pd.DataFrame:
        return self._read(sent_path(self.spec, self.root, self.earlier_date(days_before)))

    def beside(self, extract: str) -> pd.DataFrame:
        """Rows of another extract of the same source and date, written in the same form."""
        path = self.path.with_stem(extract)
        return self._read(path) if path.is_file() else self.refuse(f"it needs {path.name} of that date")

    def rows_of(self, sent: Sent) -> pd.DataFrame:
        try:
            return read_rows(self.spec, self.path, sent.data)
        except UNREADABLE:
            self.refuse("it can no longer be read, as an earlier corruption left it (corrupt --undo restores it)")

    def _read(self, path: Path) -> pd.DataFrame:
        try:
            return read_rows(self.spec, path, path.read_bytes())
        except UNREADABLE:
            self.refuse(f"{path} cannot be read")
