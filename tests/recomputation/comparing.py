"""A mart by definition beside the mart as published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from crm_warehouse.privacy.tokens import customer_key_of, read_key

from .assets import aum_monthly
from .bands_and_dressing import band_stability, window_dressing
from .bank import Bank
from .bridge import bridges
from .churn import Leaving, customer_churn
from .contributions import contributions
from .customer_history import customers_history, data_completeness
from .dimensions import branches_dimension, customers_dimension, dates_dimension, policies_dimension, products_dimension
from .keys import KEYS
from .leakage import competitor_outflows, outside_flows, payment_platform_flows, unmapped_counterparties
from .ledger import ledger_reconciliation
from .ledger_lines import ledger_lines
from .lifecycle import lifecycle_history
from .lifetime import customer_values, value_backtests, value_concentration
from .losses import costs_to_serve, loss_making_customers
from .money_flows import money_flows
from .near_thresholds import near_threshold_customers, propensity_backtests
from .quality_results import quality_results
from .tier_movements import growth_mismatch, tier_flows, tier_migration
from .tiers import tier_history, tiers_monthly
from .values import Valuation


@dataclass
class Recomputed:
    """Every mart of a bank by definition, and the same mart as it was published."""

    bank: Bank
    run: object
    marts: dict[str, dict[tuple, dict]]

    def published(self, mart: str) -> dict[tuple, dict]:
        with duckdb.connect(str(self.run.published_file), read_only=True) as connection:
            cursor = connection.execute(f"select * from marts.{mart}")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        found = {tuple(row.pop(key) for key in KEYS[mart]): row for row in rows}
        assert len(found) == len(rows), f"{mart}: keys are not unique"
        return found

    def expected(self, mart: str) -> dict[tuple, dict]:
        """Rows by definition under the published keys, with the customer's id kept for the message."""
        if not {"customer_key", "level_key"} & set(KEYS[mart]):
            return self.marts[mart]
        key = read_key(self.run.settings)
        tokens = {customer: customer_key_of(key, customer) for customer in self.bank.spells}
        if "level_key" in KEYS[mart]:
            return {(*found[:2], tokens.get(found[2], found[2])): row for found, row in self.marts[mart].items()}
        return {(found[0] and tokens[found[0]], *found[1:]): row for found, row in self.marts[mart].items()}

    def assert_equal(self, mart: str, columns: Iterable[str] | None = None) -> None:
        """Every row on both sides, every column (or the ones named), equal: no tolerance."""
        expected, published = self.expected(mart), self.published(mart)
        assert expected, f"{mart}: nothing was recomputed"
        missing, extra = expected.keys() - published.keys(), published.keys() - expected.keys()
        names = dict(zip(expected, self.marts[mart], strict=True))
        problems = [f"not published: {names[key]} {expected[key]}" for key in sorted(missing, key=repr)]
        problems += [f"not by definition: {key} {published[key]}" for key in sorted(extra, key=repr)]
        for key in expected.keys() & published.keys():
            ours, theirs = expected[key], published[key]
            if columns is None and ours.keys() != theirs.keys():
                problems.append(f"columns differ: {sorted(ours.keys() ^ theirs.keys())}")
                break
            for column in columns or ours:
                if ours[column] != theirs[column]:
                    told = f"by definition {ours[column]}, published {theirs[column]}"
                    problems.append(f"{names[key]} {column}: {told}")
        shown = "\n".join(problems[:20])
        assert not problems, f"{mart}: {len(problems)} differences of {len(expected)} rows\n{shown}"


def recompute(bank: Bank, run: object) -> Recomputed:
    aum = aum_monthly(bank)
    tiers = tiers_monthly(bank, aum)
    history = tier_history(bank, tiers)
    lines = [] if bank.loans is None else list(ledger_lines(bank))
    contributed = contributions(bank, lines)
    known = Valuation(bank, aum, tiers, contributed)
    values = customer_values(bank, known)
    outside = outside_flows(bank)
    leaving = Leaving(bank)
    key = read_key(run.settings)
    tokens = {customer: customer_key_of(key, customer) for customer in bank.spells}
    bridge, corrections = bridges(bank, aum)
    return Recomputed(
        bank,
        run,
        {
            "dim_customers": customers_dimension(bank, history),
            "dim_customers_history": customers_history(bank, history, tokens),
            "fct_data_completeness": data_completeness(bank),
            "dim_products": products_dimension(bank),
            "dim_branches": branches_dimension(bank),
            "dim_dates": dates_dimension(bank),
            "dim_tier_policies": policies_dimension(bank),
            "fct_customer_aum_monthly": aum,
            "fct_customer_tiers_monthly": tiers,
            "fct_customer_tier_history": history,
            "fct_customer_contributions": contributed,
            "fct_costs_to_serve": costs_to_serve(bank),
            "fct_loss_making_customers": loss_making_customers(bank, lines, contributed, tiers, aum),
            "fct_ledger_reconciliation": ledger_reconciliation(bank, lines),
            "fct_contribution_gaps": {},
            "fct_customer_values": values,
            "fct_value_concentration": value_concentration(values, known),
            "fct_value_backtests": value_backtests(values, known, tokens),
            "fct_tier_flows": tier_flows(bank, aum, history),
            "fct_tier_migration": tier_migration(bank, tiers, history),
            "fct_growth_mismatch": growth_mismatch(bank, aum, history),
            "fct_near_threshold_customers": near_threshold_customers(bank, aum, tiers),
            "fct_propensity_backtests": propensity_backtests(bank, tiers),
            "fct_tier_band_stability": band_stability(bank, tiers),
            "fct_aum_bridge": bridge,
            "fct_money_flows": money_flows(bank),
            "fct_bridge_corrections": corrections,
            "fct_customer_churn": customer_churn(leaving, history),
            "fct_customer_lifecycle_history": lifecycle_history(leaving),
            "fct_window_dressing": window_dressing(bank, aum),
            "fct_payment_platform_flows": payment_platform_flows(bank, outside),
            "fct_competitor_outflows": competitor_outflows(bank, outside, aum),
            "fct_unmapped_counterparties": unmapped_counterparties(outside),
            "fct_quality_results": quality_results(run.settings.evidence, run.settings.bank, run.summary["run_id"]),
        },
    )
