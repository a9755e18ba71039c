"""`corrupt` and `redeliver` as a person calls them: said in a sentence, undone by one command, never on a real bank."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm_warehouse.cli import main

DAY = "2026-06-15"
CORRUPT = ("corrupt", "--kind", "amount_nan", "--date", DAY)
REDELIVER = ("redeliver", "--extract", "core.balances", "--date", DAY)


@pytest.fixture
def sources(simulated_bank: Path, tmp_path: Path) -> Path:
    root = tmp_path / "source_systems"
    for folder in simulated_bank.glob(f"*/{DAY}"):
        shutil.copytree(folder, root / folder.relative_to(simulated_bank))
    return root


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """`crm-warehouse` in this process, in a home of its own."""
    monkeypatch.setenv("CRM_WAREHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "250")
    for name in ("CRM_WAREHOUSE_BANK", "CRM_WAREHOUSE_DATA"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["crm-warehouse", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(ended.value.code or 0, said.out, said.err)

    return call


def files_of(root: Path) -> dict[Path, bytes]:
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_corruption_is_told_and_one_command_takes_it_back(cli, sources: Path):
    before = files_of(sources)
    done = cli(*CORRUPT, "--in-transit", "--data", str(sources))
    assert done.code == 0, done.stderr
    assert "core.balances of 2026-06-15 in transit: NaN where an amount belongs" in done.stdout
    assert "Expected: block, the run should stop" in done.stdout
    assert files_of(sources) != before
    undone = cli("corrupt", "--undo", "--data", str(sources))
    assert undone.stdout == "undone: amount_nan of core.balances of 2026-06-15, in transit, magnitude 0.01, seed 7\n"
    assert files_of(sources) == before


def test_the_list_names_every_kind_in_both_languages(cli):
    shown = cli("corrupt", "--list")
    assert shown.code == 0
    for text in ("amount_nan", "full_card_number", "出现完整卡号", "in transit", "quarantine", "every extract"):
        assert text in shown.stdout


def test_a_late_and_a_corrected_delivery(cli, sources: Path):
    data = ("--data", str(sources))
    assert "core/2026-06-15/balances.csv" in cli(*REDELIVER, "--withhold", *data).stdout
    assert "came" in cli(*REDELIVER, "--release", *data).stdout
    assert "sequence 2" in cli(*REDELIVER, "--corrected", *data).stdout
    assert "sequence=2\n" in (sources / "core" / DAY / "balances.ctl").read_text()


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("corrupt",), "give --kind and --date, or --list to see the kinds, or --undo"),
        (("corrupt", "--kind", "nan", "--date", DAY), "there is no kind of corruption 'nan'"),
        (("corrupt", "--kind", "amount_nan", "--date", "2026-06-14"), "no delivery of core.balances of 2026-06-14"),
        ((*CORRUPT, "--extract", "core.customers"), "not for core.customers"),
        ((*CORRUPT, "--in-transit", "--at-source"), "not both"),
        ((*CORRUPT, "--bank", "eagle_bank"), "eagle_bank is no simulated bank: its deliveries are never touched"),
        (("corrupt", "--undo"), "there is nothing to undo"),
        (REDELIVER, "give one of --corrected, --withhold, --release"),
        ((*REDELIVER, "--release"), "core.balances of 2026-06-15 is not withheld"),
        ((*REDELIVER[:3], "--withhold"), "give --date"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_done_is_one_sentence(cli, sources: Path, command: tuple[str, ...], sentence: str):
    before = files_of(sources)
    done = cli(*command, "--data", str(sources))
    assert done.code == 1
    assert done.stderr.startswith("crm-warehouse: ")
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr
    assert files_of(sources) == before
