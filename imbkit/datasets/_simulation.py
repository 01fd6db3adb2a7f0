"""Customers, terminals and attacks: the random part of the transactions."""

from typing import NamedTuple

import numpy as np

from imbkit._core.types import AnyArray, FloatArray, IntArray
from imbkit.datasets._history import DAY, active

__all__ = ["simulate"]

AMOUNT_LIMIT = 250.0
MEDIAN_AMOUNT, SPREAD_AMOUNT = 35.0, 0.6
VARIATION = (0.3, 0.7)
DAILY_RATE, RATE_SHAPE = 2.0, 2.0
N_NEAREST = 20
# Share of the transactions, mean hour, standard deviation in hours; the rest is uniform.
DAY_PROFILE = ((0.40, 12.5, 2.0), (0.45, 18.0, 2.5))
MIX = (0.10, 0.45, 0.45)


class Attack(NamedTuple):
    """How a kind of fraud strikes its victims: for how many days, and how often meanwhile."""

    share: float
    chance: float
    shortest: float
    longest: float

    def rate(self, fraud_rate: float) -> float:
        """Attacks a day and victim that give the share of frauds asked for."""
        share = fraud_rate * self.share / self.chance
        return float(-np.log1p(-share) / ((self.shortest + self.longest) / 2))


TERMINAL = Attack(MIX[1], 0.6, 14.0, 28.0)
CARD = Attack(MIX[2], 1 / 3, 7.0, 21.0)


class Victims(NamedTuple):
    """Places of all entities of a kind, and the intervals (in days) in which they are hit."""

    places: FloatArray
    owner: IntArray
    start: FloatArray
    stop: FloatArray


def simulate(
    n_customers: int,
    n_terminals: int,
    n_days: int,
    *,
    fraud_rate: float,
    drift: float,
    seed: int,
) -> dict[str, AnyArray]:
    """Return second, customer, terminal, amount in cents and scenario of each transaction.

    Parameters
    ----------
    n_customers, n_terminals, n_days : int
        Sizes; at least 1.
    fraud_rate : float
        Expected share of frauds.
    drift : float
        Strength of the drift, from 0 to 1.
    seed : int
        Where all streams start.

    Returns
    -------
    dict of ndarray of shape (n_rows,)
        Sorted by second, then by customer.
    """
    rate = TERMINAL.rate(fraud_rate)
    terminals = _victims([_stream(seed, 0, i) for i in range(n_terminals)], TERMINAL, rate, n_days)
    streams = [_stream(seed, 1, i) for i in range(n_customers)]
    customers = _victims(streams, CARD, CARD.rate(fraud_rate), n_days)
    draws = _draws(streams, n_days)

    customer, day = draws["customer"], draws["day"]
    second = day * DAY + _second_of_day(draws["profile"], draws["normal"], draws["anywhere"])
    nearest = _nearest(customers.places, terminals.places)
    terminal = nearest[customer, _rank(draws["choice"], nearest.shape[1])]

    days = second / DAY
    elapsed = days / n_days
    large = draws["large"] < fraud_rate * MIX[0]
    tampered = active(terminal, days, *terminals[1:])
    tampered &= draws["tampered"] < TERMINAL.chance * (1 - drift * elapsed)
    stolen = active(customer, days, *customers[1:])
    stolen &= draws["stolen"] < CARD.chance * (1 + drift * elapsed)
    scenario = np.select([large, tampered, stolen], [1, 2, 3], 0)

    amount = draws["amount"] * (1 + drift * elapsed / 2)
    amount = np.where(amount > AMOUNT_LIMIT, AMOUNT_LIMIT * draws["again"], amount)
    amount = np.where(scenario == 3, 5 * amount, amount)
    # The lowest large purchase is one cent above the limit, the exponential starts there.
    excess = 0.01 - 100.0 * np.log1p(-draws["again"])
    amount = np.where(scenario == 1, AMOUNT_LIMIT + excess, amount)
    rows = {
        "second": second,
        "customer": customer,
        "terminal": terminal,
        "cents": np.maximum(np.rint(100 * amount).astype(np.int64), 1),
        "scenario": scenario.astype(np.int64),
    }
    order = np.lexsort((customer, second))
    return {name: column[order] for name, column in rows.items()}


def _stream(seed: int, kind: int, entity: int) -> np.random.Generator:
    """Return the stream that belongs to one entity, whatever others there are."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(kind, entity)))


def _victims(
    streams: list[np.random.Generator], attack: Attack, rate: float, n_days: int
) -> Victims:
    """Draw the places and the attacks; those that began before the record count as well."""
    places = np.array([rng.random(2) for rng in streams])
    span = n_days + attack.longest
    counts = [int(rng.poisson(rate * span)) for rng in streams]
    hits = [rng.random((n, 2)) for rng, n in zip(streams, counts, strict=True)]
    unit = np.concatenate(hits)
    start = unit[:, 0] * span - attack.longest
    length = attack.shortest + unit[:, 1] * (attack.longest - attack.shortest)
    return Victims(places, np.repeat(np.arange(len(streams)), counts), start, start + length)


def _draws(streams: list[np.random.Generator], n_days: int) -> dict[str, AnyArray]:
    """Draw all that customers' transactions need; each customer from its own stream."""
    uniform = ("choice", "profile", "anywhere", "large", "tampered", "stolen", "again")
    counts, uniforms, normals, amounts = [], [], [], []
    for rng in streams:
        mean = MEDIAN_AMOUNT * np.exp(SPREAD_AMOUNT * rng.standard_normal())
        variation = rng.uniform(*VARIATION)
        daily = rng.gamma(RATE_SHAPE, DAILY_RATE / RATE_SHAPE)
        count = rng.poisson(daily, n_days)
        n_rows = int(count.sum())
        counts.append(count)
        uniforms.append(rng.random((n_rows, len(uniform))))
        normals.append(rng.standard_normal(n_rows))
        amounts.append(rng.gamma(variation**-2, mean * variation**2, n_rows))
    per_day = np.array(counts)
    of_customer, of_day = np.divmod(np.arange(per_day.size), n_days)
    return {
        "customer": np.repeat(of_customer, per_day.ravel()),
        "day": np.repeat(of_day, per_day.ravel()),
        "normal": np.concatenate(normals),
        "amount": np.concatenate(amounts),
        **dict(zip(uniform, np.concatenate(uniforms).T, strict=True)),
    }


def _second_of_day(profile: FloatArray, normal: FloatArray, anywhere: FloatArray) -> IntArray:
    """Seconds after midnight from a mixture of two peaks and the whole day."""
    second = anywhere * DAY
    low = 0.0
    for share, hour, spread in DAY_PROFILE:
        at_peak = (low <= profile) & (profile < low + share)
        second = np.where(at_peak, 3600 * (hour + spread * normal), second)
        low += share
    return np.floor(second % DAY).astype(np.int64) % DAY


def _nearest(customers: FloatArray, terminals: FloatArray) -> IntArray:
    """Return the nearest terminals of each customer, nearest first."""
    from sklearn.neighbors import NearestNeighbors  # costs an import, needed only here

    finder = NearestNeighbors(n_neighbors=min(N_NEAREST, len(terminals))).fit(terminals)
    return finder.kneighbors(customers, return_distance=False)


def _rank(choice: FloatArray, n_ranks: int) -> IntArray:
    """Return ranks from 0, the r-th of them with probability proportional to 1 / r."""
    weight = np.cumsum(1 / np.arange(1, n_ranks + 1))
    return np.searchsorted(weight[:-1] / weight[-1], choice, side="right")
