"""Great Expectations' Data Docs of both gates, as GX renders them, within pages of ours.

GX's own page loads a dozen scripts and stylesheets from the network and a logo that counts its readers. Its sections, what
each expectation is and what was observed, are taken; the page around them is the report's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from crm_warehouse.files import read_json, write_json

# GX tells a verdict by an icon alone.
_VERDICTS = {"fa-check-circle": "met", "fa-times": "not met", "fa-exclamation-triangle": "not evaluated"}


def keep_data_docs(run_folder: Path, gate: str, validations: Sequence) -> None:
    """Keep in the run's folder what the report will show of the suites of `landing_gate` or `mart_gate`."""
    write_json(_path(run_folder, gate), render_data_docs(validations))


def read_data_docs(run_folder: Path, gate: str) -> dict[str, dict]:
    """What was kept; nothing of a run of before 2026-12."""
    path = _path(run_folder, gate)
    return read_json(path) if path.is_file() else {}


def _path(run_folder: Path, gate: str) -> Path:
    return run_folder / f"{gate}_data_docs.json"


def render_data_docs(validations: Sequence) -> dict[str, dict]:
    """`{suite: {html, evaluated, successful}}` of GX's validation results."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaSectionView

    renderer, view = ValidationResultsPageRenderer(), DefaultJinjaSectionView()
    docs = {}
    for validation in validations:
        for result in validation.results:
            result.result = _without_values(result.expectation_config.type, result.result)
        # The first section repeats the suite's counts, with links to pages that are not there.
        sections = renderer.render(validation).to_json_dict()["sections"][1:]
        html = "\n".join(
            view.render({"section": section, "section_loop": {"index": number}})
            for number, section in enumerate(sections, 1)
        )
        docs[validation.suite_name] = {
            "html": _calm(html),
            "evaluated": validation.statistics["evaluated_expectations"],
            "successful": validation.statistics["successful_expectations"],
        }
    return docs


def _without_values(kind: str, result: dict) -> dict:
    """What was observed, as far as it is counts or the names of columns: a column's values may be what must not be seen."""
    observed = result.get("observed_value")
    counts = {name: value for name, value in result.items() if isinstance(value, (int, float))}
    is_told = isinstance(observed, (int, float)) or kind.startswith("expect_table_")
    return counts | ({"observed_value": observed} if is_told and observed is not None else {})


def _calm(html: str) -> str:
    """Without scripts, links that lead nowhere and the white space of GX's templates; verdicts in words too."""
    html = re.sub(r"<script\b.*?</script>", "", html, flags=re.DOTALL)
    html = re.sub(r"<a\b[^>]*>(.*?)</a>", r"\1", html, flags=re.DOTALL)
    for icon, word in _VERDICTS.items():
        html = re.sub(rf"(<i [^>]*{icon}[^>]*>\s*</i>)", rf"\1 {word}", html)
    return re.sub(r"\s*\n\s*", "\n", html)
