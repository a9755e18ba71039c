"""Verify an evidence pack, offline, with nothing but Python's standard library (3.9 or newer).

    python -I verify.py [PACK.zip or folder]      without an argument: the folder that this script lies in
    python -I verify.py PACK.zip --head 214:9f86d081...      also compare with an entry number and hash you were given before

Says `whole` and exits with 0, or names everything that is wrong and exits with 1. The pack cannot vouch for itself: whoever makes
all of it anew can make it fit. What ties it down is the hash of its last log entry, which this script prints: compare it with
one that you noted or were given at the time (--head). Take this script from a source that you trust.
"""

import csv
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

GENESIS = "0" * 64
RULE_COLUMNS = (
    *(
        "gate",
        "id",
        "table",
        "name_en",
        "name_zh",
        "reason",
        "severity",
        "dimension",
        "owner",
        "on_failure",
        "principle",
    ),
    *("may_be_waived", "status", "table_rows", "failed_rows", "waiver_number", "waived_by", "waived_until"),
)
ROW_COLUMNS = (
    *("table", "business_date", "batch", "file", "rows_read", "rows_loaded", "rows_quarantined", "rows_rejected"),
    *("rows_discarded", "sha256"),
)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def hash_of_entry(entry):
    """As the log is written: sha256 over the hash before and the entry without both hashes, keys in order."""
    body = {name: value for name, value in entry.items() if name not in ("hash", "previous")}
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256((entry["previous"] + canonical).encode("utf-8"))


def rules_csv(landing_gate, mart_gate):
    """The rule catalogue with the run's verdicts, as a table."""
    rows = []
    for gate in (landing_gate, mart_gate):
        for result in gate["results"]:
            waiver = result.get("waiver") or {}
            verdict = {name: result[name] for name in ("status", "table_rows", "failed_rows")}
            by = {"waiver_number": waiver.get("number"), "waived_by": waiver.get("approved_by")}
            rows.append(
                {"gate": gate["gate"], **result["rule"], **verdict, **by, "waived_until": waiver.get("expires_on")}
            )
    return as_csv(RULE_COLUMNS, rows)


def rows_csv(landing_gate):
    """Rows of each file of the run: read = loaded + quarantined + rejected (what a person discarded is among the rejected)."""
    return as_csv(ROW_COLUMNS, landing_gate["batches"])


def waivers_of(entries, bank):
    """What was asked, approved and revoked of the bank's rules, as the log has it."""
    return [
        {"event": entry["event"], "at": entry["at"], "entry": entry["sequence"], **entry["body"]}
        for entry in entries
        if entry["event"].startswith("waiver_") and entry["body"].get("bank") == bank
    ]


def version_of(entry):
    """The published version as its run put it on record: content hashes of every table, sha256 of the file."""
    body = entry["body"]
    own = {name: body[name] for name in ("bank", "run_id", "code_sha256")}
    return {**own, "business_date": body["business_dates"][-1], **body["published"], **body["audited"]}


