"""What a check of a profile found: fine, in the way, worth a look, or still to be done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

# blocks: the job cannot run so. warning: it can, but look. todo: a place the scaffold left for a person. note: to know.
Level = Literal["fine", "blocks", "warning", "todo", "note"]


@dataclass(frozen=True)
class Finding:
    """One sentence about one area of the profile."""

    level: Level
    area: str
    text: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def blocking(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "blocks"]
