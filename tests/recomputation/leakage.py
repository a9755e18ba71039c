"""Money that leaves for payment platforms, other banks, brokers and lenders, by definition."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from .arithmetic import ONE, ZERO, Dated, month_of, rounded
from .bank import Bank, Transaction
from .flow_classes import classify

OUTSIDE = ("payment_platform", "other_bank", "broker", "online_lender")
NOBODY = "unmapped"


@dataclass(frozen=True)
class Outside:
    """A customer's part of one payment, what took it back already off, and who policy says is on the other side."""

    transaction: Transaction
    customer: str
    use: str | None
    amount: Fraction  # > 0 comes in, < 0 goes out
    is_out: bool
    institution: str | None
    top_up_use: str
    is_name_known: bool


def outside_flows(bank: Bank) -> list[Outside]:
    classes = classify(bank)
    external = [t for t in bank.transactions if classes[t.transaction_id].flow_class == "external"]
    taken_back: dict[str, Decimal] = defaultdict(Decimal)
    for transaction in external:
        if transaction.reversal_of:
            taken_back[transaction.reversal_of] += transaction.amount
    shops = {t.name_token for t in external if t.counterparty_type == "merchant" and t.name_token}
    held = {position.account_id: position.holders for position in bank.positions if position.account_id}
    policy = mappings(bank)
    found = []
    for transaction in external:
        if transaction.reversal_of or transaction.counterparty_type not in OUTSIDE:
            continue
        amount = transaction.amount + taken_back[transaction.transaction_id]
        if (amount > 0) != (transaction.amount > 0):
            amount = ZERO
        rate = bank.rates[transaction.currency].on(transaction.day)
        worth = rounded(Fraction(amount) * Fraction(rate), 6)
        institution, use, name = identified(bank, policy, transaction)
        known = name is not None or transaction.name_token in shops
        owner = bank.accounts[transaction.account_id].customer_id
        for customer, share in (held.get(transaction.account_id) or {owner: ONE}).items():
            if share > 0 and customer in bank.customers:
                part = Fraction(worth) * Fraction(share)
                out = transaction.amount < 0
                use_of = classes[transaction.transaction_id].flow_use
                found.append(Outside(transaction, customer, use_of, part, out, institution, use, known))
    return found


def mappings(bank: Bank) -> dict[tuple[str, str], Dated]:
    rows = defaultdict(list)
    for row in bank.policy("counterparty_mappings"):
        said = row["institution_id"], row["top_up_use"] or "top_up"
        rows[row["counterparty_kind"], row["counterparty"]].append((date.fromisoformat(row["effective_from"]), said))
    return {key: Dated(pairs) for key, pairs in rows.items()}


def identified(bank: Bank, policy: dict, transaction: Transaction) -> tuple[str | None, str, str | None]:
    """The institution, what transfers to it go into, and the institution that the name alone tells."""

    def said(kind: str, counterparty: str | None) -> tuple[str, str] | None:
        rows = policy.get((kind, counterparty))
        return rows.on(transaction.day) if rows else None

    by_name = said("name", transaction.name_token)
    name = by_name[0] if by_name else None
    if by_id := said("institution", transaction.institution_id):
        return (*by_id, name)
    if transaction.institution_id in bank.institutions:
        return transaction.institution_id, "top_up", name
    return (*by_name, name) if by_name else (None, "top_up", None)


def payment_platform_flows(bank: Bank, flows: list[Outside]) -> dict[tuple[str, date, str], dict]:
    exact = defaultdict(lambda: defaultdict(Fraction))
    for flow in flows:
        if flow.transaction.counterparty_type != "payment_platform":
            continue
        part = "inflow" if not flow.is_out else "spend" if flow.use == "spend" else flow.top_up_use
        cell = exact[flow.customer, flow.institution or NOBODY, month_of(flow.transaction.day)]
        cell[part] += abs(flow.amount)
        if part == "spend" and flow.is_name_known:
            cell["visible_spend"] += abs(flow.amount)
    parts = ("inflow", "spend", "top_up", "money_fund", "visible_spend")
    shown = {key: {part: rounded(cell[part], 2) for part in parts} for key, cell in exact.items()}
    nothing = dict.fromkeys(parts, Decimal("0.00"))
    present = bank.customer_months()
    months_of = defaultdict(set)
    for customer, month in present:
        months_of[customer].add(month)
    rows = {}
    for customer, platform in {key[:2] for key in shown}:
        stock = Decimal("0.00")
        flow_months = {month for of, where, month in shown if (of, where) == (customer, platform)}
        for month in sorted(months_of[customer] | flow_months):
            cell = shown.get((customer, platform, month), nothing)
            stock = max(stock + cell["top_up"] + cell["money_fund"] - cell["inflow"], Decimal("0.00"))
            if month in flow_months or stock > 0:
                rows[customer, month, platform] = {
                    "outflow_amount": cell["spend"] + cell["top_up"] + cell["money_fund"],
                    **{f"{part}_amount": cell[part] for part in ("inflow", "spend", "top_up", "money_fund")},
                    "estimated_stock_amount": stock,
                    "is_estimated": True,
                    "visible_spend_amount": cell["visible_spend"],
                    "visible_merchant_share": share(cell["visible_spend"], cell["spend"]),
                }
    total, unmapped = defaultdict(Decimal), defaultdict(Decimal)
    for (customer, month, platform), row in rows.items():
        total[customer, month] += row["outflow_amount"]
        if platform == NOBODY:
            unmapped[customer, month] += row["outflow_amount"]
    for key, row in rows.items():
        row["unmapped_outflow_amount"], row["total_outflow_amount"] = unmapped[key[:2]], total[key[:2]]
        row["unmapped_share"] = share(unmapped[key[:2]], total[key[:2]])
    return rows


