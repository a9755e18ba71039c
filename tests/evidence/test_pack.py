"""The evidence pack: verified offline by the script inside it, which names whatever is wrong; no customer is in it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from conftest import LAST, Run, settings_in
from faults.homes import copy_of
from simulated_files import EXTRACTS

from crm_warehouse.errors import EvidenceBroken, SettingsError
from crm_warehouse.evidence import log, verify_pack
from crm_warehouse.evidence.of_run import find_changed_run
from crm_warehouse.evidence.pack import pack_evidence

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def packed(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    pack = pack_evidence(reference_run.settings, LAST, folder / "pack.zip")
    (folder / "verify.py").write_bytes(unpacked(pack)["verify.py"])
    return pack


def unpacked(pack: Path) -> Files:
    with zipfile.ZipFile(pack) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(files: Files, place: Path) -> Path:
    with zipfile.ZipFile(place, "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return place


def verify(packed: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script of the undamaged pack, by an interpreter that knows nothing of this project."""
    command = [sys.executable, "-I", str(packed.with_name("verify.py")), str(place), *arguments]
    return subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, check=False)


def refused(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 1 and not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    assert lines and all(line.startswith("NOT WHOLE: ") for line in lines), done.stdout
    return [line.removeprefix("NOT WHOLE: ") for line in lines]


def forged(files: Files) -> Files:
    """The same with a manifest that fits: who changes a file can do that too."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: verify_pack.sha256(content) for name, content in files.items() if name != "manifest.json"
    }
    return {**files, "manifest.json": verify_pack.as_json(manifest)}


def edited(files: Files, name: str, change: Callable[[dict], object]) -> Files:
    body = json.loads(files[name])
    change(body)
    return {**files, name: verify_pack.as_json(body)}


def replaced(files: Files, name: str, old: bytes, new: bytes) -> Files:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


def rewritten(files: Files) -> Files:
    """A log whose last entry says another code version, with a fitting hash, in a manifest and a head that fit."""
    entries = [json.loads(line) for line in files["log.jsonl"].splitlines()]
    entries[-1]["body"]["code_sha256"] = "0" * 64
    entries[-1]["hash"] = verify_pack.hash_of_entry(entries[-1])
    entry = {name: entries[-1][name] for name in ("sequence", "hash")}
    files = {
        **files,
        "log.jsonl": b"".join(map(log.line_of, entries)),
        "anchored_head.json": verify_pack.as_json(entry),
    }
    return edited(files, "manifest.json", lambda manifest: manifest.update(entry=entry))


def test_the_script_inside_finds_the_whole_pack_whole_zipped_and_unpacked(packed: Path, tmp_path: Path):
    done = verify(packed, packed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "whole: reference_bank, business date 2026-06-30, version marts_2026-06-30_reference_" in done.stdout
    with zipfile.ZipFile(packed) as pack:
        pack.extractall(tmp_path)
    own = subprocess.run([sys.executable, "-I", "verify.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert own.returncode == 0 and own.stdout == done.stdout


def test_a_noted_entry_ties_the_pack_down(reference_run: Run, packed: Path):
    last = log.read_entries(reference_run.settings)[-1]
    assert verify(packed, packed, "--head", f"{last['sequence']}:{last['hash']}").returncode == 0
    assert "not with the one you noted" in refused(verify(packed, packed, "--head", f"{last['sequence']}:abc"))[0]


def test_a_change_of_any_file_is_found_and_the_file_named(packed: Path, tmp_path: Path):
    files = unpacked(packed)
    for name, content in files.items():
        if name == "manifest.json":
            continue
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        assert f"{name} was changed" in verify_pack.problems_of({**files, name: flipped}), name
        without = {other: kept for other, kept in files.items() if other != name}
        assert f"{name} is missing" in verify_pack.problems_of(without), name
    said = refused(verify(packed, zipped({**files, "log.jsonl": files["log.jsonl"][:-2]}, tmp_path / "pack.zip")))
    assert "log.jsonl was changed" in said


FORGERIES: dict[str, tuple[Callable[[Files], Files], str]] = {
    "an entry edited": (
        lambda f: replaced(f, "log.jsonl", b'"publish_intended"', b'"publish_regretted"'),
        "log.jsonl: entry 1 was changed: its hash does not fit its content",
    ),
    "an entry taken out": (
        lambda f: {**f, "log.jsonl": f["log.jsonl"].split(b"\n", 1)[1]},
        "log.jsonl: entry 1 says it is number 2",
    ),
    "the last entry cut": (
        lambda f: {**f, "log.jsonl": f["log.jsonl"].split(b"\n", 1)[0] + b"\n"},
        "log.jsonl: it ends with entry 1",
    ),
    "another head": (
        lambda f: edited(f, "anchored_head.json", lambda head: head.update(hash="0" * 64)),
        "anchored_head.json: entry 2 of the log is not the one that was anchored",
    ),
    "the log and the head made anew": (rewritten, "code.txt is not the list of the code that the log vouches for"),
    "a verdict turned": (
        lambda f: replaced(f, "run/landing_gate.json", b'"status": "failed"', b'"status": "passed"'),
        "run/landing_gate.json is not the result that entry 2 of the log vouches for",
    ),
    "a mart rule that found more": (
        lambda f: edited(f, "run/mart_gate.json", lambda gate: gate["results"][0].update(failed_rows=3)),
        "run/mart_gate.json is not the result that entry 2 of the log vouches for",
    ),
    "a gate that was shut": (
        lambda f: edited(f, "run/mart_gate.json", lambda gate: gate["results"].pop()),
        "run/mart_gate.json: the gate was not open, or not all of its rules were run",
    ),
    "another input": (
        lambda f: edited(f, "run/build.json", lambda build: build["inputs"].popitem()),
        "run/build.json: its inputs are not those that the log vouches for",
    ),
    "another plan": (
        lambda f: edited(f, "run/plan.json", lambda plan: plan.update(as_of="2026-06-29")),
        "run/plan.json is not the result that entry 2 of the log vouches for",
    ),
    "a publish step changed": (
        lambda f: edited(f, "run/publish.json", lambda step: step.update(is_new=False)),
        "run/publish.json is not the result that entry 2 of the log vouches for",
    ),
    "another code": (
        lambda f: {**f, "code.txt": f["code.txt"].replace(b"plugins/", b"plugging/", 1)},
        "code.txt is not the list of the code that the log vouches for",
    ),
    "a threshold raised": (
        lambda f: replaced(f, "policy/policy_parameters.csv", b"interest_day_count,365", b"interest_day_count,360"),
        "policy/policy_parameters.csv is not the file that was in force in this version of the code",
    ),
    "a policy file taken out": (
        lambda f: {name: content for name, content in f.items() if name != "policy/age_bands.csv"},
        "policy/age_bands.csv is not the file that was in force in this version of the code",
    ),
    "a policy file put in": (
        lambda f: {**f, "policy/secret.csv": b"a\n"},
        "policy/secret.csv is no policy file of this version",
    ),
    "another lineage": (
        lambda f: edited(f, "lineage.json", lambda lineage: lineage["models"].popitem()),
        "lineage.json is not the lineage of the build",
    ),
    "a rule's owner changed": (
        lambda f: replaced(f, "rules.csv", b"data-engineering", b"nobody"),
        "rules.csv does not say what the log and the results say",
    ),
    "rows that vanished": (
        lambda f: replaced(f, "rows.csv", b",0,", b",1,"),
        "rows.csv does not say what the log and the results say",
    ),
    "a waiver invented": (
        lambda f: {**f, "waivers.json": b"[{}]\n"},
        "waivers.json does not say what the log and the results say",
    ),
    "a content hash changed": (
        lambda f: edited(f, "version.json", lambda version: version["tables"]["dim_dates"].update(rows=1)),
        "version.json does not say what the log and the results say",
    ),
    "another date": (
        lambda f: edited(f, "manifest.json", lambda manifest: manifest.update(business_date="2026-06-29")),
        "log.jsonl: its last entry is not the publish that manifest.json names",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_under_a_manifest_that_fits_is_found_and_named(packed: Path, tmp_path: Path, forgery: str):
    forge, said = FORGERIES[forgery]
    done = verify(packed, zipped(forged(forge(unpacked(packed))), tmp_path / "pack.zip"))
    assert any(line.startswith(said) for line in refused(done)), done.stdout


def test_what_cannot_be_read_as_a_pack_is_said_in_a_sentence(packed: Path, tmp_path: Path):
    files, place = unpacked(packed), tmp_path / "pack.zip"
    place.write_bytes(packed.read_bytes()[:-100])
    assert "cannot be read as a pack" in refused(verify(packed, place))[0]
    content = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as pack:
        start = pack.getinfo("lineage.json").header_offset
    content[start + 200] ^= 255
    place.write_bytes(content)
    assert "lineage.json cannot be read" in refused(verify(packed, place))[0]
    assert "manifest.json is missing" in refused(verify(packed, zipped({"verify.py": b""}, place)))[0]
    assert "extra.txt is in the pack and not in its manifest" in refused(
        verify(packed, zipped({**files, "extra.txt": b"x"}, place))
    )
    assert any(
        line.startswith("log.jsonl: one chain") or "log.jsonl" in line
        for line in refused(verify(packed, zipped(forged({**files, "log.jsonl": b"{]\n"}), place)))
    )
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(zipped(files, place), "a") as pack:
        pack.writestr("log.jsonl", b"")
    assert "log.jsonl cannot be read: it is in the pack twice" in refused(verify(packed, place))


def test_the_same_evidence_packs_to_the_same_bytes_on_any_night_and_in_any_place(
    reference_run: Run, packed: Path, tmp_path: Path
):
    elsewhere = copy_of(reference_run, tmp_path / "home")
    log.append(elsewhere, "rolled_back", {"from": "a", "to": "b", "reason": "a later night"})
    assert pack_evidence(elsewhere, LAST).read_bytes() == packed.read_bytes()


def test_no_customer_is_in_the_pack(packed: Path, everything: dict):
    """Names, phones, ids, addresses: every personal value that the bank ever sent."""
    said = b"\n".join(unpacked(packed).values()).decode("utf-8")
    values = {("customer_id", value) for value in everything["core.customers"]["customer_id"]}
    for name, (_, declared) in EXTRACTS.items():
        for column, attributes in declared["columns"].items():
            if attributes.get("personal"):
                values |= {
                    (f"{name}.{column}", value) for value in everything[name][column] if value and len(value) > 3
                }
    names = {value for value in everything["core.customers"]["customer_name"] if len(value) > 1}
    assert len(values) > 1000 and len(names) > 200
    assert [(where, value) for where, value in values if value in said] == []
    assert [value for value in names if value in said] == []


def test_the_tables_of_the_pack_are_for_people(packed: Path, reference_run: Run):
    files = unpacked(packed)
    landing, mart = (reference_run.summary["results"][f"{gate}_gate"] for gate in ("landing", "mart"))
    assert files["rules.csv"].decode().count("\n") == 1 + landing["planned"] + mart["planned"]
    assert "数据" in files["rules.csv"].decode() and "证据包" in files["README.txt"].decode()
    assert files["rows.csv"].decode().count("\n") == 1 + len(landing["batches"])
    version = json.loads(files["version.json"])
    assert version["tables"] == reference_run.summary["results"]["publish"]["tables"]


def test_a_date_that_was_never_published_is_one_sentence(reference_run: Run, tmp_path: Path):
    with pytest.raises(SettingsError) as refused:
        pack_evidence(reference_run.settings, date(2026, 6, 29), tmp_path / "pack.zip")
    assert str(refused.value) == (
        "reference_bank never published business date 2026-06-29: published are 2026-06-30 to 2026-06-30, 1 dates"
    )
    assert not (tmp_path / "pack.zip").exists()
    with pytest.raises(SettingsError, match="nothing was published yet"):
        pack_evidence(settings_in(tmp_path / "empty"), LAST)


def test_evidence_that_does_not_fit_is_not_packed(reference_run: Run, tmp_path: Path):
    settings = copy_of(reference_run, tmp_path / "home")
    gate = settings.run_folder("reference") / "mart_gate.json"
    gate.write_bytes(gate.read_bytes().replace(b'"passed"', b'"failed"', 1))
    with pytest.raises(EvidenceBroken, match="reference/mart_gate.json is not what entry 2 of the log vouches for"):
        pack_evidence(settings, LAST)
    assert find_changed_run(settings, log.read_entries(settings))[2].startswith(
        "evidence/runs/reference/mart_gate.json"
    )
    lines = (settings.evidence / "log.jsonl").read_bytes()
    (settings.evidence / "log.jsonl").write_bytes(lines.replace(b"reference_bank", b"another_bank", 1))
    with pytest.raises(EvidenceBroken, match="entry 1 was changed"):
        pack_evidence(settings, LAST)
