"""The journal of account transactions, and what each kind of transaction is."""

from dataclasses import dataclass

import numpy as np

HOUR, DAY = 3_600, 86_400  # seconds

# Share of customers' doings that begin in each hour of the day: a quiet night, two humps with lunch between.
HOURS = np.array([4, 2, 1, 1, 1, 3, 12, 30, 62, 90, 98, 88, 74, 70, 82, 86, 80, 72, 66, 70, 72, 56, 30, 12]) / 1162

CHANNELS = ("branch", "atm", "mobile", "online", "system")
COUNTERPARTY_TYPES = (
    "own_account", "same_bank", "other_bank", "payment_platform", "broker", "online_lender", "merchant", "payroll",
    "fee", "interest",
)  # fmt: skip
# Where the other side is: prefix of its institution ids, and how many there are.
INSTITUTIONS = {"other_bank": ("BK", 8), "payment_platform": ("PP", 3), "broker": ("BR", 3), "online_lender": ("OL", 3)}
OWN_BANK = "BK00"


@dataclass(frozen=True)
class Kind:
    transaction_type: str
    counterparty_type: str | None
    channels: str  # one letter per chance in ten: (b)ranch, (a)tm, (m)obile, (o)nline, (s)ystem
    is_own_name: bool = False


KINDS = {
    "payroll": Kind("salary", "payroll", "ssssssssss"),
    "platform_purchase": Kind("purchase", "payment_platform", "mmmmmmmmmo"),
    "platform_top_up": Kind("transfer_out", "payment_platform", "mmmmmmmmmm", True),
    "platform_withdrawal": Kind("transfer_in", "payment_platform", "mmmmmmmmmm", True),
    "merchant_purchase": Kind("purchase", "merchant", "mmmmooooos"),
    "cash_withdrawal": Kind("cash_withdrawal", None, "aaaaaaabbb"),
    "own_transfer_out": Kind("transfer_out", "other_bank", "mmmmmmmoob", True),
    "own_transfer_in": Kind("transfer_in", "other_bank", "mmmmmmmoob", True),
    "transfer_out": Kind("transfer_out", "other_bank", "mmmmmmooob"),
    "transfer_in": Kind("transfer_in", "other_bank", "ssssssssss"),
    "investment_purchase": Kind("investment_purchase", "own_account", "mmmmmoobbb", True),
    "investment_redemption": Kind("investment_redemption", "own_account", "mmmmmmmoob", True),
    "securities_out": Kind("securities_transfer", "broker", "mmmmmmmmoo", True),
    "securities_in": Kind("securities_transfer", "broker", "mmmmmmmmoo", True),
    "term_opening": Kind("term_deposit_opening", "own_account", "mmmmmmmobb", True),
    "term_payout": Kind("term_deposit_payout", "own_account", "ssssssssss", True),
    "interest": Kind("interest", "interest", "ssssssssss"),
    "fee": Kind("fee", "fee", "ssssssssss"),
    "loan_repayment": Kind("loan_repayment", "same_bank", "ssssssssss", True),
    "lender_repayment": Kind("loan_repayment", "online_lender", "mmmmmmmmms", False),
    "closing_payout": Kind("closing_payout", "other_bank", "bbbbbbbbmm", True),
    "reversal": Kind("reversal", "payment_platform", "ssssssssss"),
}
CODES = {name: code for code, name in enumerate(KINDS)}

# Who stands behind an entity number, so that the same party always gets the same name token.
EMPLOYERS, MERCHANTS, PERSONS, OWN_NAMES = (block * 10**9 for block in (1, 2, 3, 4))


def mixed(numbers: np.ndarray) -> np.ndarray:
    """A fixed 64-bit scrambling of integers (splitmix64): the same on every machine, unlike hash()."""
    value = np.asarray(numbers).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


