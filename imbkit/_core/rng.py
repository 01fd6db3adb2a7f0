"""Random streams that depend on a seed and on names, never on order, threads or chunks."""

import hashlib
import operator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imbkit._core.messages import message
from imbkit._core.types import IntArray, Seed
from imbkit.exceptions import InvalidParameterError

__all__ = ["RowStream", "child_generators", "derive", "integer_seed"]

UIntArray = NDArray[np.uint64]

# Constants of Philox4x32-10 (Salmon et al. 2011).
_ROUNDS = 10
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_BLOCK = 8192  # rows whose working arrays stay in the processor's cache


def integer_seed(seed: Seed) -> int:
    """Return an integer that stands for any kind of seed.

    Parameters
    ----------
    seed : int, RandomState, Generator or None
        An integer of 0 or more is returned as it is. A generator is drawn from, and so
        gives another integer each time. None draws from the operating system.

    Returns
    -------
    int
        0 or more.

    Raises
    ------
    InvalidParameterError
        If `seed` is negative or of another type.
    """
    if isinstance(seed, np.random.RandomState):
        return int(seed.randint(0, 2**63 - 1, dtype=np.int64))
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(0, 2**63 - 1))
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool) and seed >= 0:
        return int(seed)
    rule = "a seed must be an integer of 0 or more, a RandomState, a Generator or None"
    raise InvalidParameterError(message("random_state", rule, seed))


def child_generators(seed: Seed, n: int) -> list[np.random.Generator]:
    """Return `n` independent generators.

    Parameters
    ----------
    seed : int, RandomState, Generator or None
        As in :func:`integer_seed`.
    n : int
        How many. The first ones do not depend on it.

    Returns
    -------
    list of numpy.random.Generator
        The children of ``numpy.random.SeedSequence(seed)``, in the order it spawns them.
    """
    return [np.random.default_rng(s) for s in np.random.SeedSequence(integer_seed(seed)).spawn(n)]


def derive(seed: int, *keys: str | int) -> int:
    """Return the seed of one named part of a computation.

    Parameters
    ----------
    seed : int
        The seed of the whole, 0 or more.
    *keys : str or int
        Name of the part, e.g. ``("smote", "logistic", 0, 3)``. A string differs from the
        integer it spells, and ``("a", "b")`` from ``("ab",)``.

    Returns
    -------
    int
        In [0, 2**32), fit for any ``random_state``; the same in every process, on every
        machine and in every version of Python. Of n parts, about n**2 / 2**33 pairs share
        a seed by chance.
    """
    return int.from_bytes(_digest(seed, keys, 4), "little")


class RowStream:
    """Random numbers addressed by row and slot instead of drawn in order.

    The number of a row depends on the seed, the keys, the row and the slot alone, so any
    chunk of rows can be computed anywhere, in any order.

    Parameters
    ----------
    seed : int, RandomState, Generator or None
        As in :func:`integer_seed`.
    *keys : str or int
        Name of the stream, as in :func:`derive`, e.g. the label of a class.

    Notes
    -----
    Philox4x32-10, a block cipher over the counter (row, slot): distinct rows and slots have
    distinct counters, and its 128 bits of output pass the known statistical batteries.

    References
    ----------
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy
    as 1, 2, 3", SC 2011. doi:10.1145/2063384.2063405

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit._core.rng import RowStream
    >>> stream = RowStream(0, "fraud")
    >>> whole = stream.uniform(np.arange(10), slot=0)
    >>> bool((stream.uniform([7, 3], slot=0) == whole[[7, 3]]).all())
    True
    """

    def __init__(self, seed: Seed, *keys: str | int) -> None:
        digest = _digest(integer_seed(seed), keys, 8)
        self._key = (
            int.from_bytes(digest[:4], "little"),
            int.from_bytes(digest[4:], "little"),
        )

    def uniform(self, rows: ArrayLike, slot: int) -> NDArray[np.float64]:
        """Return one number in [0, 1) for each row.

        Parameters
        ----------
        rows : array-like of int
            Row numbers, 0 or more, in any order and of any shape.
        slot : int
            Which draw of the row, 0 or more.

        Returns
        -------
        ndarray of float64, shape as `rows`
            Multiples of 2**-53.
        """
        high, low = self._words(rows, slot)
        return (high << np.uint64(21) | low >> np.uint64(11)) * 2.0**-53

    def integers(self, rows: ArrayLike, slot: int, high: ArrayLike) -> IntArray:
        """Return one integer in [0, high) for each row.

        Parameters
        ----------
        rows : array-like of int
            Row numbers, 0 or more, in any order and of any shape.
        slot : int
            Which draw of the row, 0 or more.
        high : int or array-like of int
            Upper end, from 1 to 2**32; one for all rows or one for each.

        Returns
        -------
        ndarray of int, shape as `rows`
            ``floor(high * u / 2**64)`` of a 64-bit draw u. No value's probability is off
            by more than 2**-64, a relative error under 2**-32.
        """
        bound = np.asarray(high)
        if bound.dtype.kind not in "iu" or not ((bound >= 1) & (bound <= 2**32)).all():
            rule = "high must hold integers from 1 to 2**32"
            raise InvalidParameterError(message("RowStream", rule, high))
        upper, lower = self._words(rows, slot)
        width = bound.astype(np.uint64)
        # Schoolbook product of the 64-bit draw and the bound, of which the top is wanted.
        # It cannot overflow: upper * width <= (2**32 - 1) * 2**32.
        return ((upper * width + (lower * width >> _HALF)) >> _HALF).astype(np.intp)

    def _words(self, rows: ArrayLike, slot: int) -> tuple[UIntArray, UIntArray]:
        """Two 32-bit words for each row."""
        numbers = np.asarray(rows)
        if slot < 0 or (numbers.size and (numbers.dtype.kind not in "iu" or numbers.min() < 0)):
            rule = "rows and slots must be integers of 0 or more"
            raise InvalidParameterError(message("RowStream", rule, rows if slot >= 0 else slot))
        flat = numbers.astype(np.uint64).ravel()
        out = np.empty((2, flat.size), dtype=np.uint64)
        slot_words = (slot & 0xFFFFFFFF, slot >> 32)
        for start in range(0, flat.size, _BLOCK):
            part = flat[start : start + _BLOCK]
            words = philox((part & _LOW, part >> _HALF, *slot_words), self._key)
            out[:, start : start + _BLOCK] = words[:2]
        return out[0].reshape(numbers.shape), out[1].reshape(numbers.shape)


def philox(
    counter: tuple[UIntArray | int, ...], key: tuple[int, int]
) -> tuple[UIntArray, UIntArray, UIntArray, UIntArray]:
    """Encrypt counters of four 32-bit words, each an array or a number, with Philox4x32-10."""
    c0, c1, c2, c3 = (np.asarray(word, dtype=np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(_ROUNDS):
        left, right = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = (right >> _HALF) ^ c1 ^ np.uint64(k0), right & _LOW
        c2, c3 = (left >> _HALF) ^ c3 ^ np.uint64(k1), left & _LOW
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def _digest(seed: int, keys: tuple[str | int, ...], size: int) -> bytes:
    """Hash a seed and its keys; types and lengths are hashed too, so no two lists collide."""
    parts = []
    for key in (seed, *keys):
        mark, text = ("s", key) if isinstance(key, str) else ("i", str(operator.index(key)))
        data = text.encode("utf-8", "surrogatepass")
        parts.append(f"{mark}{len(data)}:".encode() + data)
    return hashlib.blake2b(b"".join(parts), digest_size=size, person=b"imbkit").digest()
