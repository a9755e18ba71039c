"""A bank's policy files: all there, columns and values right, dates ascending, a ladder without gaps."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from crm_warehouse.errors import SettingsError
from crm_warehouse.onboarding.churn_policies import EVENTS, SIGNS, check_events, check_signs
from crm_warehouse.onboarding.counterparties import MAPPINGS, check_mappings
from crm_warehouse.onboarding.findings import Finding
from crm_warehouse.onboarding.flow_classes import CLASSES, check_classes
from crm_warehouse.onboarding.ladders import POLICIES, THRESHOLDS, WEIGHTS, check_ladders
from crm_warehouse.onboarding.prices import LINES, RATES, check_prices
from crm_warehouse.profile import Profile
from crm_warehouse.profile_checks import did_you_mean

AREA = "policy"
PARAMETERS_FILE = "policy_parameters"
# Every file that models or gates read: its columns as name, or name:type; `?` may be empty.
FILES = {
    "tier_policies": "policy_id policy_version policy_name_en policy_name_zh is_active:flag rating_base rating_window"
    " rating_divisor rating_scope up_lag_months:whole landing_rule watch_misses:whole review_calendar volatile_to_amount:number?"
    " effective_from:date effective_to:date? approved_by decision_reference source?",
    "tier_thresholds": "policy_id policy_version tier_code tier_name_en tier_name_zh tier_rank:whole"
    " threshold_amount:number near_band_share:number near_band_max_amount:number? grace_months:whole is_private_banking:flag",
    "tier_asset_weights": "policy_id policy_version product_family weight:number",
    "policy_parameters": "parameter value:number effective_from:date approved_by decision_reference description?",
    "landing_thresholds": "threshold_id value effective_from:date owner approved_by decision_reference description",
    "age_bands": "age_band age_from:whole age_to:whole is_founder_generation:flag effective_from:date approved_by"
    " decision_reference",
    "deposit_rates": "product_id effective_from:date rate:fraction approved_by decision_reference",
    "ledger_contribution_lines": "ledger_code line_name_en line_name_zh reconciled_with effective_from:date effective_to:date?"
    " approved_by decision_reference",
    "transaction_classes": "transaction_type counterparty_type? is_own_name:flag? flow_class flow_use? effective_from:date"
    " approved_by decision_reference",
    "counterparty_mappings": "counterparty counterparty_kind institution_id top_up_use? effective_from:date approved_by"
    " decision_reference",
    "customer_events": "event_type channel? purpose? outcome? counts:flag effective_from:date approved_by decision_reference",
    "churn_signs": "source_table source_column code cause effective_from:date approved_by decision_reference",
    "calendar_exceptions": "calendar_date:date is_business_day:flag reason?",
}
MAY_BE_EMPTY = (
    "tier_asset_weights",
    "deposit_rates",
    "ledger_contribution_lines",
    "transaction_classes",
    "counterparty_mappings",
    "customer_events",
    "churn_signs",
    "calendar_exceptions",
)
# Parameters without which a step of the job stops, or a figure is null.
PARAMETERS = (
    "quarantine_max_share",
    "waiver_max_days",
    "over_service_max_ratio",
    "interest_day_count",
    "interest_rate_highest",
    "contribution_gap_max_share",
    "ledger_difference_max_share",
    "ledger_difference_rounding_amount",
    "channel_baseline_months",
    "loss_window_months",
    "loss_min_months",
    "loss_exempt_months",
    "loss_peers_min",
    "crossing_horizon_months",
    "propensity_prior_customers",
    "propensity_min_customers",
    "calibration_bins",
    "maturity_window_days",
    "assets_change_months",
    "dressing_customer_max_share",
    "dressing_level_max_share",
    "dressing_reversal_days",
    "dressing_reversal_min_share",
    "life_table_min_months",
    "life_table_min_exits",
    "tenure_band_1_months",
    "tenure_band_2_months",
    "tenure_band_3_months",
    "wallet_min_customers",
    "peer_wallet_quantile",
    "cell_min_customers",
    "margin_prior_months",
    "margin_max_rate",
    "growth_prior_months",
    "growth_max_rate",
    "growth_fade_rate",
    "growth_step_rate",
    "value_discount_rate",
    "value_discount_low_rate",
    "value_discount_high_rate",
    "value_horizon_months",
    "value_horizon_short_months",
    "value_horizon_long_months",
    "pyramid_platinum_share",
    "pyramid_gold_share",
    "value_class_high_share",
    "poaching_window_days",
    "poaching_min_share",
    "poaching_min_adb_amount",
    "bridge_tolerance_amount",
    "bridge_tolerance_share",
    "bridge_open_max_share",
    "relationship_gap_days",
    "value_churn_max_share",
    "value_churn_window_months",
    "value_churn_months",
    "value_churn_min_amount",
    "silent_churn_days",
    "silent_watch_days",
    "churn_sign_days",
    "lifecycle_onboarding_months",
    "lifecycle_trend_months",
    "lifecycle_growth_min_share",
    "lifecycle_decline_min_share",
    "lifecycle_trend_min_amount",
    "lifecycle_won_back_months",
    "cautious_risk_class_max",
)
# Where dates ascend: within each of these, row after row.
SERIES = {
    "landing_thresholds": ("threshold_id",),
    "policy_parameters": ("parameter",),
    "deposit_rates": ("product_id",),
    "ledger_contribution_lines": ("ledger_code",),
    "age_bands": ("age_band",),
    "transaction_classes": ("transaction_type", "counterparty_type", "is_own_name"),
    "counterparty_mappings": ("counterparty_kind", "counterparty"),
    "customer_events": ("event_type", "channel", "purpose", "outcome"),
    "churn_signs": ("source_table", "source_column", "code"),
    "tier_policies": ("policy_id",),
}

Row = dict[str, str]


def _is(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def can(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, InvalidOperation):
            return False
        return True

    return can


def _is_number(text: str) -> bool:
    return _is(Decimal)(text) and Decimal(text).is_finite()


def _is_fraction(text: str) -> bool:
    return _is_number(text) and abs(Decimal(text)) < 1


VALUES: dict[str, tuple[Callable[[str], bool], str]] = {
    "flag": (lambda text: text in ("true", "false"), "write true or false"),
    "whole": (_is(int), "write a whole number"),
    "number": (_is_number, "write a number with a decimal point"),
    "fraction": (_is_fraction, "write a fraction below 1, as 0.045 for 4.5 %"),
    "date": (_is(date.fromisoformat), "write a date as YYYY-MM-DD"),
}


def columns_of(name: str) -> list[str]:
    """The header of a policy file."""
    return [column.split(":")[0].rstrip("?") for column in FILES[name].split()]


def check_policies(profile: Profile) -> list[Finding]:
    """What is right and wrong with the policy of a bank."""
    return list(_findings(profile))


def read_ladder(folder: Path) -> dict[str, list[Row]]:
    """The files of a ladder in `folder`, each row with its line as `_line`; weights only where it has any.

    Raises SettingsError with the first thing wrong with their form.
    """
    ladder = {}
    for name in (POLICIES, THRESHOLDS, WEIGHTS):
        path = folder / f"{name}.csv"
        wrong, rows = ([], []) if name == WEIGHTS and not path.is_file() else _read(path, name)
        wrong = wrong or _not_ascending(path, name, rows)
        if wrong:
            raise SettingsError(wrong[0])
        ladder[name] = [{**row, "_line": str(line)} for line, row in rows]
    return ladder


def refuse_bad_ladder(ladder: dict[str, list[Row]], place: str, first_day: date) -> None:
    """Raise SettingsError with the first thing wrong with a ladder, as with a bank's own; `place` says where it is from."""
    for name, text in check_ladders(ladder[POLICIES], ladder[THRESHOLDS], ladder[WEIGHTS], first_day):
        raise SettingsError(f"{place}/{name}.csv, {text}")


