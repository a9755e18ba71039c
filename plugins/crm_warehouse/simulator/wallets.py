"""What customers truly have on payment platforms: the bank sees what goes in and comes back, never what is paid from there."""

import numpy as np
import pyarrow as pa

from crm_warehouse.simulator.books import Flows
from crm_warehouse.simulator.journal import CODES, DAY, institution_names, mixed, usual_institution
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import Block, padded

SEEN = ("platform_top_up", "platform_withdrawal")
MONEY_FUND = "PP03"  # top-ups of this platform go into a fund, and are spent more slowly


def platform_stocks(block: Block, spells: Spells, flows: Flows) -> pa.Table:
    """By customer and platform they ever sent money to: what is there at the end.

    A wallet begins with a little of before; each month a share of it, the customer's own, is spent on purchases.
    """
    simulation, rng = block.simulation, block.stream("wallets")
    opening = rng.exponential(200_00, block.size)
    spent_share = rng.beta(2, 6, block.size)
    saver_share = rng.beta(1.2, 20, block.size)

    account, second, amount, kind, entity, *_ = flows.journal.columns_from(0)
    rows = np.isin(kind, [CODES[name] for name in SEEN])
    customer = spells.customer[account[rows]]
    # Customer and platform as one number: each wallet is a row.
    place = usual_institution(kind[rows], mixed(entity[rows]))
    wallet, row = np.unique(customer * 1_000 + place, return_inverse=True)
    month = np.searchsorted(simulation.months()[0], second[rows] // DAY, side="right") - 1
    months = simulation.months()[0].size
    came = np.zeros((wallet.size, months))
    np.add.at(came, (row, month), -amount[rows])

    owner, place = wallet // 1_000, wallet % 1_000
    keeps = place == institution_names().index(MONEY_FUND)
    share = np.where(keeps, saver_share[owner], spent_share[owner])
    stock = opening[owner].round()
    for number in range(months):
        stock = np.maximum(stock + came[:, number], 0)
        stock = stock - (stock * share).round()
    return pa.table({
        "customer_id": pa.array(np.char.add("C", padded(block.first + owner + 1, 8)).astype(object), pa.string()),
        "platform_institution_id": pa.array(np.array(institution_names(), dtype=object)[place], pa.string()),
        "stock_amount": (stock / 100).round(2),
    })  # fmt: skip
