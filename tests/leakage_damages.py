"""Damages of what leaves for platforms and competitors, each with the mart rule that must find it."""

from mart_damages import one, without_one

PLATFORMS, COMPETITORS = "fct_payment_platform_flows", "fct_competitor_outflows"
UNMAPPED = "fct_unmapped_counterparties"

LEAKAGE_DAMAGES = {
    "an outflow of no kind": (
        f"{PLATFORMS}.outflow_adds_up",
        one(PLATFORMS, "outflow_amount = outflow_amount + 0.01"),
        1,
    ),
    "a split without a part": (f"{PLATFORMS}.outflow_adds_up", one(PLATFORMS, "money_fund_amount = null"), 1),
    "a wallet in debt": (f"{PLATFORMS}.amounts_not_negative", one(PLATFORMS, "estimated_stock_amount = -0.01"), 1),
    "a purchase that pays": (f"{PLATFORMS}.amounts_not_negative", one(PLATFORMS, "spend_amount = -1"), 1),
    "more seen than spent": (
        f"{PLATFORMS}.visible_share_follows",
        one(PLATFORMS, "visible_spend_amount = 2 * spend_amount, visible_merchant_share = 2", "spend_amount > 1"),
        1,
    ),
    "another visible share": (
        f"{PLATFORMS}.visible_share_follows",
        one(PLATFORMS, "visible_merchant_share = 0.5", "visible_merchant_share = 1"),
        1,
    ),
    "a share of nothing": (
        f"{PLATFORMS}.visible_share_follows",
        one(PLATFORMS, "visible_merchant_share = 0", "spend_amount = 0"),
        1,
    ),
    "a share that is hidden": (
        f"{PLATFORMS}.unmapped_share_recomputes",
        one(PLATFORMS, "unmapped_share = null", "unmapped_share > 0"),
        1,
    ),
    "less unmapped than there is": (
        f"{PLATFORMS}.unmapped_share_recomputes",
        one(PLATFORMS, "unmapped_share = unmapped_share - 0.000002", "unmapped_share > 0.1"),
        1,
    ),
    "another total": (
        f"{PLATFORMS}.unmapped_share_recomputes",
        one(PLATFORMS, "total_outflow_amount = total_outflow_amount + 0.01"),
        1,
    ),
    "nothing unmapped any more": (
        f"{PLATFORMS}.unmapped_share_recomputes",
        f"update {PLATFORMS} set platform_id = 'PP09' where platform_id = 'unmapped'",
        None,
    ),
    "a stock from nowhere": (
        f"{PLATFORMS}.stock_follows_from_flows",
        one(PLATFORMS, "estimated_stock_amount = estimated_stock_amount + 0.01"),
        None,
    ),
    "a top-up that nobody has": (
        f"{PLATFORMS}.stock_follows_from_flows",
        one(PLATFORMS, "top_up_amount = top_up_amount + 1000", "estimated_stock_amount > 0"),
        1,
    ),
    "a stock that vanishes": (
        f"{PLATFORMS}.stock_is_carried",
        without_one(PLATFORMS, "outflow_amount = 0 and inflow_amount = 0 and month = date '2026-03-01'"),
        1,
    ),
    "an unmapped counterparty not listed": (
        f"{PLATFORMS}.unmapped_is_listed",
        f"delete from {UNMAPPED} where counterparty_type = 'payment_platform'",
        None,
    ),
    "another share of assets": (
        f"{COMPETITORS}.share_follows",
        one(COMPETITORS, "share_of_adb = share_of_adb + 0.000002", "adb_amount > 1000"),
        1,
    ),
    "a share of no assets": (
        f"{COMPETITORS}.share_follows",
        one(COMPETITORS, "share_of_adb = 0", "adb_amount is null"),
        1,
    ),
    "assets of another month": (
        f"{COMPETITORS}.assets_are_those_before_the_window",
        one(COMPETITORS, "adb_amount = adb_amount + 0.01", "adb_amount is not null"),
        1,
    ),
    "a loss that is none": (
        f"{COMPETITORS}.poaching_follows_policy",
        one(COMPETITORS, "is_poaching = true", "not is_poaching and share_of_adb < 0.19"),
        1,
    ),
    "a loss left out": (
        f"{COMPETITORS}.poaching_follows_policy",
        one(COMPETITORS, "is_poaching = false", "is_poaching"),
        1,
    ),
    "a lender who poaches": (
        f"{COMPETITORS}.poaching_follows_policy",
        one(COMPETITORS, "is_poaching = true", "institution_type = 'online_lender'"),
        1,
    ),
    "a run that starts twice": (
        f"{COMPETITORS}.poaching_starts_once",
        one(COMPETITORS, "starts_poaching = true", "is_poaching and not starts_poaching"),
        1,
    ),
    "a run that never starts": (
        f"{COMPETITORS}.poaching_starts_once",
        one(COMPETITORS, "starts_poaching = false", "starts_poaching"),
        1,
    ),
    "an outflow that came in": (f"{COMPETITORS}.outflow_not_negative", one(COMPETITORS, "outflow_amount = -0.01"), 1),
    "the wrong one first": (f"{UNMAPPED}.ranked_by_amount", one(UNMAPPED, "amount_rank = 2", "amount_rank = 1"), 1),
    "mapped before it came": (f"{UNMAPPED}.ranked_by_amount", one(UNMAPPED, "first_on = last_on + 1"), 1),
    "a name": (f"{UNMAPPED}.tokens_not_names", one(UNMAPPED, "counterparty = '王芳'"), 1),
    "no counterparty": (f"{UNMAPPED}.tokens_not_names", one(UNMAPPED, "counterparty = null"), 1),
}
