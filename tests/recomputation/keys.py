"""What names one row of each mart."""

KEYS = {
    "dim_customers": ("customer_key",),
    "dim_products": ("product_id",),
    "dim_branches": ("branch_id",),
    "dim_dates": ("calendar_date",),
    "dim_tier_policies": ("policy_id", "policy_version", "tier_code"),
    "fct_customer_aum_monthly": ("customer_key", "month", "product_family"),
    "fct_customer_tiers_monthly": ("customer_key", "month"),
    "fct_customer_tier_history": ("customer_key", "valid_from", "known_from"),
    "fct_customer_contributions": ("customer_key", "month"),
    "fct_tier_flows": ("month", "tier_code"),
    "fct_tier_migration": ("month", "from_tier_code", "from_grace_month", "to_tier_code"),
    "fct_growth_mismatch": ("month", "tier_code"),
    "fct_near_threshold_customers": ("customer_key", "month", "side"),
    "fct_propensity_backtests": ("month", "model", "bin_number"),
    "fct_tier_band_stability": ("month", "tier_code", "band"),
    "fct_customer_values": ("customer_key", "month"),
    "fct_value_concentration": ("month", "measure", "percentile"),
    "fct_value_backtests": ("month", "horizon_months", "model", "decile"),
    "fct_window_dressing": ("month", "level", "level_key"),
}