class Journal:
    """Collects postings. amount is in signed minor units of the account's currency: credit positive."""

    def __init__(self) -> None:
        self._parts: list[tuple[np.ndarray, ...]] = []

    def post(self, kind: str, account, day, second, amount, entity=-1, pair=-1, institution=-1) -> None:
        """Add one posting per element; second is local, within the day; postings of nothing are left out.

        entity is the other party (-1 none), institution where it is (-1: wherever this party always is); pair ties a transaction (pair) to its reversal (same pair), -1 if none.
        """
        amount = np.asarray(amount)
        keep = np.flatnonzero(amount)
        columns = (account, np.asarray(day) * DAY + second, amount, CODES[kind], entity, pair, institution)
        self._parts.append(tuple(np.broadcast_to(column, amount.shape)[keep].astype(np.int64) for column in columns))

    def columns_from(self, part: int) -> tuple[np.ndarray, ...]:
        """Everything posted since part_count was part: account, local second, amount, kind, entity, pair,
        institution."""
        return tuple(np.concatenate(column) for column in zip(*self._parts[part:], strict=True))

    @property
    def part_count(self) -> int:
        return len(self._parts)


def described(columns: tuple[np.ndarray, ...], first_day: int) -> dict[str, np.ndarray]:
    """Transactions from first_day on in the order they were posted in, with codes into the vocabularies above (-1 = null)."""
    account, second, amount, kind, *_ = columns = tuple(c[columns[1] >= first_day * DAY] for c in columns)
    order = np.lexsort((amount, kind, account, second))
    account, second, amount, kind, entity, pair, given = (c[order] for c in columns)
    kinds = list(KINDS.values())
    deck = np.array([["bamos".index(letter) for letter in k.channels] for k in kinds])
    shuffled = mixed(second * 1_000_003 + account)
    party = mixed(entity)
    institution = np.where(given >= 0, given, usual_institution(kind, party))
    # One payment platform in forty is written in free text that no one has mapped: it arrives without an id.
    unmapped = (kind == CODES["platform_purchase"]) & (shuffled % np.uint64(40) == 0)
    reversal = np.flatnonzero(kind == CODES["reversal"])
    original = np.flatnonzero((pair >= 0) & (kind != CODES["reversal"]))
    original = original[np.argsort(pair[original])]
    reversal_of = np.full(account.size, -1)
    found = np.isin(pair[reversal], pair[original])  # what was posted before first_day is not
    reversal_of[reversal[found]] = original[np.searchsorted(pair[original], pair[reversal[found]])]
    types = [None if k.counterparty_type is None else COUNTERPARTY_TYPES.index(k.counterparty_type) for k in kinds]
    return {
        "account": account,
        "second": second,
        "day": second // DAY,
        "amount": amount,
        "kind": kind,
        "channel": deck[kind, (shuffled % np.uint64(10)).astype(np.int64)],
        "institution": np.where(unmapped | (institution < 0), -1, institution),
        "counterparty": np.array([-1 if t is None else t for t in types])[kind],
        "token": party,
        "has_token": entity >= 0,
        "is_own_name": np.array([k.is_own_name for k in kinds])[kind],
        "reversal_of": reversal_of,
    }


def usual_institution(kind: np.ndarray, party: np.ndarray) -> np.ndarray:
    """Code of the institution a party (scrambled) always is at, by kind of posting; -1 where a kind has none."""
    kinds, names = list(KINDS.values()), institution_names()
    first, size = np.full(len(kinds), -1), np.ones(len(kinds), dtype=np.int64)
    for code, k in enumerate(kinds):
        if k.counterparty_type in INSTITUTIONS:
            prefix, size[code] = INSTITUTIONS[k.counterparty_type]
            first[code] = names.index(f"{prefix}01")
        elif k.counterparty_type in ("own_account", "same_bank"):
            first[code] = names.index(OWN_BANK)
    return first[kind] + (party % size[kind].astype(np.uint64)).astype(np.int64)


def institution_names() -> list[str]:
    """Institution ids, row number = institution code."""
    return [OWN_BANK, *(f"{prefix}{i + 1:02d}" for prefix, size in INSTITUTIONS.values() for i in range(size))]


def rival_code(rival: np.ndarray) -> np.ndarray:
    """Institution codes of the rival banks 0..7, which are BK01..BK08."""
    return institution_names().index("BK01") + rival