def as_csv(columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def as_json(body):
    return (json.dumps(body, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")


def read_pack(place):
    """`{name: content}`; content is an exception where a file cannot be read."""
    if place.is_dir():
        return {
            str(file.relative_to(place).as_posix()): file.read_bytes() for file in place.rglob("*") if file.is_file()
        }
    found = {}
    with zipfile.ZipFile(place) as pack:
        for name in pack.namelist():
            if name in found:
                found[name] = ValueError("it is in the pack twice")
                continue
            try:
                found[name] = pack.read(name)
            except Exception as problem:  # a damaged member, whatever zipfile makes of it
                found[name] = problem
    return found


def problems_of(files, noted=None):
    """Sentences of what is wrong, none when the pack is whole."""
    found = [f"{name} cannot be read: {content}" for name, content in files.items() if isinstance(content, Exception)]
    if found:
        return found
    try:
        manifest = json.loads(files["manifest.json"])
        listed = manifest["files"]
    except Exception:
        return ["manifest.json is missing or is no manifest: nothing can be verified"]
    found += [f"{name} is missing" for name in listed if name not in files]
    found += [
        f"{name} is in the pack and not in its manifest" for name in files if name not in (*listed, "manifest.json")
    ]
    found += [f"{name} was changed" for name in listed if name in files and sha256(files[name]) != listed[name]]
    for check in (check_log, check_run, check_code, check_tables):
        try:
            found += check(files, manifest)
        except Exception as problem:  # what was changed so that it cannot be read as what it is
            found.append(f"{check.__doc__.split(':')[0]} cannot be verified: {type(problem).__name__} {problem}")
    last = manifest.get("entry", {})
    if noted and noted != f"{last.get('sequence')}:{last.get('hash')}":
        found.append(
            f"the pack ends with entry {last.get('sequence')}:{last.get('hash')}, not with the one you noted, {noted}"
        )
    return found


def read_entries(files):
    return [json.loads(line) for line in files["log.jsonl"].decode("utf-8").splitlines()]


def check_log(files, manifest):
    """log.jsonl: one chain from the first entry to the one with which the run ended, the one that was anchored."""
    previous = GENESIS
    entries = read_entries(files)
    for number, entry in enumerate(entries, start=1):
        if entry.get("sequence") != number:
            return [
                f"log.jsonl: entry {number} says it is number {entry.get('sequence')}: one was removed, added or moved"
            ]
        if entry.get("previous") != previous:
            return [f"log.jsonl: entry {number} does not follow entry {number - 1}"]
        if entry.get("hash") != hash_of_entry(entry):
            return [f"log.jsonl: entry {number} was changed: its hash does not fit its content"]
        previous = entry["hash"]
    last = {"sequence": len(entries), "hash": previous}
    found = []
    if manifest["entry"] != last:
        found.append(f"log.jsonl: it ends with entry {last['sequence']}, {previous}, not with the one of manifest.json")
    if json.loads(files["anchored_head.json"]) != last:
        found.append(f"anchored_head.json: entry {last['sequence']} of the log is not the one that was anchored")
    return found


def check_run(files, manifest):
    """run/: the results are those that the last entry vouches for, and both gates were open."""
    entry = read_entries(files)[-1]
    body, found = entry["body"], []
    if (entry["event"], body["outcome"], body["bank"], body["run_id"], body["business_dates"][-1]) != (
        "run_finished",
        "published",
        *(manifest[name] for name in ("bank", "run_id", "business_date")),
    ):
        found.append("log.jsonl: its last entry is not the publish that manifest.json names")
    for step, digest in body["results_sha256"].items():
        if sha256(files.get(f"run/{step}.json", b"")) != digest:
            found.append(f"run/{step}.json is not the result that entry {entry['sequence']} of the log vouches for")
    build = json.loads(files["run/build.json"])
    if sha256(json.dumps(build["inputs"], sort_keys=True).encode("utf-8")) != body["inputs_sha256"]:
        found.append("run/build.json: its inputs are not those that the log vouches for")
    if json.loads(files["run/mart_gate.json"])["audited"] != body["audited"]:
        found.append("run/mart_gate.json: what it audited is not what the log says was published")
    for name in ("landing_gate", "mart_gate"):
        gate = json.loads(files[f"run/{name}.json"])
        run = [result for result in gate["results"] if result["status"] != "error"]
        shut = [r["rule"]["id"] for r in run if r["status"] == "failed" and r["rule"]["severity"] == "block"]
        if not gate["is_open"] or shut or not 0 < gate["planned"] == gate["run"] == len(run) == len(gate["results"]):
            found.append(f"run/{name}.json: the gate was not open, or not all of its rules were run {shut}")
    return found


def check_code(files, manifest):
    """code.txt, policy/ and lineage.json: the version of the code, its policy files, and what figures were made of."""
    body, found = read_entries(files)[-1]["body"], []
    if sha256(files["code.txt"]) != body["code_sha256"]:
        found.append("code.txt is not the list of the code that the log vouches for")
    code = dict(line.split("\0") for line in files["code.txt"].decode("utf-8").splitlines())
    folder = f"dbt_project/banks/{manifest['bank']}/policy/"
    policy = {path[len(folder) :]: digest for path, digest in code.items() if path.startswith(folder)}
    for name, digest in policy.items():
        if sha256(files.get(f"policy/{name}", b"")) != digest:
            found.append(f"policy/{name} is not the file that was in force in this version of the code")
    found += [
        f"{name} is no policy file of this version"
        for name in files
        if name.startswith("policy/") and name[7:] not in policy
    ]
    if sha256(files["lineage.json"]) != json.loads(files["run/build.json"])["lineage_sha256"]:
        found.append("lineage.json is not the lineage of the build")
    return found


def check_tables(files, manifest):
    """rules.csv, rows.csv, waivers.json and version.json: they say what the log and the results say."""
    entries = read_entries(files)
    landing, mart = (json.loads(files[f"run/{name}_gate.json"]) for name in ("landing", "mart"))
    made = {
        "rules.csv": rules_csv(landing, mart),
        "rows.csv": rows_csv(landing),
        "waivers.json": as_json(waivers_of(entries, manifest["bank"])),
        "version.json": as_json(version_of(entries[-1])),
    }
    found = [f"{name} does not say what the log and the results say" for name in made if files.get(name) != made[name]]
    for batch in landing["batches"]:
        if batch["rows_read"] != batch["rows_loaded"] + batch["rows_quarantined"] + batch["rows_rejected"]:
            found.append(
                f"rows.csv: {batch['table']} of {batch['business_date']} has rows that were neither loaded nor set aside"
            )
    return found


def main(arguments):
    noted = None
    if "--head" in arguments:
        at = arguments.index("--head")
        noted = "".join(arguments[at + 1 : at + 2])
        arguments = arguments[:at] + arguments[at + 2 :]
    place = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        files = read_pack(place)
    except Exception as problem:
        print(f"NOT WHOLE: {place} cannot be read as a pack: {problem}")
        return 1
    found = problems_of(files, noted)
    for problem in found:
        print(f"NOT WHOLE: {problem}")
    if found:
        return 1
    manifest = json.loads(files["manifest.json"])
    print(f"whole: {manifest['bank']}, business date {manifest['business_date']}, version {manifest['version']}")
    print(f"it ends with log entry {manifest['entry']['sequence']}:{manifest['entry']['hash']}")
    print(
        "compare that with the entry you noted or were given at the time: only then nobody can have made all of it anew"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
