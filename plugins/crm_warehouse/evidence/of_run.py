"""What is on record of a run: its end in the log, and the results that the log vouches for."""

from __future__ import annotations

from crm_warehouse.errors import EvidenceBroken, SettingsError
from crm_warehouse.evidence import log
from crm_warehouse.files import read_json, sha256_of
from crm_warehouse.settings import Settings


def whole_log(settings: Settings) -> list[dict]:
    """Every entry. Raises EvidenceBroken when the log is not whole."""
    if problem := log.verify(settings):
        raise EvidenceBroken(f"evidence/log.jsonl: {problem}")
    return log.read_entries(settings)


def end_of_run(entries: list[dict], bank: str, run_id: str) -> dict:
    """The entry with which a run ended that published or left the live version as it was."""
    for entry in reversed(entries):
        body = entry["body"]
        if entry["event"] == "run_finished" and (body["bank"], body["run_id"]) == (bank, run_id):
            return entry
    raise SettingsError(
        f"the evidence log has no end of run {run_id}: it was killed before that; run again, then ask again"
    )


def proven_results(settings: Settings, entry: dict) -> dict[str, dict]:
    """The results of the run that `entry` ended, by step, each the file whose sha256 the log has.

    Raises EvidenceBroken in one sentence that names the first that is gone or another.
    """
    body = entry["body"]
    if "results_sha256" not in body:
        raise SettingsError(
            f"run {body['run_id']} is of an earlier version of this program, which did not record what is asked for: run again"
        )
    folder, results = settings.run_folder(body["run_id"]), {}
    if changed := changed_results(settings, entry):
        raise EvidenceBroken(
            f"evidence/runs/{folder.name}/{changed[0]}.json is not what entry {entry['sequence']} of the log vouches for: it was"
            " changed or removed, or the run was started again since; restore it from a backup"
        )
    for step in body["results_sha256"]:
        results[step] = read_json(folder / f"{step}.json")
    return results


def changed_results(settings: Settings, entry: dict) -> list[str]:
    """Steps of the run that `entry` ended whose results are gone or not as they were then."""
    folder = settings.run_folder(entry["body"]["run_id"])
    recorded = entry["body"].get("results_sha256", {}).items()
    return [
        step
        for step, sha256 in recorded
        if not (folder / f"{step}.json").is_file() or sha256_of(folder / f"{step}.json") != sha256
    ]


def find_changed_run(settings: Settings, entries: list[dict]) -> tuple[int, int, str | None]:
    """(runs whose results are as recorded, runs started again since, a sentence on the first whose results were changed).

    A run that was started again has another plan; what it left before is gone, and the log alone tells of it.
    """
    ends = {entry["body"]["run_id"]: entry for entry in entries if entry["event"] == "run_finished"}
    whole = again = 0
    for run_id, entry in ends.items():
        changed = changed_results(settings, entry)
        plan = settings.run_folder(run_id) / "plan.json"
        if not changed:
            whole += 1
        elif "plan" in changed and plan.is_file() and read_json(plan)["run_id"] == run_id:
            again += 1
        else:
            return (
                whole,
                again,
                (
                    f"evidence/runs/{settings.run_folder(run_id).name}/{changed[0]}.json is not what entry {entry['sequence']} of the"
                    " log vouches for: it was changed or removed"
                ),
            )
    return whole, again, None
