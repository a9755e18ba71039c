"""The verbs `corrupt` and `redeliver`: what was asked for, done, and said in a sentence."""

from __future__ import annotations

from datetime import date

from rich.console import Console
from rich.markup import escape

from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.profile import load_profile
from crm_warehouse.settings import Settings
from crm_warehouse.simulator.corruption import aside, redelivery
from crm_warehouse.simulator.corruption.damage import corrupt, find_extract, simulated_extracts
from crm_warehouse.simulator.corruption.listing import table_of_kinds

EXPECTED = {
    "block": "the run should stop",
    "quarantine": "bad rows should be set aside, or the run stop where they are many or carry money",
    "warn": "the run should go on with a warning",
    "accept": "the run should go on as if nothing were wrong",
}


def way_asked_for(in_transit: bool, at_source: bool) -> str | None:
    if in_transit and at_source:
        raise CorruptionRefused("give --in-transit or --at-source, not both")
    return "transit" if in_transit else "source" if at_source else None


def action_asked_for(**asked: bool) -> str:
    """The one action that is true; CorruptionRefused when it is none or several."""
    actions = [name for name, is_asked in asked.items() if is_asked]
    if len(actions) != 1:
        raise CorruptionRefused(f"give one of {', '.join('--' + name for name in asked)}")
    return actions[0]


def show_kinds(console: Console) -> None:
    console.print(table_of_kinds())


def corrupt_delivery(
    settings: Settings,
    console: Console,
    kind: str | None,
    business_date: date | None,
    table: str | None,
    magnitude: float | None,
    seed: int,
    way: str | None,
) -> None:
    if kind is None or business_date is None:
        raise CorruptionRefused("give --kind and --date, or --list to see the kinds, or --undo")
    extracts = simulated_extracts(load_profile(settings))
    done = corrupt(extracts, settings.source_root, kind, business_date, table, magnitude, seed, way)
    console.print(
        f"[green]corrupted:[/] {done.table} of {done.business_date} {done.way}: {escape(done.kind.description_en)}."
        f" Changed: {', '.join(done.files)}. Expected: {done.expected}, {EXPECTED[done.expected]}."
        " `crm-warehouse corrupt --undo` takes it back.",
        highlight=False,
        soft_wrap=True,
    )


def undo(settings: Settings, console: Console) -> None:
    simulated_extracts(load_profile(settings))
    for done in aside.restore(settings.source_root):
        console.print(f"[green]undone:[/] {escape(done)}", highlight=False, soft_wrap=True)


def redeliver(
    settings: Settings, console: Console, action: str, business_date: date | None, table: str, seed: int
) -> None:
    if business_date is None:
        raise CorruptionRefused("give --date, the business date of the delivery")
    spec, root = find_extract(simulated_extracts(load_profile(settings)), table), settings.source_root
    if action == "corrected":
        said = redelivery.deliver_corrected(root, spec, business_date, seed)
    elif action == "withhold":
        said = ", ".join(redelivery.withhold(root, spec, business_date)) + f" set aside in {aside.WITHHELD}"
    else:
        said = ", ".join(redelivery.release(root, spec, business_date)) + " came"
    console.print(f"[green]{action}:[/] {escape(said)}", highlight=False, soft_wrap=True)
