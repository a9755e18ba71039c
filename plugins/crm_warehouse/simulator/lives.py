"""What happens to customers, month by month, and what it does to their assets: the causal model (see MODEL.md).

Everything here moves two hidden states of a relationship, satisfaction and loyalty, and the log of the assets it aims
at. The money itself follows in flows.py.
"""

from dataclasses import dataclass, replace

import numpy as np

from crm_warehouse.simulator.campaigns import CONTROL_SHARE, OFFERS, Campaigns
from crm_warehouse.simulator.managers import RESIGNED, RIVALS, Managers
from crm_warehouse.simulator.population import Population, Spells
from crm_warehouse.simulator.service import draw_requests
from crm_warehouse.simulator.simulation import NEVER, Block

MANAGED_FROM = 160_000  # CNY aimed at; below the 200,000 promised, because assets overshoot their aim within a month
STAYS_FROM = 4_000_000  # who has more never closes: one of them leaving would undo the concentration of a small bank

# Life events: chance per month, from and to which age, and the least and most they do to the log of assets.
LIFE_EVENTS = {
    "marriage": (0.0030, 24, 36, -0.25, -0.05),
    "child": (0.0030, 25, 42, -0.10, -0.02),
    "house_purchase": (0.0020, 27, 48, -0.80, -0.30),
    "inheritance": (0.0006, 35, 66, 0.15, 0.70),
    "divorce": (0.0005, 28, 60, -0.80, -0.50),
    "illness": (0.0006, 45, 90, -0.40, -0.10),
    "job_loss": (0.0008, 24, 58, -0.20, -0.05),
    "firm_sold": (0.0030, 45, 66, 0.30, 0.90),  # founders only
}
# What moved assets in a month, when one thing did more than any other.
CAUSES = ("own_saving", "market", "manager_effect", "loyalty", "campaign", "rival", "manager_left", *LIFE_EVENTS)
# Why a relationship ended. The first three are nobody's fault at the bank.
EXITS = ("death", "moved_away", "divorce", "price", "dormant", "dissatisfied", "rival")
PLANNED_EXITS = (0.25, 0.30, 0.05, 0.25, 0.15, 0.0, 0.0)  # of those who leave whatever the bank does


@dataclass(frozen=True)
class Lives:
    """What happened. Matrices are spells x months; rows of the tables are single happenings."""

    spells: Spells  # with their ends and the assets they aim at
    satisfaction: np.ndarray  # float32, end of month
    loyalty: np.ndarray
    cause: np.ndarray  # int8, code into CAUSES
    manager: np.ndarray  # who is or would be in charge
    own_manager: np.ndarray  # by spell: the first of those
    is_courted: np.ndarray
    courted_by: np.ndarray  # rival of the last courting, -1 if never
    exit_cause: np.ndarray  # by spell: code into EXITS, -1 if still here
    payroll_until: np.ndarray  # by spell: month in which the salary stops
    drains: dict[str, np.ndarray]  # money drawn to a rival: spell, month, share, rival, cause
    contacts: dict[str, np.ndarray]  # spell, month, manager, is_executive
    requests: dict[str, np.ndarray]
    members: dict[str, np.ndarray]  # of campaigns: campaign, spell, is_control, is_converted, share
    events: dict[str, np.ndarray]  # life events: spell, month, event


def live(block: Block, population: Population, managers: Managers, campaigns: Campaigns) -> Lives:
    """Two rounds with the same draws: who is rich enough for a manager depends on what the manager does."""
    base = population.base_path
    anchor = block.simulation.history_months
    effect = np.zeros_like(base)
    for _ in range(2):
        level = population.spells.wealth[:, None] * np.exp(base + effect - effect[:, anchor, None])
        lives, effect = _live_once(block, population, managers, campaigns, level)
    target = population.spells.wealth[:, None] * np.exp(base + effect - effect[:, anchor, None]) * population.growth
    return replace(lives, spells=replace(lives.spells, target=target))


