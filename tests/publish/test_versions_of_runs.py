"""A mart that tells of runs is published with the others, and is no reason to publish."""

from __future__ import annotations

from pathlib import Path

from candidates import candidate_of, publish
from conftest import settings_in

from crm_warehouse.publish import versions


def test_what_tells_of_runs_alone_is_no_reason_to_publish_but_a_new_mart_is(tmp_path: Path):
    home = settings_in(tmp_path)
    first = publish(home, 1)
    file, audited = candidate_of(home, 1, "a_later_run")
    of_runs = {"rows": 9, "content_hash": "another", "tells_of_runs": True}
    with_history = {**audited, "tables": {**audited["tables"], "runs": of_runs}}
    live = versions.publish(home, file, with_history, versions.take_lease(home), False)
    assert live["run_id"] == "a_later_run", "a mart that was not there before"
    assert versions.tables_of_the_bank(live) == first["tables"]
    later = {**with_history, "run_id": "later_still"}
    later["tables"] = {**audited["tables"], "runs": {**of_runs, "rows": 12}}
    assert versions.publish(home, file, later, versions.take_lease(home), False) == live
