"""How the reference bank's files are written, delivery by delivery."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

WRITTEN = {
    "core": {"encoding": "gb18030", "sep": "|"},
    "finance": {"encoding": "utf-8", "sep": r"\|\+\|", "engine": "python"},
    "reference": {"encoding": "utf-8", "sep": ","},
}


def read_deliveries(root: Path, source: str, extract: str) -> pd.DataFrame:
    """All deliveries of an extract, in order, each row with its delivery's date and when it was sent."""
    frames = []
    for folder in sorted((root / source).iterdir()):
        if source == "wealth":
            frame = pd.read_parquet(folder / f"{extract}.parquet")
        elif source == "crm":
            lines = (folder / f"{extract}.jsonl").read_text(encoding="utf-8").splitlines()
            frame = pd.DataFrame([json.loads(line) for line in lines], dtype=object)
            frame = frame.map(
                lambda value: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            )
        else:
            suffix = "txt" if source == "finance" else "csv"
            frame = pd.read_csv(folder / f"{extract}.{suffix}", dtype=str, keep_default_na=False, **WRITTEN[source])
        frames.append(frame.assign(delivered=date.fromisoformat(folder.name), sent_at=sent_at(folder, extract)))
    return pd.concat(frames, ignore_index=True)


def sent_at(folder: Path, extract: str) -> datetime:
    lines = dict(line.split("=", 1) for line in (folder / f"{extract}.ctl").read_text(encoding="utf-8").splitlines())
    return datetime.fromisoformat(lines["sent_at"]).astimezone(UTC).replace(tzinfo=None)


def latest(frame: pd.DataFrame) -> list[dict]:
    return frame[frame.delivered == frame.delivered.max()].to_dict("records")


def in_force(frame: pd.DataFrame, *key: str) -> list[dict]:
    return frame.drop_duplicates(list(key), keep="last").to_dict("records")
