"""The contract with whoever reads what is published: marts, columns and types, committed as `dbt_project/contract.json`.

It is written by `make contract` from the models' YAML, which dbt enforces. What BI reads may grow at any time; a mart or column
that goes or changes its type breaks somebody's report, and needs a line in CHANGELOG (Unreleased, breaking: yes) and a
raised `version` in dbt_project.yml: the first number, or the second while the first is 0.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from crm_warehouse.files import json_text, read_json
from crm_warehouse.settings import PROJECT


def contract_path(project: Path) -> Path:
    return project / "dbt_project" / "contract.json"


def read_models(project: Path) -> dict:
    """The contract as the models' YAML says it now: `{"version", "marts": {mart: {column: type}}}`."""
    dbt = project / "dbt_project"
    marts = {}
    for file in sorted((dbt / "models" / "marts").rglob("*.yml")):
        for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models", []):
            marts[model["name"]] = {column["name"]: column["data_type"] for column in model["columns"]}
    version = yaml.safe_load((dbt / "dbt_project.yml").read_text(encoding="utf-8"))["version"]
    return {"version": version, "marts": marts}


def breaks(old: dict, new: dict) -> list[tuple[str, str | None, str]]:
    """`(mart, column, what)` of everything that a reader of `old` misses in `new`; the column is None for a whole mart."""
    found = []
    for mart, columns in old["marts"].items():
        if mart not in new["marts"]:
            found.append((mart, None, "is gone"))
            continue
        for column, type_ in columns.items():
            now = new["marts"][mart].get(column)
            if now != type_:
                found.append((mart, column, f"is {now}, was {type_}" if now else "is gone"))
    return found


def unexcused(old: dict, new: dict, changelog: str) -> list[str]:
    """A sentence for each break that CHANGELOG does not announce, and one when the version does not say it either."""
    broken = breaks(old, new)
    announced = _announced(changelog)
    sentences = [
        f"{mart}{f'.{column}' if column else ''} {what}: readers break; give it a line under Unreleased in CHANGELOG.md"
        f" ({f'| `{mart}` | `{column}` |' if column else f'| `{mart}` | all |'} old | new | yes |)"
        for mart, column, what in broken
        if (mart, column or "all") not in announced
    ]
    if broken and not _is_raised(old["version"], new["version"]):
        sentences.append(
            f"the contract breaks and its version is still {new['version']} (was {old['version']}): raise `version` in"
            " dbt_project/dbt_project.yml"
        )
    return sentences


def problems(project: Path) -> list[str]:
    """Why the committed contract is not what the models publish; nothing when it is."""
    old, new = read_json(contract_path(project)), read_models(project)
    sentences = unexcused(old, new, (project / "CHANGELOG.md").read_text(encoding="utf-8"))
    if old != new:
        sentences.append("dbt_project/contract.json is not what the models publish: run `make contract` and commit it")
    return sentences


def write(project: Path) -> list[str]:
    """Write the contract anew unless it breaks without a word; returns the sentences that keep it from being written."""
    new, path = read_models(project), contract_path(project)
    if path.is_file():
        changelog = (project / "CHANGELOG.md").read_text(encoding="utf-8")
        if sentences := unexcused(read_json(path), new, changelog):
            return sentences
    path.write_text(json_text(new), encoding="utf-8")
    return []


def _announced(changelog: str) -> set[tuple[str, str]]:
    """`(mart, column)` of each table row under Unreleased that says breaking: yes."""
    unreleased = re.split(r"^## ", changelog, flags=re.MULTILINE)
    section = next((part for part in unreleased if part.startswith("Unreleased")), "")
    found = set()
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and cells[4] == "yes":
            columns = re.findall(r"`(\w+)`", cells[1]) or ([cells[1]] if cells[1] == "all" else [])
            found |= {(mart, column) for mart in re.findall(r"`(\w+)`", cells[0]) for column in columns}
    return found


def _is_raised(old: str, new: str) -> bool:
    """Whether a reader can see from the version that it breaks."""
    before, now = ([int(part) for part in version.split(".")] for version in (old, new))
    return now[0] > before[0] or (now[0] == before[0] == 0 and now[1] > before[1])


if __name__ == "__main__":
    if refused := write(PROJECT):
        sys.exit("\n".join(refused))
