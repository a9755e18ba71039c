"""The score of a campaign as a plain dictionary, and the same for people: on the terminal and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from benchmarks.fault_plan import EVENTS_MIN, ROWS_MIN
from benchmarks.fault_verdicts import Ablation, Judge, Record, ablate, by_principle, wilson
from crm_warehouse.simulator.corruption.catalogue import find_kind

SOURCE_GOAL, CLEAN_GOAL = 0.85, 0.01
SHOWN, KEPT = 3, 12  # rules of a kind that a table names, and that the JSON has
# What a bank of this size cannot show, whatever the rules: said beside a miss, so that nobody takes it for an oversight.
LIMITS = {
    "contacts_of_one_rm_missing": "two or three contacts a day: a manager without one is an ordinary day",
    "survey_scale_reversed": "one or two answers a day between waves: a low score is no sign of a turned scale",
    "timestamps_shifted_8_hours": "one answer a day between waves: eight hours later it is an answer of that day as well",
    "no_complaints": "two complaints of nine requests: a day without one is an ordinary day",
    "control_group_lost": "five members of a control group of 29 that joined: another day has none",
    "arrears_all_nought": "a single loan past due may have been paid; two that change together block",
}


def score(judge: Judge, records: list[Record], clean: list[Record], planned: list[str], campaign: dict) -> dict:
    """Everything the records say. `clean` are the records of the clean days that count for false alarms."""
    made = [record for record in records if "refused" not in record]
    kinds = [_of_kind(judge, way, kind, cases) for (way, kind), cases in _grouped(made)]
    alarms = _false_alarms(judge, clean)
    return {
        "campaign": campaign
        | {
            "cases": len(made),
            "refused": len(records) - len(made),
            "rules": len(planned),
            "smaller": sum(not _is_own_magnitude(record) for record in made),
            "by_day_type": dict(Counter(record["day_type"] for record in made)),
        },
        "goals": _goals(kinds, alarms),
        "recall": _recall(judge, made),
        "kinds": kinds,
        "false_alarms": alarms,
        "ablation": {
            "by_rule": _ablation(ablate(judge, made, {rule: frozenset([rule]) for rule in planned})),
            "by_principle": _ablation(ablate(judge, made, by_principle(planned))),
        },
        # Kinds of which no delivery of the campaign's days could be damaged so: nothing is known of them.
        "never made": sorted(
            {f"{r['kind']} ({r['way']})" for r in records} - {f"{r['kind']} ({r['way']})" for r in made}
        ),
        "refused": sorted({f"{r['kind']} ({r['way']}, {r['day']}): {r['refused']}" for r in records if "refused" in r}),
        "crashed": sorted({f"{r['kind']}: {r['problem']}" for r in made if r["stopped_at"] == "crash"}),
    }


def _grouped(records: Iterable[Record]) -> list[tuple[tuple[str, str], list[Record]]]:
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record["way"], record["kind"]), []).append(record)
    return sorted(groups.items())


def _share(caught: int, cases: int) -> dict:
    low, high = wilson(caught, cases)
    return {"caught": caught, "cases": cases, "low": round(low, 3), "high": round(high, 3)}


def _is_own_magnitude(record: Record) -> bool:
    return record["magnitude"] == find_kind(record["kind"]).magnitude


def _of_kind(judge: Judge, way: str, kind: str, cases: list[Record]) -> dict:
    """One kind: how often caught, by what, and from which magnitude on every case was."""
    caught = [record for record in cases if judge.is_caught(record)]
    sizes = sorted({record["magnitude"] for record in cases})
    whole = [size for size in sizes if all(r in caught for r in cases if r["magnitude"] == size)]
    by = Counter(name for record in caught for name in judge.caught_by(record))
    return {
        "kind": kind,
        "way": way,
        "expected": cases[0]["expected"],
        **_share(len(caught), len(cases)),
        # What the goals ask: every case of the magnitude that the catalogue gives.
        "is_caught": all(record in caught for record in cases if _is_own_magnitude(record)),
        "outcomes": dict(Counter(judge.outcome(record) for record in cases)),
        "caught_by": [name for name, _ in by.most_common(KEPT)],
        "rules": len(by),
        "smallest_magnitude": whole[0] if whole else None,
        "magnitudes": sizes,
        "tables": sorted({record["table"] for record in cases}),
    }


def _recall(judge: Judge, records: list[Record]) -> list[dict]:
    """At source and in transit apart, and by what is expected."""
    found = []
    for way in ("source", "transit"):
        for expected in ("block", "quarantine", "warn", "accept"):
            cases = [r for r in records if (r["way"], r["expected"]) == (way, expected)]
            if cases:
                caught = sum(judge.is_caught(record) for record in cases)
                kinds = {r["kind"] for r in cases}
                found.append({"way": way, "expected": expected, "kinds": len(kinds), **_share(caught, len(cases))})
    return found


def _false_alarms(judge: Judge, clean: list[Record]) -> dict:
    """Clean days that were blocked, had rows set aside, or had a warning; and by which rules."""
    # A clean day against an empty one: on it every failure is an alarm.
    nothing = {record["day"]: {"failed": {}, "set_aside": [], "rows_read": {}} for record in clean}
    alone = Judge(nothing, judge.money, judge.most)
    outcomes = {record["day"]: alone.outcome(record | {"expected": "accept"}) for record in clean}
    by_rule = Counter(rule for record in clean for rule in record["failed"])
    severity = {rule: body["severity"] for record in clean for rule, body in record["failed"].items()}
    blocked = sorted(day for day, outcome in outcomes.items() if outcome == "blocked")
    return {
        "days": len(clean),
        "first": min(outcomes, default=None),
        "last": max(outcomes, default=None),
        "blocked": blocked,
        "blocked_share": _share(len(blocked), len(clean)),
        "outcomes": dict(Counter(outcomes.values())),
        "by_rule": {rule: {"days": n, "severity": severity[rule]} for rule, n in by_rule.most_common()},
    }


def _ablation(found: Ablation) -> dict:
    return {
        "untested": found.untested,
        "alone": {rule: {"cases": len(ids), "kinds": _kinds(ids)} for rule, ids in sorted(found.alone.items())},
        "redundant": found.redundant,
    }


def _kinds(ids: list[str]) -> list[str]:
    return sorted({id_.split("|")[0] for id_ in ids})


def _goals(kinds: list[dict], alarms: dict) -> list[dict]:
    blocking = [kind for kind in kinds if kind["expected"] == "block"]
    source = [kind for kind in kinds if kind["way"] == "source" and kind["expected"] != "accept"]
    blocked, of_source = sum(k["is_caught"] for k in blocking), sum(k["is_caught"] for k in source)
    return [
        _goal("every blocking kind is caught before publish", blocked, len(blocking), blocked == len(blocking)),
        _goal("at least 85 % of the kinds wrong at source are caught", of_source, len(source), of_source >= SOURCE_GOAL * len(source)),
        _goal("at most 1 % of the clean days are blocked", len(alarms["blocked"]), alarms["days"], len(alarms["blocked"]) <= CLEAN_GOAL * alarms["days"]),
    ]  # fmt: skip


def _goal(text: str, found: int, of: int, is_met: bool) -> dict:
    return {"goal": text, "found": found, "of": of, "is_met": bool(of) and is_met}


def _percent(body: dict) -> str:
    return f"{body['caught'] / body['cases']:.0%}" if body["cases"] else "-"


def _interval(body: dict) -> str:
    return f"{body['low']:.0%}-{body['high']:.0%}"


def tables_of(scored: dict) -> list[tuple[str, list[str], list[list[str]]]]:
    """The score as tables: title, columns, rows. The terminal and the Markdown show the same."""
    ablation, alarms = scored["ablation"], scored["false_alarms"]
    goals = [[g["goal"], f"{g['found']} of {g['of']}", "met" if g["is_met"] else "NOT MET"] for g in scored["goals"]]
    recall = [
        [r["way"], r["expected"], str(r["kinds"]), f"{r['caught']} of {r['cases']}", _percent(r), _interval(r)]
        for r in scored["recall"]
    ]
    false_alarms = [[rule, body["severity"], str(body["days"])] for rule, body in alarms["by_rule"].items()]
    kinds = [
        [
            kind["kind"],
            kind["way"],
            kind["expected"],
            f"{kind['caught']}/{kind['cases']}",
            _interval(kind),
            ", ".join(f"{what} {n}" for what, n in sorted(kind["outcomes"].items())),
            "-" if kind["smallest_magnitude"] is None else f"{kind['smallest_magnitude']:g}",
            _short(kind["caught_by"], kind["rules"]),
        ]
        for kind in scored["kinds"]
    ]
    principles = ablation["by_principle"]
    worth = [
        [name, f"alone catches {body['cases']} cases", _short(body["kinds"])]
        for name, body in principles["alone"].items()
    ]
    worth += [[name, "redundant: others catch the same", ""] for name in principles["redundant"]]
    worth += [[name, "untested: never failed", ""] for name in principles["untested"]]
    by_rule = ablation["by_rule"]
    alone = sorted(by_rule["alone"].items(), key=lambda item: (-item[1]["cases"], item[0]))
    rules_alone = [[_short([rule]), str(body["cases"]), _short(body["kinds"])] for rule, body in alone]
    rules = [
        ["rules that alone catch something", str(len(by_rule["alone"]))],
        ["redundant rules: they failed, others would have caught it too", str(len(by_rule["redundant"]))],
        ["untested rules: they never failed", str(len(by_rule["untested"]))],
    ]
    missed = [
        [
            k["kind"],
            k["way"],
            k["expected"],
            ", ".join(k["outcomes"]),
            LIMITS.get(k["kind"], "no limit is known: to be looked at"),
        ]
        for k in scored["kinds"]
        if not k["is_caught"]
    ]
    shown = [
        ("goals", ["goal", "found", ""], goals),
        ("recall", ["damaged", "should be", "kinds", "caught", "share", "95 % interval"], recall),
        (
            f"false alarms: {alarms['days']} clean business days {alarms['first']} to {alarms['last']},"
            f" {len(alarms['blocked'])} blocked",
            ["rule", "severity", "days"],
            false_alarms,
        ),
        ("kinds not caught at their own magnitude", ["kind", "way", "should be", "was", "why"], missed),
        ("ablation, each rule in turn", ["", "rules"], rules),
        ("rules that alone catch something", ["rule", "cases", "kinds"], rules_alone),
        ("ablation, each principle in turn (all rules of it)", ["principle", "worth", "kinds"], worth),
        ("kinds", ["kind", "way", "should be", "caught", "95 %", "outcome", "smallest", "caught by"], kinds),
    ]
    for title in ("never made", "crashed"):
        if scored[title]:
            shown.append((title, ["case"], [[text] for text in scored[title]]))
    return shown


def _short(names: list[str], of: int | None = None) -> str:
    rest = (len(names) if of is None else of) - SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(name.removeprefix("landing.") for name in names[:SHOWN]) + more


def show(scored: dict, console: Console) -> None:
    """The score on a terminal: of the kinds only those that are not caught."""
    for title, columns, rows in tables_of(scored):
        if title in ("kinds", "rules that alone catch something"):
            continue  # the page has them
        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(cell.replace("[", "\\[") for cell in row))
        console.print(table)


def as_markdown(scored: dict) -> str:
    """The score as a page."""
    campaign = scored["campaign"]
    alarms = scored["false_alarms"]
    lines = [
        "# What the landing gate catches",
        "",
        f"{campaign['cases']} damaged deliveries ({campaign['planned']} planned; {campaign['refused']} could not be made of the"
        f" days' deliveries, {campaign['planned'] - campaign['cases'] - campaign['refused']} were not run) of a simulated bank of {campaign['customers']:,} customers, judged by"
        f" {campaign['rules']} rules; made by `make faults`, never by hand, from records that `benchmarks/results/faults.json`"
        " sums up.",
        "",
        f"**How.** The bank's {alarms['days']} clean business days {alarms['first']} to {alarms['last']} went through the gate one"
        " night after another; they are the accepted history and the measure of false alarms. Then one delivery of a day was"
        f" damaged at a time ({', '.join(f'{n} on {name}' for name, n in campaign['by_day_type'].items())}; {campaign['seeds']} seed"
        f"{'; a tenth of the usual magnitude, too' if campaign['smaller'] else ', at the usual magnitudes'}), extracted, landed and judged against"
        f" that history. Kinds of any extract take another one each time, of at least {ROWS_MIN} rows, {EVENTS_MIN} of events: of three rows a day, two"
        " at the source are a quiet day, and no rule of this gate claims to know. In transit: the control file (or an answer's digest) says what was sent; at source: it agrees with the"
        " damage. Rules that read nothing of the damaged table have their verdict of the clean day, because the gate is"
        " deterministic (`tests/faults/test_campaign.py` holds that to be the whole judgement).",
        "",
        "**Caught** means: a blocking kind stops the run before publish, the damaged rows of a quarantine kind are set aside or"
        " the run stops, a warning kind fails a rule that does not fail on the undamaged day. Intervals are Wilson's, 95 %;"
        " cases of one kind are alike, so they are not independent, and an interval over cases is narrower than one over kinds"
        " not thought of would be. `smallest`: the least magnitude of which every case was caught. `alone`: without this rule"
        " (or all rules of the principle) these cases would pass.",
    ]
    for title, columns, rows in tables_of(scored):
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", _row(columns), _row(["---"] * len(columns))]
        lines += [_row(row) for row in rows] or [_row(["none"] + [""] * (len(columns) - 1))]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
