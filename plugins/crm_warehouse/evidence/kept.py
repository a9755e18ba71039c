"""What many runs share, kept once under its own SHA-256: lists of the code, policy files, the lineage of the marts.

evidence/kept/<sha256>
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from crm_warehouse.errors import EvidenceBroken
from crm_warehouse.files import write_atomically
from crm_warehouse.settings import Settings

CODE_FOLDERS = ("dags", "dbt_project", "expectations", "plugins")
CODE_SUFFIXES = {".py", ".sql", ".yml", ".csv", ".html"}


def keep(settings: Settings, content: bytes) -> str:
    """Keep `content`, once; returns its sha256, by which it is found."""
    sha256 = hashlib.sha256(content).hexdigest()
    if not _path(settings, sha256).is_file():
        write_atomically(_path(settings, sha256), content)
    return sha256


def read(settings: Settings, sha256: str) -> bytes:
    """What was kept. Raises EvidenceBroken when it is gone or another."""
    path = _path(settings, sha256)
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise EvidenceBroken(f"evidence/kept/{sha256} is missing or was changed: restore it from a backup")
    return content


def keep_code(settings: Settings) -> str:
    """Keep the list of every source file that decides a number (code, SQL, policy, rules), and the bank's policy files.

    Returns the list's sha256, which is the version of the code.
    """
    for file in sorted((settings.bank_folder / "policy").glob("*.csv")):
        keep(settings, file.read_bytes())
    return keep(settings, list_code(settings.project))


def list_code(project: Path) -> bytes:
    """One line a source file, in order: its path, a zero byte, its sha256."""
    files = (path for folder in CODE_FOLDERS for path in (project / folder).rglob("*") if path.suffix in CODE_SUFFIXES)
    return "".join(
        f"{path.relative_to(project)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in sorted(files)
    ).encode()


def code_fingerprint(project: Path) -> str:
    """The version of the code: SHA-256 over the list of its files."""
    return hashlib.sha256(list_code(project)).hexdigest()


def files_of_code(settings: Settings, code_sha256: str) -> dict[str, str]:
    """`{path: sha256}` of every source file of a version of the code."""
    return dict(line.split("\0") for line in read(settings, code_sha256).decode().splitlines())


def _path(settings: Settings, sha256: str) -> Path:
    return settings.evidence / "kept" / sha256
