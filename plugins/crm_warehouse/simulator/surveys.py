"""What customers answer when asked, and that many do not."""

import numpy as np

from crm_warehouse.simulator.journal import DAY, HOUR
from crm_warehouse.simulator.lives import Lives
from crm_warehouse.simulator.simulation import Block

# Question: survey, least and most score, what the answer rests on, and the share of those asked.
QUESTIONS = {
    "would_recommend": ("nps", 0, 10, "loyalty", 0.08),
    "brand_trust": ("brand", 1, 5, "loyalty", 0.03),
    "service_expected": ("expectation", 1, 5, "hope", 0.03),
    "service_perceived": ("expectation", 1, 5, "satisfaction", 0.03),
    "request_handled": ("csat", 1, 5, "request", 0.0),  # asked of all who rated a service request
}


def survey_columns(block: Block, lives: Lives) -> dict[str, np.ndarray]:
    """Every third month a sample is asked; the loyal answer more often. Seconds are local; -1 is not answered."""
    rng, spells, simulation = block.stream("surveys"), lives.spells, block.simulation
    parts = []
    for month, (first, last) in enumerate(zip(*(days.tolist() for days in simulation.months()), strict=True)):
        if month % 3 != 2:
            continue
        n = spells.start.size
        loyalty, satisfaction = lives.loyalty[:, month], lives.satisfaction[:, month]
        asked_at = min(first + 9, last) * DAY + 10 * HOUR + rng.integers(0, 6 * HOUR, n)
        is_asked = (spells.start < first - 30) & (spells.end > last) & ~spells.is_dormant
        answers = rng.random(n) < 0.12 + 0.35 * loyalty
        answered_at = np.where(answers, asked_at + rng.integers(600, 6 * DAY, n), -1)
        # Expected and perceived service are asked of the same people, else the gap could not be told.
        chosen, mood = rng.random(n), rng.normal(0, 0.1, n)
        feelings = {"loyalty": loyalty, "satisfaction": satisfaction, "hope": 0.78 + mood}
        for code, (_, least, most, rests_on, share) in enumerate(QUESTIONS.values()):
            if rests_on == "request":
                continue
            spell = np.flatnonzero(is_asked & (chosen < share))
            felt = feelings[rests_on][spell] + rng.normal(0, 0.12, spell.size)
            score = np.clip(np.floor(felt * (most - least + 1)) + least, least, most).astype(np.int64)
            parts.append((spell, np.full(spell.size, code), asked_at[spell], answered_at[spell], score))
    requests = lives.requests
    rated = np.flatnonzero(requests["score"] > 0)
    asked_at = requests["resolved"][rated] + HOUR
    code = np.full(rated.size, list(QUESTIONS).index("request_handled"))
    answered_at = asked_at + rng.integers(60, 2 * DAY, rated.size)
    parts.append((requests["spell"][rated], code, asked_at, answered_at, requests["score"][rated]))
    spell, question, sent, answered, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((question, spell, sent))
    columns = {"customer": spells.customer[spell], "question": question, "sent": sent, "answered": answered,
               "score": np.where(answered >= 0, score, -1)}  # fmt: skip
    return {name: column[order] for name, column in columns.items()}