def _live_once(
    block: Block, population: Population, managers: Managers, campaigns: Campaigns, level: np.ndarray
) -> tuple[Lives, np.ndarray]:
    simulation, spells, traits = block.simulation, population.spells, population.traits
    rng = block.stream("lives")  # always asked for n draws, so that both rounds see the same ones
    firsts, lasts = (days.tolist() for days in simulation.months())
    n, months = spells.start.size, len(firsts)
    age = traits.age[spells.customer]
    region = population.branch[spells.customer] // 5
    own_manager = managers.drawn_for(region, rng)
    quality = traits.branch_quality[population.branch[spells.customer]]
    temper = rng.normal(0, 0.07, n)
    end, exit_cause = spells.end.copy(), np.where(spells.end < NEVER, _planned_exits(rng, age), -1)
    # An open relationship ends no earlier than two months in, on a business day clear of month ends.
    open_days = simulation.open_days()
    satisfaction = np.clip(0.65 + quality + temper, 0.05, 0.98)
    loyalty = satisfaction.copy()
    courted_until, courted_by = np.full(n, -1), np.full(n, -1)
    payroll_until = np.full(n, months)
    effect = np.zeros((n, months + 1))
    seen = {name: np.zeros((n, months), dtype) for name, dtype in (
        ("satisfaction", np.float32), ("loyalty", np.float32), ("cause", np.int8), ("manager", np.int32),
        ("is_courted", bool))}  # fmt: skip
    drains, contacts, requests, members, events = [], [], [], [], []

    for month, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
        here = (spells.start <= first) & (end > last)
        assets = level[:, month]
        manager = managers.in_office(first)[own_manager]
        is_managed = here & (assets >= MANAGED_FROM)
        moved = dict.fromkeys(CAUSES, 0.0)
        moved["own_saving"] = population.base_path[:, month + 1] - population.base_path[:, month]
        moved["market"] = np.log(population.growth[:, month + 1] / population.growth[:, month])

        # The manager: an effect of his own, and visits that please or annoy.
        moved["manager_effect"] = managers.true_effect[manager] * is_managed
        times = np.minimum(rng.poisson(1.1, n), 3) * is_managed
        mechanical = managers.is_mechanical[manager]
        executive = is_managed & (assets >= 5_000_000) & (rng.random(n) < 0.04)
        felt = np.where(mechanical, -0.015, 0.012) * times + 0.06 * executive
        for who, is_executive in ((np.repeat(np.arange(n), times), False), (np.flatnonzero(executive), True)):
            contacts.append((who, np.full(who.size, month), manager[who], np.full(who.size, is_executive)))

        # Service: what is asked for, how it is handled.
        service_rng = block.stream("service", month)
        asked = np.repeat(np.arange(n), service_rng.poisson(np.where(spells.is_dormant, 0.003, 0.035), n) * here)
        day = service_rng.integers(first, last + 1, asked.size)
        handled = draw_requests(service_rng, asked, day, quality[asked], satisfaction[asked])
        requests.append(handled)
        felt = felt + np.bincount(asked, handled["experience"], minlength=n)
        base = 0.65 + quality + temper + np.where(is_managed, managers.care[manager], 0)
        satisfaction = np.clip(satisfaction + 0.25 * (base - satisfaction) + felt, 0.02, 0.98)
        loyalty = np.clip(loyalty + 0.2 * (satisfaction - loyalty) + rng.normal(0, 0.01, n), 0.02, 0.98)
        moved["loyalty"] = 0.02 * (loyalty - 0.65) * here

        # Life.
        for code, (event, (chance, youngest, oldest, least, most)) in enumerate(LIFE_EVENTS.items()):
            can = (
                here
                & (age >= youngest)
                & (age < oldest)
                & (traits.is_founder[spells.customer] | (event != "firm_sold"))
            )
            happens = (rng.random(n) < chance) & can
            moved[event] = np.where(happens, rng.uniform(least, most, n), 0.0)
            who = np.flatnonzero(happens)
            events.append((who, np.full(who.size, month), np.full(who.size, code)))
            if event == "job_loss":
                payroll_until[who] = np.minimum(payroll_until[who], month + 1)

        # Campaigns that start this month.
        moved["campaign"] = np.zeros(n)
        for campaign in np.flatnonzero(campaigns.month == month):
            joined = _run_campaign(rng, campaigns, campaign, traits, spells, assets, here)
            members.append(joined)
            gained = np.where(joined["is_converted"], np.log1p(joined["share"]), 0.0)
            moved["campaign"] += np.bincount(joined["spell"], gained, minlength=n)

        # Rivals court the rich; whoever is not loyal sends them money, or leaves for good.
        courts = here & (rng.random(n) < np.select([assets >= 2_000_000, assets >= 200_000], [0.015, 0.006], 0.0))
        courts &= courted_until < month
        courted_until[courts] = month + 3
        courted_by[courts] = rng.integers(0, RIVALS, n)[courts]
        is_courted = here & (courted_until >= month)
        yields = is_courted & (rng.random(n) < np.clip(0.5 * (0.72 - loyalty), 0.01, 0.4))
        courted_until[yields] = month
        # Managers who resign take along those who are bound to them more than to the bank.
        leaves = (managers.left[manager] >= first) & (managers.left[manager] <= last)
        goes_along = is_managed & leaves & (managers.reason[manager] == RESIGNED) & ~yields
        goes_along &= rng.random(n) < managers.follow_share[manager] * np.clip(1.65 - loyalty, 0.3, 1.3)
        drained = np.clip(rng.beta(4, 4, n), 0.25, 0.95)
        for cause, who, rival in (("rival", yields, courted_by), ("manager_left", goes_along, managers.rival[manager])):
            moved[cause] = np.where(who, np.log1p(-drained), 0.0)
            rows = np.flatnonzero(who)
            code = np.full(rows.size, CAUSES.index(cause))
            drains.append((rows, np.full(rows.size, month), drained[rows], rival[rows], code))

        # Leaving for good. Who has joined or will be closed anyway is left alone.
        may_close = here & (end == NEVER) & (assets < STAYS_FROM) & (spells.start < first - 60)
        draw = rng.random(n)
        chances = {
            "death": 0.00003 * np.exp((age - 40) / 11),
            "moved_away": 0.0001,
            "dissatisfied": np.where(loyalty < 0.42, 0.03, 0.0),
            "rival": np.where(yields, 0.25, 0.0),
        }
        days = open_days[(open_days >= first + 3) & (open_days <= min(first + 24, last - 2))]
        if days.size:
            for cause, chance in chances.items():
                gone = may_close & (draw < chance)
                draw = draw - chance
                end[gone], exit_cause[gone] = days[rng.integers(0, days.size, n)][gone], EXITS.index(cause)
                may_close &= ~gone

        effect[:, month + 1] = effect[:, month] + sum(
            shift for cause, shift in moved.items() if cause not in ("own_saving", "market")
        )
        strength = np.abs([np.broadcast_to(moved[cause], n) for cause in CAUSES])
        for name, values in (("satisfaction", satisfaction), ("loyalty", loyalty), ("manager", manager),
                             ("is_courted", is_courted), ("cause", strength.argmax(axis=0))):  # fmt: skip
            seen[name][:, month] = values

    def table(names: str, parts: list) -> dict[str, np.ndarray]:
        return dict(zip(names.split(), (np.concatenate(part) for part in zip(*parts, strict=True)), strict=True))

    def joined(parts: list[dict]) -> dict[str, np.ndarray]:
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    lives = Lives(
        spells=replace(spells, end=end), exit_cause=exit_cause, courted_by=courted_by, payroll_until=payroll_until,
        own_manager=own_manager,
        drains=table("spell month share rival cause", drains),
        contacts=table("spell month manager is_executive", contacts), requests=joined(requests),
        members=joined(members), events=table("spell month event", events), **seen,
    )  # fmt: skip
    return lives, effect


