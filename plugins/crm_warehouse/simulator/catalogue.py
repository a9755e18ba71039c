"""What the bank offers and knows: products, branches, transfer rates, unit costs, other institutions."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from crm_warehouse.simulator.journal import OWN_BANK, institution_names
from crm_warehouse.simulator.simulation import Simulation


@dataclass(frozen=True)
class Product:
    """drift and volatility are yearly; rate is the yearly interest of a deposit; minimum in CNY."""

    product_id: str
    name: str
    family: str
    risk: str
    currency: str = "CNY"
    minimum: int | None = None
    term_days: int | None = None
    launched_on: date = date(2015, 1, 1)
    fee_rate: float = 0.0
    counts_in_aum: bool = True
    rate: float = 0.0
    price: float = 1.0
    drift: float = 0.0
    volatility: float = 0.0


DEMAND = (
    Product("DEM-CNY", "人民币活期存款", "demand_deposit", "R1", rate=0.0010),
    Product("DEM-USD", "美元活期存款", "demand_deposit", "R1", currency="USD", rate=0.0050),
)
TERM = (
    Product("TD-3M", "三个月定期存款", "time_deposit", "R1", minimum=50, term_days=90, rate=0.0110),
    Product("TD-12M", "一年定期存款", "time_deposit", "R1", minimum=50, term_days=365, rate=0.0145),
    Product("TD-36M", "三年定期存款", "time_deposit", "R1", minimum=50, term_days=1095, rate=0.0190),
    Product("SD-6M", "挂钩汇率结构性存款", "structured_deposit", "R2", minimum=10_000, term_days=182, rate=0.0215),
    Product("CD-36M", "三年期大额存单", "certificate_of_deposit", "R1", minimum=200_000, term_days=1095, rate=0.0220),
)
HELD = (
    Product("WP-R2", "稳健日开理财", "wealth_product", "R2", minimum=100, fee_rate=0.0030,
            launched_on=date(2021, 3, 1), drift=0.026, volatility=0.006),
    Product("WP-R3", "固收增强理财", "wealth_product", "R3", minimum=10_000, term_days=180, fee_rate=0.0060,
            launched_on=date(2022, 6, 1), drift=0.034, volatility=0.025),
    Product("FD-MM", "货币市场基金", "fund", "R1", minimum=10, fee_rate=0.0025,
            launched_on=date(2018, 5, 2), drift=0.016, volatility=0.0005),
    Product("FD-EQ", "沪深股票基金", "fund", "R4", minimum=100, fee_rate=0.0120,
            launched_on=date(2019, 9, 2), price=1.35, drift=0.05, volatility=0.20),
    Product("INS-ANN", "年金保险", "insurance", "R2", minimum=10_000, fee_rate=0.0200,
            launched_on=date(2020, 1, 6), drift=0.025),
    Product("BD-GOV", "储蓄国债", "bond", "R1", minimum=100, term_days=1095, fee_rate=0.0010,
            launched_on=date(2023, 3, 10), price=100.0, drift=0.023, volatility=0.004),
    Product("TRUST-1", "家族信托计划一号", "trust", "R4", minimum=1_000_000, term_days=730, fee_rate=0.0100,
            launched_on=date(2024, 2, 1), price=100.0, drift=0.055, volatility=0.004),
    Product("GOLD-1", "积存金", "precious_metal", "R3", minimum=100, fee_rate=0.0050,
            launched_on=date(2017, 8, 1), price=620.0, drift=0.14, volatility=0.16),
    Product("CUST-SEC", "第三方存管证券资产", "custody", "R4", fee_rate=0.0002,
            launched_on=date(2012, 1, 4), price=10.0, drift=0.06, volatility=0.22),
)  # fmt: skip
LENT = (
    Product("LN-MTG", "个人住房贷款", "loan", "R1", term_days=7305, counts_in_aum=False, rate=0.0340),
    Product("LN-CON", "个人消费贷款", "loan", "R2", term_days=1095, counts_in_aum=False, rate=0.0385),
    Product("LN-OPR", "个人经营贷款", "loan", "R3", term_days=365, counts_in_aum=False, rate=0.0360),
    Product("CARD-CLS", "信用卡经典卡", "card", "R2", fee_rate=0.0045, counts_in_aum=False),
)
PRODUCTS = (*DEMAND, *TERM, *HELD, *LENT)
DEPOSITS = (*DEMAND, *TERM)

# Region: GB/T 2260 province code, name, and its five cities; then the tier of each city in the same order.
REGIONS = (
    ("110000", "北京市", ("朝阳", "海淀", "西城", "密云", "延庆")),
    ("310000", "上海市", ("浦东", "徐汇", "静安", "嘉定", "崇明")),
    ("320000", "江苏省", ("南京", "苏州", "南通", "昆山", "沭阳")),
    ("330000", "浙江省", ("杭州", "宁波", "温州", "义乌", "慈溪")),
    ("370000", "山东省", ("青岛", "济南", "临沂", "寿光", "滕州")),
    ("410000", "河南省", ("郑州", "洛阳", "南阳", "长垣", "永城")),
    ("440000", "广东省", ("深圳", "广州", "佛山", "惠东", "普宁")),
    ("510000", "四川省", ("成都", "绵阳", "宜宾", "简阳", "西充")),
)
CITY_TIERS = (
    ("tier_1", "tier_1", "tier_1", "county", "county"),
    ("tier_1", "tier_1", "tier_1", "tier_1", "county"),
    ("new_tier_1", "new_tier_1", "tier_2", "county", "county"),
    ("new_tier_1", "new_tier_1", "tier_2", "county", "county"),
    ("new_tier_1", "tier_2", "tier_3", "county", "county"),
    ("new_tier_1", "tier_3", "tier_3", "county", "county"),
    ("tier_1", "tier_1", "tier_2", "county", "county"),
    ("new_tier_1", "tier_3", "tier_3", "county", "county"),
)


def branch_columns() -> dict[str, np.ndarray]:
    """Forty branches, five to a region, row number = branch number."""
    rows = [
        (f"B{i * 5 + j + 1:03d}", f"{city}支行", code, region, CITY_TIERS[i][j])
        for i, (code, region, cities) in enumerate(REGIONS)
        for j, city in enumerate(cities)
    ]
    names = ("branch_id", "branch_name", "region_code", "region_name", "city_tier")
    return {name: np.array([row[i] for row in rows], dtype=object) for i, name in enumerate(names)}


def ftp_columns() -> dict[str, np.ndarray]:
    """Funds transfer prices: family x tenor x currency x effective date; deposits are bought, loans funded at them."""
    bases = (
        ("demand_deposit", 0, "CNY", 0.0125), ("demand_deposit", 0, "USD", 0.0280), ("time_deposit", 90, "CNY", 0.0160),
        ("time_deposit", 365, "CNY", 0.0185), ("time_deposit", 1095, "CNY", 0.0220),
        ("structured_deposit", 182, "CNY", 0.0240), ("certificate_of_deposit", 1095, "CNY", 0.0235),
        ("loan", 365, "CNY", 0.0190), ("loan", 1095, "CNY", 0.0215), ("loan", 7305, "CNY", 0.0255),
        ("card", 30, "CNY", 0.0165),
    )  # fmt: skip
    cuts = {date(2024, 1, 1): 0.0, date(2025, 5, 20): 0.0010, date(2025, 12, 1): 0.0015, date(2026, 4, 1): 0.0020}
    rows = [(*key, on, round(rate - cut, 6)) for *key, rate in bases for on, cut in cuts.items()]
    names = ("product_family", "tenor_days", "currency_code", "effective_on", "rate")
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}


def unit_cost_columns(simulation: Simulation) -> dict[str, np.ndarray]:
    """Cost of one activity by channel and month in CNY: full, and the part saved if it did not happen."""
    bases = (
        ("transaction", "branch", 14.0, 0.45), ("transaction", "atm", 3.2, 0.40), ("transaction", "mobile", 0.42, 0.30),
        ("transaction", "online", 0.65, 0.30), ("transaction", "system", 0.06, 0.35), ("contact", "visit", 260.0, 0.55),
        ("contact", "call", 22.0, 0.60), ("contact", "message", 1.5, 0.40), ("contact", "branch", 60.0, 0.50),
        ("contact", "event", 420.0, 0.80), ("account_maintenance", "system", 1.9, 0.30),
    )  # fmt: skip
    months = simulation.dates(simulation.months()[0])
    rows = [
        (activity, channel, month, full * (1 + 0.0025 * k), full * (1 + 0.0025 * k) * avoidable)
        for activity, channel, full, avoidable in bases
        for k, month in enumerate(months.tolist())
    ]
    names = ("activity", "channel", "month", "full_unit_cost", "avoidable_unit_cost")
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(names)}


def product_columns() -> dict[str, np.ndarray]:
    """Every product as the wealth system lists it."""
    names = ("product_id", "name", "family", "risk", "currency", "minimum", "term_days", "launched_on", "fee_rate",
             "counts_in_aum")  # fmt: skip
    return {name: pa.array([getattr(p, name) for p in PRODUCTS]) for name in names}


def institution_columns() -> dict[str, np.ndarray]:
    """Who stands on the other side of payments. No real institution bears these names."""
    kinds = {"BK": ("other_bank", "银行", "Bank"), "PP": ("payment_platform", "支付", "Pay"),
             "BR": ("broker", "证券", "Securities"), "OL": ("online_lender", "网贷", "Online Lending")}  # fmt: skip
    rows = []
    for institution in institution_names():
        kind, zh, en = kinds[institution[:2]]
        number = int(institution[2:])
        if institution == OWN_BANK:
            rows.append((institution, "参考银行", "Reference Bank", "own_bank"))
        else:
            rows.append((institution, "甲乙丙丁戊己庚辛"[number - 1] + zh, f"{en} {'ABCDEFGH'[number - 1]}", kind))
    names = ("institution_id", "institution_name_zh", "institution_name_en", "institution_type")
    return {name: np.array([row[i] for row in rows], dtype=object) for i, name in enumerate(names)}