def refuse_bad_policy(profile: Profile) -> None:
    """Raise SettingsError with the first thing wrong with what figures are worked out from; ladders are refused on their own."""
    folder, sound = profile.folder / "policy", {}
    for name in (PARAMETERS_FILE, RATES, LINES, *ROW_CHECKS):
        path = folder / f"{name}.csv"
        wrong, rows = _read(path, name)
        wrong = wrong or _not_ascending(path, name, rows)
        if wrong:
            raise SettingsError(wrong[0])
        sound[name] = [{**row, "_line": str(line)} for line, row in rows]
    for text in _parameters(profile, sound[PARAMETERS_FILE]):
        raise SettingsError(f"{folder}/{PARAMETERS_FILE}.csv: {text}")
    for name, text in check_prices(sound[RATES], sound[LINES], _highest(sound[PARAMETERS_FILE])):
        raise SettingsError(f"{folder}/{name}.csv, {text}")
    for name, check in ROW_CHECKS.items():
        for text in check(sound[name]):
            raise SettingsError(f"{folder}/{name}.csv: {text}")


def _highest(parameters: list[Row]) -> Decimal | None:
    values = [Decimal(row["value"]) for row in parameters if row["parameter"] == "interest_rate_highest"]
    return max(values, default=None)


def _findings(profile: Profile) -> Iterator[Finding]:
    sound: dict[str, list[Row]] = {}
    for name in FILES:
        path = profile.folder / "policy" / f"{name}.csv"
        wrong, rows = _read(path, name)
        wrong += _not_ascending(path, name, rows) if not wrong else []
        for text in wrong:
            yield Finding("blocks", AREA, text)
        if not wrong:
            sound[name] = [{**row, "_line": str(line)} for line, row in rows]
    ladder = [sound.get(name) for name in (POLICIES, THRESHOLDS, WEIGHTS)]
    found = [] if None in ladder else list(check_ladders(*ladder, profile.initial_delivery_on))
    if RATES in sound and LINES in sound:
        found += check_prices(sound[RATES], sound[LINES], _highest(sound.get(PARAMETERS_FILE, [])))
    checks = {
        **{
            name: (lambda name=name: (text for file, text in found if file == name))
            for name in (POLICIES, THRESHOLDS, WEIGHTS, RATES, LINES)
        },
        PARAMETERS_FILE: lambda: _parameters(profile, sound.get(PARAMETERS_FILE, [])),
        **{name: (lambda name=name: ROW_CHECKS[name](sound.get(name, []))) for name in ROW_CHECKS},
    }
    for name, rows in sound.items():
        wrong = [f"{profile.folder / 'policy' / name}.csv: {text}" for text in checks[name]()] if name in checks else []
        yield from (Finding("blocks", AREA, text) for text in wrong)
        if not wrong:
            yield Finding("fine", AREA, f"policy/{name}.csv: {len(rows)} rows")