def share(part: Decimal, whole: Decimal | None) -> Decimal | None:
    return rounded(Fraction(part) / Fraction(whole), 6) if whole and whole > 0 else None


def competitor_outflows(bank: Bank, flows: list[Outside], aum: dict) -> dict[tuple[str, str, str, date], dict]:
    out, back, names = defaultdict(Fraction), defaultdict(Fraction), defaultdict(list)
    for flow in flows:
        transaction = flow.transaction
        kind, own = transaction.counterparty_type, transaction.is_own_name
        if kind == "payment_platform" or (kind != "online_lender" and own is False):
            continue
        key = flow.customer, flow.institution or transaction.institution_id or NOBODY, kind, transaction.day
        if flow.is_out:
            out[key] += abs(flow.amount)
            names[key].append(own)
        else:
            back[key] += abs(flow.amount)
    # What is netted with what, by day: brokers and custody are one.
    nets = defaultdict(lambda: defaultdict(Fraction))
    for sign, amounts in ((1, out), (-1, back)):
        for key, amount in amounts.items():
            nets[netted_with(key)][key[3]] += sign * amount
    for customer, day, amount in custody_orders(bank):
        nets[customer, "broker", None][day] -= amount
    assets = defaultdict(Decimal)
    for (customer, month, _), row in aum.items():
        assets[customer, month] += row["adb_amount"]

    window, least, smallest = (Dated(parameter_rows(bank, f"poaching_{name}")) for name in
                               ("window_days", "min_share", "min_adb_amount"))  # fmt: skip
    rows, poached = {}, defaultdict(list)
    for key in sorted((key for key, amount in out.items() if amount > 0), key=lambda key: key[3]):
        customer, destination, kind, day = key
        first_of_month = month_of(day)
        days = int(window.on(first_of_month))
        begins = day - timedelta(days=days - 1)
        gone = rounded(sum(amount for of, amount in nets[netted_with(key)].items() if begins <= of <= day), 2)
        before = assets.get((customer, month_of(month_of(begins) - timedelta(days=1))))
        own = False if False in names[key] else None if None in names[key] else True
        if kind != "other_bank":
            is_poaching = False
        elif own is None or before is None:
            is_poaching = None
        else:
            is_poaching = before >= smallest.on(first_of_month) and gone >= least.on(first_of_month) * before
        starts = is_poaching
        if is_poaching:
            starts = not any(day - timedelta(days=days) <= of for of in poached[customer, destination])
            poached[customer, destination].append(day)
        rows[key] = {
            "is_own_name": own,
            "outflow_amount": rounded(out[key], 2),
            "net_outflow_30d_amount": gone,
            "adb_amount": before,
            "share_of_adb": share(gone, before),
            "is_poaching": is_poaching,
            "starts_poaching": starts,
        }
    return rows


def netted_with(key: tuple[str, str, str, date]) -> tuple[str, str, str | None]:
    customer, destination, kind, _ = key
    return customer, kind, None if kind == "broker" else destination


def custody_orders(bank: Bank) -> list[tuple[str, date, Fraction]]:
    return [
        (order.customer_id, order.day, Fraction(rounded(order.amount * bank.rates[order.currency].on(order.day), 6)))
        for order in bank.orders
        if order.side in ("buy", "redeem")
        and bank.products[order.product_id]["product_family"] == "custody"
        and str(bank.products[order.product_id]["counts_in_aum"]).lower() == "true"
    ]


def parameter_rows(bank: Bank, name: str) -> list[tuple[date, Decimal]]:
    return [
        (date.fromisoformat(row["effective_from"]), Decimal(row["value"]))
        for row in bank.policy("policy_parameters")
        if row["parameter"] == name
    ]


def unmapped_counterparties(flows: list[Outside]) -> dict[tuple[str, str, str], dict]:
    """By type, kind and counterparty: what nobody has mapped."""
    groups = defaultdict(list)
    for flow in flows:
        if flow.institution is None:
            of = flow.transaction
            kind = "institution" if of.institution_id else "name" if of.name_token else "none"
            groups[of.counterparty_type, kind, of.institution_id or of.name_token or "none"].append(flow)
    amounts = {
        key: rounded(sum((abs(flow.amount) for flow in members if flow.is_out), Fraction(0)), 2)
        for key, members in groups.items()
    }
    ranked = sorted(groups, key=lambda key: (-amounts[key], *key))
    return {
        key: {
            "transactions": len({flow.transaction.transaction_id for flow in groups[key]}),
            "customers": len({flow.customer for flow in groups[key]}),
            "outflow_amount": amounts[key],
            "first_on": min(flow.transaction.day for flow in groups[key]),
            "last_on": max(flow.transaction.day for flow in groups[key]),
            "amount_rank": rank,
        }
        for rank, key in enumerate(ranked, start=1)
    }
