"""The fixed parts of a new profile."""

PERSONAL = ("customer_name", "id_number", "mobile", "email", "address")
VALUES = {
    "gender": ("female", "male"),
    "customer_type": ("personal", "corporate", "institution"),
    "account_status": ("open", "closed", "dormant"),
    "risk_rating": ("C1", "C2", "C3", "C4", "C5"),
    "risk_level": ("R1", "R2", "R3", "R4", "R5"),
    "product_family": (
        "demand_deposit", "time_deposit", "structured_deposit", "certificate_of_deposit", "wealth_product", "fund",
        "insurance", "bond", "trust", "precious_metal", "custody", "loan", "card",
    ),
}  # fmt: skip

PARAMETERS = [
    "quarantine_max_share,0.005,2000-01-01,TODO,TODO,Largest share of a file's rows that may be set aside before the run stops",
    "over_service_max_ratio,0.5,2000-01-01,TODO,TODO,Concessions and perks above this share of contribution count as over-service",
    "interest_day_count,365,2000-01-01,TODO,TODO,Days of a year in interest = money x rate x days / days of a year",
    "interest_rate_highest,0.36,2000-01-01,TODO,TODO,A yearly rate above this is no fraction (4.5 for 0.045) and counts as missing",
    "contribution_gap_max_share,0.2,2000-01-01,TODO,TODO,Largest share of a month's customers of whom one part may lack an input",
    "ledger_difference_max_share,0.0001,2000-01-01,TODO,TODO,Largest gap between customers and general ledger as a share of the ledger's amount",
    "ledger_difference_rounding_amount,0.02,2000-01-01,TODO,TODO,Gap that rounding alone can make between two ledger balances and two sums",
    "channel_baseline_months,6,2000-01-01,TODO,TODO,Months from a customer's first in the warehouse whose channels are their own baseline",
    "loss_window_months,6,2000-01-01,TODO,TODO,Months looked back over for a contribution below zero",
    "loss_min_months,3,2000-01-01,TODO,TODO,So many of them below zero make a customer loss-making",
    "loss_exempt_months,6,2000-01-01,TODO,TODO,Months from onboarding in which a loss is expected",
    "loss_peers_min,20,2000-01-01,TODO,TODO,Fewer profitable customers of a tier than this are no peers: then all of the month are",
    "crossing_horizon_months,3,2000-01-01,TODO,TODO,Months ahead within which a customer crosses a threshold or does not",
    "propensity_prior_customers,20,2000-01-01,TODO,TODO,Weight of the rate of all in the rate of one tenth of the gap (as so many customer-months)",
    "propensity_min_customers,30,2000-01-01,TODO,TODO,Fewer known outcomes on a side than this teach nothing",
    "calibration_bins,10,2000-01-01,TODO,TODO,Bins of equal width by which predicted and observed shares are compared",
    "maturity_window_days,90,2000-01-01,TODO,TODO,Days ahead in which a term deposit that falls due may move a customer over a threshold",
    "assets_change_months,3,2000-01-01,TODO,TODO,Months over which the change of a customer's assets is shown",
    "dressing_customer_max_share,0.20,2000-01-01,TODO,TODO,A customer's month end above the monthly average by more than this is flagged",
    "dressing_level_max_share,0.03,2000-01-01,TODO,TODO,The bank's own limit on month end over average; managers and branches",
    "dressing_reversal_days,5,2000-01-01,TODO,TODO,Days of the next month within which what was put up goes again",
    "dressing_reversal_min_share,0.5,2000-01-01,TODO,TODO,Share of the excess over the average that must have gone",
    "life_table_min_months,200,2000-01-01,TODO,TODO,Fewer customer-months than this in a cell of the life table: the next wider cell counts",
    "life_table_min_exits,1,2000-01-01,TODO,TODO,Fewer leavers than this in the whole bank so far: it may not tell who leaves and nothing is learned",
    "tenure_band_1_months,12,2000-01-01,TODO,TODO,First tenure band ends before this many months with the bank",
    "tenure_band_2_months,36,2000-01-01,TODO,TODO,Second tenure band ends before this many months",
    "tenure_band_3_months,120,2000-01-01,TODO,TODO,Third tenure band ends before this many months; the fourth has no end",
    "wallet_min_customers,100,2000-01-01,TODO,TODO,Fewer peers than this: the next wider group of peers tells the wealth stock",
    "peer_wallet_quantile,0.80,2000-01-01,TODO,TODO,Share of peers who have no more here than what is taken for attainable",
    "cell_min_customers,30,2000-01-01,TODO,TODO,Fewer customers than this in a cell: what is usual is told by the whole bank",
    "margin_prior_months,6,2000-01-01,TODO,TODO,Weight of the cell's margin in a customer's own (as so many months)",
    "margin_max_rate,0.01,2000-01-01,TODO,TODO,Contribution for a unit of assets and month beyond this does not come from assets",
    "growth_prior_months,6,2000-01-01,TODO,TODO,A trend of n months counts n / (n + this)",
    "growth_max_rate,0.03,2000-01-01,TODO,TODO,Largest trend of assets a month in either direction",
    "growth_fade_rate,0.94,2000-01-01,TODO,TODO,What is left of a trend a month later",
    "growth_step_rate,0.001,2000-01-01,TODO,TODO,Trends are told apart by this much a month and no finer",
    "value_discount_rate,0.10,2000-01-01,TODO,TODO,Yearly discount of lifetime value",
    "value_discount_low_rate,0.08,2000-01-01,TODO,TODO,Yearly discount of the lower variant",
    "value_discount_high_rate,0.12,2000-01-01,TODO,TODO,Yearly discount of the higher variant",
    "value_horizon_months,60,2000-01-01,TODO,TODO,Months ahead that lifetime value counts",
    "value_horizon_short_months,36,2000-01-01,TODO,TODO,Months ahead of the shorter variant",
    "value_horizon_long_months,120,2000-01-01,TODO,TODO,Months ahead of the longer variant; no horizon may be longer",
    "pyramid_platinum_share,0.01,2000-01-01,TODO,TODO,Share of customers at the top of the pyramid",
    "pyramid_gold_share,0.19,2000-01-01,TODO,TODO,Share of customers below them",
    "value_class_high_share,0.20,2000-01-01,TODO,TODO,Share of customers that counts as high in contribution and in growth with potential",
    "poaching_window_days,30,2000-01-01,TODO,TODO,Days (that of the outflow with them) within which what came back from a competitor is netted",
    "poaching_min_share,0.20,2000-01-01,TODO,TODO,Net outflow of the window from this share of the average assets before it on is poaching",
    'poaching_min_adb_amount,50000,2000-01-01,TODO,TODO,"Average assets before the window below this are too small for poaching, whatever the share"',
    "relationship_gap_days,180,2000-01-01,TODO,TODO,Days between a closing and a reopening up to which it is the same relationship",
    "value_churn_max_share,0.50,2000-01-01,TODO,TODO,A month's average assets net of market and FX at or below this share of their trailing maximum are below it",
    "value_churn_window_months,6,2000-01-01,TODO,TODO,Months whose maximum is the trailing one; those before the months that are judged",
    "value_churn_months,2,2000-01-01,TODO,TODO,Months running below the share that make value churn",
    "value_churn_min_amount,10000,2000-01-01,TODO,TODO,A trailing maximum below this is no base for value churn: a small balance swings",
    "silent_churn_days,180,2000-01-01,TODO,TODO,Days without an event of the customer's own at a month's end from which a customer is silent",
    "silent_watch_days,90,2000-01-01,TODO,TODO,Days without such an event from which a customer is watched",
    "churn_sign_days,180,2000-01-01,TODO,TODO,Days up to a month's end within which a sign of a cause that is no choice explains a churn",
    "lifecycle_onboarding_months,6,2000-01-01,TODO,TODO,Months from a customer's first day that are onboarding",
    "lifecycle_trend_months,6,2000-01-01,TODO,TODO,Months over which assets net of market and FX are compared",
    "lifecycle_growth_min_share,0.20,2000-01-01,TODO,TODO,Assets up by at least this share over those months are growing",
    "lifecycle_decline_min_share,0.20,2000-01-01,TODO,TODO,Assets down by at least this share over those months are declining",
    "lifecycle_trend_min_amount,10000,2000-01-01,TODO,TODO,Assets below this in both months have no trend",
    "lifecycle_won_back_months,6,2000-01-01,TODO,TODO,Months from the return of a lost customer that are won back",
    "cautious_risk_class_max,2,2000-01-01,TODO,TODO,Highest class of risk appetite (1 to 5) that counts as cautious",
    "waiver_max_days,30,2000-01-01,TODO,TODO,Days after which a waiver of a rule ends at the latest",
    "bridge_tolerance_amount,1,2000-01-01,TODO,TODO,What a customer's month may leave unexplained in the asset bridge and still be closed",
    "bridge_tolerance_share,0.0001,2000-01-01,TODO,TODO,The same as a share of opening or closing assets: the larger of both counts",
    "bridge_open_max_share,0,2000-01-01,TODO,TODO,Largest share of the bridge's customer-months that may stay open",
]
THRESHOLDS = [
    "changed_values_max_share,0.05,2000-01-01,TODO,TODO,TODO,Largest share of one column's values that may change between two deliveries",
    "changed_values_min_rows,3,2000-01-01,TODO,TODO,TODO,Fewer changed values than this are never a bulk change",
    "code_share_rows_min,20,2000-01-01,TODO,TODO,TODO,Rows of a date below which shares of codes are not judged",
    "comes_once_deliveries,10,2000-01-01,TODO,TODO,TODO,How many deliveries back the same event or the same content is looked for",
    "event_first,2000-01-01,2000-01-01,TODO,TODO,TODO,First date of anything the bank keeps; an earlier one stands for a date that is not known",
    "learned_deliveries_max,30,2000-01-01,TODO,TODO,TODO,Most deliveries of comparable days that bounds are learned from",
    "learned_deliveries_min,10,2000-01-01,TODO,TODO,TODO,Fewest deliveries of comparable days before bounds bind",
    "learned_floor_share,0.05,2000-01-01,TODO,TODO,TODO,Relative spread that every count is granted",
    "learned_floor_size,0.03,2000-01-01,TODO,TODO,TODO,Spread of a mean of log10 that every amount is granted",
    "learned_multiplier_block,7,2000-01-01,TODO,TODO,TODO,How many widths below the median of comparable deliveries stop the run",
    "learned_multiplier_near,5,2000-01-01,TODO,TODO,TODO,How many widths below the median are shown as near",
    "learned_other_days_factor,1.5,2000-01-01,TODO,TODO,TODO,How much wider bounds are while too few days of the same type are known",
    "ledger_tolerance_amount,0.00,2000-01-01,TODO,TODO,TODO,Largest gap between accounts and the general ledger in one line x branch x currency",
    "roll_forward_tolerance_amount,0.00,2000-01-01,TODO,TODO,TODO,Largest gap between a balance and the one before plus its movements",
    'text_length_max,2000,2000-01-01,TODO,TODO,TODO,"Longest text of a field, in characters"',
    "vanished_keys_max_share,0.005,2000-01-01,TODO,TODO,TODO,Largest share of keys that may vanish between two deliveries",
    "variety_lost_rows_min,2,2000-01-01,TODO,TODO,TODO,Rows that must change together before a column is said to have lost its variety",
]
AGE_BANDS = [
    "under_18,0,17,false,2000-01-01,TODO,TODO",
    "18_34,18,34,false,2000-01-01,TODO,TODO",
    "35_64,35,64,false,2000-01-01,TODO,TODO",
    "over_64,65,130,false,2000-01-01,TODO,TODO",
]

