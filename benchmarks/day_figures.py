"""What a timed day comes to: its ratios to the goals, and the chart of all sizes."""

from __future__ import annotations

from crm_warehouse.drawing import as_svg, axes_of_a_figure


def goals_of(result: dict, most_ms: float) -> list[dict]:
    """Each goal with what was found. Ratios are of seconds by the clock; of processor seconds too, which other work disturbs less.

    The floor covers some marts: what the build of all marts takes of it says how far there is to go at most, what dbt takes
    for the same marts says how far the same rows are off.
    """
    phases, beside = result["phases"], result["beside"]
    floor, build = beside["floor"], phases["build"]
    day = {unit: sum(phase[unit] for phase in phases.values()) for unit in ("seconds", "cpu_seconds")}
    gates = {unit: phases["landing_gate"][unit] + phases["mart_gate"][unit] for unit in ("seconds", "cpu_seconds")}
    goals = [
        _ratio("build <= 1.5 x floor (build of all marts, floor of its own)", build, floor, 1.5),
        _ratio("whole day <= 3 x floor (day of all marts, floor of its own)", day, floor, 3),
        _ratio("gates <= 0.3 x build", gates, build, 0.3),
        _most("peak of the largest process <= 8 GiB", max(phase["peak_gib"] for phase in phases.values()), 8),
    ]
    if "core" in beside:
        goals.insert(1, _ratio("the same marts through dbt, without tests <= 1.5 x floor", beside["core"], floor, 1.5))
    if "dashboards" in beside:
        goals.append(_most(f"dashboards p95 <= {most_ms} ms", beside["dashboards"]["p95_ms"], most_ms))
    if "airflow" in result:
        overhead = round(result["airflow"]["seconds"] - day["seconds"], 1)
        goals.append(_most("Airflow's overhead <= 30 s (its run less the phases)", overhead, 30))
    return goals


def _ratio(goal: str, of: dict, to: dict, most: float) -> dict:
    found = round(of["seconds"] / to["seconds"], 2)
    of_processor = round(of["cpu_seconds"] / to["cpu_seconds"], 2)
    return {"goal": goal, "most": most, "found": found, "found_of_processor": of_processor, "is_met": found <= most}


def _most(goal: str, found: float, most: float) -> dict:
    return {"goal": goal, "most": most, "found": found, "is_met": found <= most}


def draw(results: list[dict]) -> str:
    """The phases of the last timed day of each size, one on the other, and the floor beside them."""
    last = {result["customers"]: result for result in results}
    sizes = sorted(last)
    figure, axes = axes_of_a_figure(size=(7, 3.8))
    left = dict.fromkeys(sizes, 0.0)
    for phase in last[sizes[0]]["phases"]:
        seconds = [last[size]["phases"][phase]["seconds"] for size in sizes]
        positions = [place - 0.2 for place in range(len(sizes))]
        axes.barh(positions, seconds, 0.36, left=[left[size] for size in sizes], label=phase.replace("_", " "))
        left = {size: left[size] + more for size, more in zip(sizes, seconds, strict=True)}
    floors = [last[size]["beside"]["floor"]["seconds"] for size in sizes]
    axes.barh([place + 0.2 for place in range(len(sizes))], floors, 0.36, color="black", label="floor (core marts)")
    axes.set_yticks(range(len(sizes)), [f"{size:,} customers" for size in sizes])
    axes.invert_yaxis()
    axes.set_xlabel("seconds of one more business day")
    axes.legend(fontsize=8, ncols=2)
    return as_svg(figure)
