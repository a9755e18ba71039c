"""Service requests: how often, through which stages, how long the wait, and how the customer takes it."""

import numpy as np

from crm_warehouse.simulator.journal import DAY, HOUR, HOURS

CATEGORIES = ("card", "transfer", "account", "loan", "investment", "mobile_app", "fee", "staff")
CATEGORY_SHARES = (0.20, 0.16, 0.16, 0.08, 0.12, 0.14, 0.08, 0.06)
CHANNELS = ("call", "mobile", "branch", "online", "manager")
PRIORITIES = ("low", "normal", "high")
STAGES = ("front", "middle", "back")
STAGE_HOURS = np.array([0.6, 9.0, 40.0])  # median time to resolve a request that ends at this stage
RESOLUTIONS = ("answered", "corrected", "compensated", "refused", "referred")


def draw_requests(
    rng: np.random.Generator, spell: np.ndarray, day: np.ndarray, quality: np.ndarray, satisfaction: np.ndarray
) -> dict[str, np.ndarray]:
    """One row per request; quality of the branch and satisfaction of the customer, both by request, shape what comes.

    Seconds are local, since history began; -1 is not (yet). experience is what the request does to satisfaction.
    """
    n = spell.size
    opened = day * DAY + rng.choice(24, n, p=HOURS) * HOUR + rng.integers(0, HOUR, n)
    is_complaint = rng.random(n) < np.clip(0.55 - 0.55 * satisfaction, 0.03, 0.6)
    stage = np.where(is_complaint, rng.choice(3, n, p=(0.3, 0.4, 0.3)), rng.choice(3, n, p=(0.72, 0.2, 0.08)))
    # A good branch is quick: its waits are shorter by a factor of up to two.
    slowness = np.exp(-4 * quality)
    acknowledged = opened + (rng.lognormal(-0.7, 0.8, n) * slowness * HOUR).astype(np.int64) + 60
    hours = STAGE_HOURS[stage] * rng.lognormal(0, 0.7, n) * slowness
    resolved = acknowledged + (hours * HOUR).astype(np.int64) + 60
    is_reopened = rng.random(n) < 0.05 + 0.10 * is_complaint
    reopened = np.where(is_reopened, resolved + rng.integers(4 * HOUR, 6 * DAY, n), -1)
    resolution = np.where(is_complaint, rng.choice(5, n, p=(0.2, 0.35, 0.2, 0.2, 0.05)),
                          rng.choice(5, n, p=(0.7, 0.15, 0.0, 0.05, 0.1)))  # fmt: skip
    wait = np.log1p(hours / 24)
    experience = 0.03 - 0.06 * wait - 0.07 * is_complaint - 0.05 * is_reopened - 0.06 * (resolution == 3)
    felt = satisfaction + experience * 2 + rng.normal(0, 0.1, n)
    score = np.where(rng.random(n) < 0.4, np.clip(np.floor(felt * 5 + 1), 1, 5), -1).astype(np.int64)
    return {
        "spell": spell, "day": opened // DAY, "opened": opened, "acknowledged": acknowledged, "resolved": resolved,
        "reopened": reopened, "category": rng.choice(len(CATEGORIES), n, p=CATEGORY_SHARES),
        "channel": rng.choice(len(CHANNELS), n, p=(0.4, 0.3, 0.15, 0.1, 0.05)),
        "priority": np.where(is_complaint, 2, rng.choice(3, n, p=(0.25, 0.65, 0.1))), "is_complaint": is_complaint,
        "stage": stage, "resolution": resolution, "score": score, "experience": experience,
    }  # fmt: skip