EXTRACTS_HEAD = """\
# How {bank} sends its extracts. What each line may say: CONTRIBUTING.md, "Add a source extract" and "Add a bank".
# `crm-warehouse profile check {bank}` says what is wrong and what to do next.
bank: {bank}
name_en: {bank}                          # TODO: the bank's name in English
name_zh: {bank}                          # TODO: and in Chinese
reporting_currency: CNY                  # TODO: what marts are in
timezone: Asia/Shanghai                  # TODO: the bank's zone of the tz database
initial_delivery_on: {first}          # TODO: business date of the first delivery
demo_last_business_date: {first}      # TODO: the last business date that there is
delivery_cut_off: "02:00"                # of the next day: when a delivery without a control file counts as received
customer_column: {customer_column}
# Canonical tables of which the bank has nothing, out of those every bank must provide (staging/*.sql of the others):
# not_provided: [core__balances]
sources:
"""

EXTRACTS_TAIL = """\
# Sources of other kinds, to copy and fill in:
#
#   wealth:
#     kind: parquet                       # files of a data platform; schema drift is refused
#     file: "wealth/{business_date}/{extract}.parquet"
#     control: true
#     extracts:
#       holdings:
#         delivery: full                  # full: the whole table; events: what happened; changes: new and changed rows
#         columns:
#           customer_id: {type: text, key: true, references: core.customers.customer_id}
#           product_id: {type: text, key: true, references: core.products.product_id}
#           market_value_amount: {type: decimal, required: true, control_total: true}
#   crm:
#     kind: http                          # pages of JSON; the address is in CRM_WAREHOUSE_CONNECTION_CRM_API
#     connection: crm_api
#     extracts:
#       contacts:
#         delivery: events
#         columns:
#           contact_id: {type: text, key: true}
#           contacted_at: {type: timestamp, required: true}
#   core_db:
#     kind: postgresql                    # one snapshot; the address is in CRM_WAREHOUSE_CONNECTION_CORE_REPLICA
#     connection: core_replica
#     table: core_banking.{extract}
#     business_date_column: business_date
#     extracts:
#       fees:
#         delivery: events
#         columns:
#           fee_id: {type: text, key: true}
#           charged_amount: {type: decimal, required: true, control_total: true}
"""
