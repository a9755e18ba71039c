"""Where a build's time goes: by kind of node, the slowest models and tests, and the SQL alone without dbt around it."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from pathlib import Path

from crm_warehouse.files import read_json
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings

MOST_LISTED = 10


def profile_build(target: Path) -> dict:
    """From dbt's manifest and results: seconds by kind of node and by area of the models, the ten slowest models and tests."""
    nodes = read_json(target / "manifest.json")["nodes"]
    results = read_json(target / "run_results.json")
    seconds: dict[str, list[float]] = defaultdict(list)
    areas: dict[str, float] = defaultdict(float)
    by_type: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for result in results["results"]:
        node = nodes[result["unique_id"]]
        kind = node["resource_type"]
        layer = f"{node['config']['schema']} {node['config']['materialized']}s" if kind == "model" else f"{kind}s"
        seconds[layer].append(result["execution_time"])
        if kind == "model":
            areas[" ".join(node["fqn"][1:-1])] += result["execution_time"]
        by_type[kind].append((round(result["execution_time"], 2), node["name"]))
    return {
        "nodes_seconds": round(results["elapsed_time"], 2),
        "kinds": {
            kind: {
                "nodes": len(times),
                "seconds": round(sum(times), 1),
                "median_ms": round(1000 * statistics.median(times)),
            }
            for kind, times in sorted(seconds.items(), key=lambda pair: -sum(pair[1]))
        },
        "areas": {area: round(took, 1) for area, took in sorted(areas.items(), key=lambda pair: -pair[1])},
        "slowest_models": sorted(by_type["model"], reverse=True)[:MOST_LISTED],
        "slowest_tests": sorted(by_type["test"], reverse=True)[:MOST_LISTED],
    }


def run_sql_alone(settings: Settings) -> dict:
    """Every model's compiled SQL of the last build, once, in memory and one after the other: what is left without dbt and disk."""
    models = CompiledModels(settings.warehouse / "dbt" / "manifest.json")
    given: list[str] = []
    times = []
    with models.scratch() as connection:
        connection.execute("set threads = 2; set preserve_insertion_order = false; set TimeZone = 'UTC'")
        for model in models.order(list(models.by_name), ()):
            began, worked = time.perf_counter(), time.process_time()
            models.run(connection, [model.name], given)
            seconds, of_processor = time.perf_counter() - began, time.process_time() - worked
            times.append((round(of_processor, 2), round(seconds, 2), model.name))
            given.append(model.name)
    return {
        "statements": len(times),
        "sql_seconds": round(sum(seconds for _, seconds, _ in times), 2),
        "sql_cpu_seconds": round(sum(of_processor for of_processor, *_ in times), 2),
        "slowest": sorted(times, reverse=True)[:MOST_LISTED],  # processor seconds, seconds by the clock, model
    }
