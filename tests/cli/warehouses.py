"""Homes that share a finished warehouse, for commands that only read it; and one that was built with another ladder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import duckdb
from conftest import Run, settings_in

from crm_warehouse.build import last_build
from crm_warehouse.profile import load_profile
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings
from crm_warehouse.what_if.compare import GIVEN, MARTS
from crm_warehouse.what_if.ladders import candidate_ladder


def home_of(run: Run, home: Path) -> Settings:
    """A home whose warehouse, landing and key are those of a finished run; what is written goes elsewhere."""
    home.mkdir(parents=True)
    for folder in ("warehouse", "landing", "secrets", "published"):
        (home / folder).symlink_to(run.settings.home / folder)
    return settings_in(home, source_root=run.settings.source_root)


def home_built_with(run: Run, home: Path, ladder: str) -> Settings:
    """The same with a warehouse of its own, in which another ladder is the active one."""
    settings = home_of(run, home)
    (home / "warehouse").unlink()
    shutil.copytree(run.settings.home / "warehouse", home / "warehouse")
    with last_build(settings) as (database, manifest), tempfile.TemporaryDirectory() as seeds:
        models = CompiledModels(manifest)
        candidate_ladder(load_profile(settings), ladder, []).write_seeds(Path(seeds))
        models.read_seeds_from(Path(seeds))
        with duckdb.connect(str(database)) as connection:
            models.run(connection, [*MARTS, "dim_tier_policies"], [*GIVEN, "int_beliefs"])
    return settings
