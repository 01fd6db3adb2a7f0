"""Rows drawn from shuffled lists, one a class, and the places of a batch shared out to classes."""

from collections.abc import Callable, Sequence
from math import gcd

import numpy as np

from imbkit._core.rng import derive
from imbkit._core.types import FloatArray, IntArray

__all__ = ["ClassCycles", "fill", "generator", "in_proportion", "quota_slots"]


_LONG = 16  # a list as many times longer than an epoch's part of it is read in pieces
_LEAST_PIECE = 4096


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return the random numbers of one named part of a sampler's work."""
    return np.random.default_rng(derive(seed, *keys))


class ClassCycles:
    """Endless shuffled lists of rows: each row comes once before any comes again.

    A list can be read from any place on, and is the same whenever it is read, so that an epoch
    goes on where the one before it ended and still depends on nothing but its number.

    Parameters
    ----------
    seed : int
        Seed of the shuffles.
    sizes : sequence of int
        Rows of each list, at least 1.
    members : callable
        Returns the rows of a list by its number.
    expected : sequence of float
        How many rows an epoch reads of each list, more or less.
    weight : ndarray of shape (n,), default=None
        Weights of all rows: a list is then no cycle, but rows in proportion to their weights.
    """

    def __init__(
        self,
        seed: int,
        sizes: Sequence[int] | IntArray,
        members: Callable[[int], IntArray],
        expected: Sequence[float] | FloatArray,
        weight: FloatArray | None = None,
    ) -> None:
        self.seed = seed
        self.sizes = np.asarray(sizes, dtype=np.int64)
        self.members = members
        self.weight = weight
        # A short list is shuffled many times at once: one generator a pass would be slow.
        read = np.asarray(expected)
        self.passes = np.maximum(np.ceil(read / self.sizes), 1).astype(np.int64)
        # Of a list much longer than what is read of it, only that much is shuffled at a time.
        pieces = np.maximum(np.ceil(read), _LEAST_PIECE).astype(np.int64)
        self.pieces = np.where(pieces * _LONG < self.sizes, pieces, self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def read(self, starts: IntArray, counts: IntArray) -> IntArray:
        """Return rows of all lists, one list after the other.

        Parameters
        ----------
        starts : ndarray of shape (n_lists,)
            Where to begin in each list.
        counts : ndarray of shape (n_lists,)
            Rows to read of each.
        """
        read = counts.nonzero()[0].tolist()
        parts = [self._read_one(j, int(starts[j]), int(counts[j])) for j in read]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def _read_one(self, j: int, start: int, count: int) -> IntArray:
        """Return rows of one list."""
        rows = self.members(j)
        if self.weight is not None:
            return in_proportion(rows, self.weight[rows], count, generator(self.seed, j, start))
        parts, end = [], start + count
        while start < end:
            block, begin = self._block_at(j, rows, start)
            parts.append(block[begin : begin + end - start])
            start += len(parts[-1])
        return np.concatenate(parts)

    def _block_at(self, j: int, rows: IntArray, position: int) -> tuple[IntArray, int]:
        """Return shuffled rows of a list around a position, and where it is among them."""
        size, piece = int(self.sizes[j]), int(self.pieces[j])
        if piece < size:
            cycle, within = divmod(position, size)
            number, begin = divmod(within, piece)
            return self._piece(j, rows, cycle, np.arange(number * piece, size)[:piece]), begin
        passes = int(self.passes[j])
        block, begin = divmod(position, size * passes)
        rng = generator(self.seed, "rows", j, block)
        if passes == 1:
            return rng.permutation(rows), begin
        return rng.permuted(np.tile(rows, (passes, 1)), axis=1).ravel(), begin

    def _piece(self, j: int, rows: IntArray, cycle: int, places: IntArray) -> IntArray:
        """Return a piece of one pass over a long list, without shuffling all of it."""
        rng, size = generator(self.seed, "rows", j, cycle), len(rows)
        # Steps that share no factor with the size visit every row once.
        step = int(rng.integers(1, size))
        while gcd(step, size) > 1:
            step = int(rng.integers(1, size))
        visited = rows[(int(rng.integers(size)) + step * places) % size]
        return generator(self.seed, "piece", j, cycle, int(places[0])).permutation(visited)


def in_proportion(
    rows: IntArray, weight: FloatArray, count: int, rng: np.random.Generator
) -> IntArray:
    """Draw rows in proportion to weights, each as often as it should be, rounded up or down."""
    order = rng.permutation(len(rows))
    edges = np.cumsum(weight[order])
    edges *= count / edges[-1]
    # Points at a distance of 1 from each other: those before the end of each row's stretch.
    below = np.clip(np.ceil(edges - _inner(rng)), 0, count).astype(np.int64)
    below[-1] = count
    drawn = np.repeat(rows[order], np.diff(below, prepend=0))
    rng.shuffle(drawn)
    return drawn


def quota_slots(
    shares: FloatArray, n_batches: int, width: int, rng: np.random.Generator
) -> IntArray:
    """Share the places of all batches out to lists.

    Parameters
    ----------
    shares : ndarray of shape (n_lists,)
        Shares that sum to 1.
    n_batches, width : int
        Batches, and places of each.
    rng : Generator
        Random numbers.

    Returns
    -------
    ndarray of int, shape (n_batches, width)
        The list of each place. In every batch a list has its share of the places, rounded up or
        down; over all batches it is less than one place away from its share.
    """
    edges = np.cumsum(shares) * width
    edges[-1] = width
    # Systematic sampling: one point in each stretch of length 1, shifted a little less than 1
    # from batch to batch in random order, so that what is rounded evens out exactly.
    shift = (rng.permutation(n_batches) + _inner(rng)) / n_batches
    return np.searchsorted(edges, shift[:, None] + np.arange(width), side="right")


def fill(slots: IntArray, lists: ClassCycles, starts: IntArray, counts: IntArray) -> IntArray:
    """Return a row for each place, given the list that it belongs to.

    Parameters
    ----------
    slots : ndarray of int, shape (n_batches, width)
        The list of each place.
    lists : ClassCycles
        The lists.
    starts, counts : ndarray of shape (n_lists,)
        Where to begin in each list, and its places.
    """
    flat = slots.ravel().astype(np.min_scalar_type(len(lists)), copy=False)
    rows = np.empty(flat.size, dtype=np.int64)
    rows[np.argsort(flat, kind="stable")] = lists.read(starts, counts)
    return rows.reshape(slots.shape)


def _inner(rng: np.random.Generator) -> float:
    """Draw from (0, 1), off its ends, where a rounding error would move a point."""
    return float(rng.uniform(0.001, 0.999))