def _planned_exits(rng: np.random.Generator, age: np.ndarray) -> np.ndarray:
    """Why those leave who would leave whatever the bank does; the old die more often."""
    cause = rng.choice(len(EXITS), age.size, p=PLANNED_EXITS)
    return np.where((age > 70) & (rng.random(age.size) < 0.6), EXITS.index("death"), cause)


def _run_campaign(rng, campaigns: Campaigns, campaign: int, traits, spells: Spells, assets, here) -> dict:
    """Members of one campaign and whether they convert: contacted or not decides by the true uplift."""
    _, _, least, most = OFFERS[campaigns.offer[campaign]]
    eligible = here & (assets >= least) & (assets < most) & ~spells.is_dormant
    n = here.size
    spell = np.flatnonzero(eligible & (rng.random(n) < campaigns.reach[campaign]))
    is_control = rng.random(n)[spell] < CONTROL_SHARE
    chance = campaigns.base_rate[campaign] + np.where(is_control, 0, campaigns.true_uplift[campaign])
    is_converted = rng.random(n)[spell] < chance
    # What comes in is part of what lies elsewhere, at most three tenths of what is here.
    elsewhere = traits.elsewhere_ratio[spells.customer[spell]]
    share = np.minimum(rng.uniform(0.03, 0.30, n)[spell], 0.5 * elsewhere)
    return {
        "campaign": np.full(spell.size, campaign), "spell": spell, "is_control": is_control,
        "is_converted": is_converted, "share": share, "amount": (share * assets[spell] * 100).astype(np.int64) + 100,
        "second": rng.integers(0, 86_400, n)[spell], "answer_days": rng.integers(0, 18, n)[spell],
        "is_answered": rng.random(n)[spell] < 0.12,
    }  # fmt: skip
