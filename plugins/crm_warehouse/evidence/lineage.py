"""What each published column means and is worked out of, as it was when the version was built.

It depends on code and bank alone, not on the night, so it is kept once for all nights of a version of the code
(`evidence/kept.py`); the run's `build.json` names it. No SQL and no value is in it, only names and digests.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from crm_warehouse.evidence import kept
from crm_warehouse.files import read_json
from crm_warehouse.publish.candidate import marts_of
from crm_warehouse.settings import Settings

LANDED = re.compile(r"/([^/']+)/([^/']+)/business_date=")
QUOTED = re.compile(r"'(\w+)'")


def keep_lineage(settings: Settings, manifest: Path) -> str:
    """Keep the lineage of a build; its sha256."""
    nodes = read_json(manifest)["nodes"]
    content = {"marts": _marts(manifest), "models": _models(nodes)}
    return kept.keep(settings, json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8"))


def read_lineage(settings: Settings, sha256: str) -> dict:
    """`marts`: description, zh, grain and columns of each; `models`: what each model and policy file needs and reads."""
    return json.loads(kept.read(settings, sha256))


def models_behind(lineage: dict, mart: str) -> list[str]:
    """The mart and all that it is worked out of, nearest first."""
    found, todo = [], [mart]
    while todo:
        name = todo.pop(0)
        if name not in found:
            found.append(name)
            todo += lineage["models"][name]["needs"]
    return found


def verdicts_of_tests(manifest: Path) -> list[dict]:
    """Each dbt test of the build: the models it looks at, its column if it has one, its verdict and the rows against it."""
    nodes = read_json(manifest)["nodes"]
    results = read_json(manifest.with_name("run_results.json"))["results"]
    return sorted(
        (
            {
                "test": nodes[result["unique_id"]]["name"],
                "models": sorted(nodes[need]["name"] for need in nodes[result["unique_id"]]["depends_on"]["nodes"]),
                "column": nodes[result["unique_id"]].get("column_name"),
                "status": result["status"],
                "failures": result["failures"],
            }
            for result in results
            if result["unique_id"].startswith("test.")
        ),
        key=lambda test: test["test"],
    )


def _marts(manifest: Path) -> dict[str, dict]:
    return {
        name: {
            "description": node["description"],
            "zh": node["config"]["meta"]["zh"],
            "grain": node["config"]["meta"]["grain"],
            "columns": {
                column: {
                    "description": body["description"],
                    "type": body["data_type"],
                    **{key: body["config"]["meta"].get(key, "") for key in ("zh", "unit", "formula")},
                }
                for column, body in node["columns"].items()
            },
        }
        for name, node in marts_of(manifest).items()
    }


def _models(nodes: dict[str, dict]) -> dict[str, dict]:
    models = {}
    for node in nodes.values():
        if node["resource_type"] not in ("model", "seed"):
            continue
        sql = node.get("compiled_code") or ""
        models[node["name"]] = {
            "kind": "policy" if node["resource_type"] == "seed" else node["config"]["schema"],
            "file": f"dbt_project/{node['original_file_path']}",
            "needs": [nodes[need]["name"] for need in node.get("depends_on", {}).get("nodes", []) if need in nodes],
            "landing": sorted({"__".join(pair) for pair in LANDED.findall(sql)}),
            # Words in quotes: the policy parameters that the model asks for are among them.
            "words": sorted(set(QUOTED.findall(sql))),
        }
    return models