def _read(path: Path, name: str) -> tuple[list[str], list[tuple[int, Row]]]:
    """What is wrong with a file's form, and its rows with their lines."""
    columns = columns_of(name)
    if not path.is_file():
        return [f"{path} is missing: write it with the header {','.join(columns)}"], []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        header = list(reader.fieldnames or [])
        rows = [(reader.line_num, row) for row in reader]
    missing, extra = [c for c in columns if c not in header], [c for c in header if c not in columns]
    if missing:
        near = "".join(f"; {c} looks like {name_}" for name_ in missing for c in extra if did_you_mean(c, [name_]))
        return [f"{path}, line 1: the header lacks {', '.join(missing)}{near}"], []
    if not rows and name not in MAY_BE_EMPTY:
        return [f"{path} has a header but no rows: write at least one"], []
    wrong = []
    for line, row in rows:
        for declared in FILES[name].split():
            column, _, kind = declared.rstrip("?").partition(":")
            value = row[column]
            if value is None or (not value and not declared.endswith("?")):
                wrong.append(f"{path}, line {line}: {column} is empty")
            elif value and kind and not VALUES[kind][0](value):
                wrong.append(f"{path}, line {line}: {column} is {value!r}: {VALUES[kind][1]}")
        if None in row:
            wrong.append(f"{path}, line {line}: it has more values than the header: quote what holds a comma")
    return wrong, rows


def _not_ascending(path: Path, name: str, rows: list[tuple[int, Row]]) -> list[str]:
    wrong = []
    last: dict[tuple, str] = {}
    column = "calendar_date" if name == "calendar_exceptions" else "effective_from"
    if name not in SERIES and name != "calendar_exceptions":
        return wrong
    for line, row in rows:
        key = tuple(row[part] for part in SERIES.get(name, ()))
        if key in last and row[column] <= last[key]:
            of = f" of {' '.join(key)}" if key else ""
            wrong.append(
                f"{path}, line {line}: {column} {row[column]}{of} is not after {last[key]}: write dates ascending, each once"
            )
        last[key] = row[column]
    return wrong


def _parameters(profile: Profile, rows: list[Row]) -> Iterator[str]:
    first = profile.initial_delivery_on.isoformat()
    known = {row["parameter"] for row in rows}
    for name in PARAMETERS:
        dates = [row["effective_from"] for row in rows if row["parameter"] == name]
        if not dates:
            yield f"no {name}{did_you_mean(name, known)}; every bank needs it"
        elif min(dates) > first:
            yield f"{name} is in force from {min(dates)} only, after the initial delivery of {first}: let it begin on or before it"


def _age_bands(rows: list[Row]) -> Iterator[str]:
    """Each date of the policy is a whole list of bands."""
    for listed_from in sorted({row["effective_from"] for row in rows}):
        listed = (row for row in rows if row["effective_from"] == listed_from)
        bands = sorted((int(row["age_from"]), int(row["age_to"]), row["age_band"]) for row in listed)
        if bands[0][0] != 0:
            yield f"the first band begins at {bands[0][0]}: begin at 0"
        for (_, to, name), (following, _, after) in zip(bands, bands[1:], strict=False):
            if following != to + 1:
                yield f"{after} begins at {following}, but {name} ends at {to}: the next band begins one year on"


# What each of these files' rows must say, one sentence for each that does not.
ROW_CHECKS: dict[str, Callable[[list[Row]], Iterator[str]]] = {
    CLASSES: check_classes,
    MAPPINGS: check_mappings,
    EVENTS: check_events,
    SIGNS: check_signs,
    "age_bands": _age_bands,
}
