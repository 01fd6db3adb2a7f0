"""Random features: columns as given, functions of random projections, and a one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import InvalidParameterError
from imbkit.rvfl._activations import ACTIVATIONS
from imbkit.rvfl._device import Device

__all__ = ["HiddenLayer", "Projection", "activate", "portions", "spans"]


@dataclass(frozen=True, slots=True)
class HiddenLayer:
    """A fixed map of rows x to h = [x, g(x W + b), 1].

    Parameters
    ----------
    weights : ndarray of shape (p, n_hidden)
        W.
    bias : ndarray of shape (n_hidden,)
        b.
    activation : str or callable
        g: a name of `ACTIVATIONS`, or a function of a NumPy array.
    direct_link : bool
        Whether x stands in h.
    output_bias : bool
        Whether the one does.
    """

    weights: FloatArray
    bias: FloatArray
    activation: str | Callable[[Any], Any]
    direct_link: bool
    output_bias: bool

    @classmethod
    def drawn(
        cls,
        n_columns: int,
        n_hidden: int,
        scale: float,
        random_state: np.random.RandomState,
        **settings: Any,
    ) -> Self:
        """Draw W from (-scale, scale), then b from (0, scale), uniformly."""
        weights = random_state.uniform(-scale, scale, (n_columns, n_hidden))
        return cls(weights, random_state.uniform(0, scale, n_hidden), **settings)

    @property
    def width(self) -> int:
        """Columns of h."""
        p, n_hidden = self.weights.shape
        return int(p * self.direct_link + n_hidden + self.output_bias)

    def chunks(
        self,
        X: Any,
        size: int,
        device: Device,
        groups: IntArray | None = None,
        some: range | None = None,
    ) -> Iterator[tuple[Any, Any]]:
        """Yield where rows are in X, and their h, of shape (rows, width), on the device.

        The array of h is the same one every time: use it before asking for the next.

        Parameters
        ----------
        X : ndarray or CSR matrix or array of shape (n, p)
            Rows; sparse ones are projected as they are, and dense in h only.
        size : int
            Rows at a time, at most.
        device : Device
            What computes.
        groups : ndarray of int, shape (n,), default=None
            Rows of a group follow each other in all that is yielded, which are then no slices of
            X: sums by group cost as much for few rows as for many.
        some : range, default=None
            The rows wanted; None for all.
        """
        project, room = Projection(self.weights, self.bias, device), None
        for at in portions(some or range(X.shape[0]), size, device, groups):
            rows = X[at]
            if room is None:
                room = device.empty(rows.shape[0], self.width)
            yield at, self._expanded(rows, project, room[: rows.shape[0]])

    def expand(self, X: Any, device: Device) -> Any:
        """Return h of all rows at once."""
        project, room = (
            Projection(self.weights, self.bias, device),
            device.empty(X.shape[0], self.width),
        )
        return self._expanded(X, project, room)

    def _expanded(self, X: Any, project: "Projection", H: Any) -> Any:
        """Write h of rows into H."""
        device = project.device
        low, high = self.direct_link * self.weights.shape[0], self.width - self.output_bias
        # Few rows, whose projections are still in the cache when they are passed through g.
        for span in spans(X.shape[0], device.rows // 8):
            z = H[span, low:high]
            project(X[span], z, H[span, :low] if self.direct_link else None)
            activate(self.activation, z, device)
        if self.output_bias:
            H[:, high] = 1.0
        return H


class Projection:
    """Rows of X to x W + b, on a device.

    Parameters
    ----------
    weights : ndarray of shape (p, n_hidden)
        W.
    bias : ndarray of shape (n_hidden,)
        b.
    device : Device
        What computes.
    """

    def __init__(self, weights: FloatArray, bias: FloatArray, device: Device) -> None:
        self.device, self._here = device, (weights, bias)
        self._there = device.put(np.vstack([weights, bias]))

    def __call__(self, rows: Any, out: Any, link: Any = None) -> None:
        """Write x W + b into `out` of shape (rows, n_hidden), and x into `link`, if given."""
        device = self.device
        if isinstance(rows, np.ndarray):
            # With a column of ones no pass is needed to add b.
            given = device.empty(len(rows), rows.shape[1] + 1)
            given[:, :-1] = device.put(rows)
            given[:, -1] = 1.0
            device.xp.matmul(given, self._there, out=out)
            if link is not None:
                link[:] = given[:, :-1]
            return
        # Sparse rows are multiplied as such, where they are.
        weights, bias = self._here
        out[:] = device.put(np.asarray(rows @ weights) + bias)
        if link is not None:
            link[:] = device.put(rows.toarray())


def activate(activation: str | Callable[[Any], Any], z: Any, device: Device) -> None:
    """Turn z of a device into g(z); a function of the user's own is given a NumPy array."""
    if not callable(activation):
        found = ACTIVATIONS[activation](z, device.xp)
        if found is not z:
            z[:] = found
        return
    given = np.asarray(activation(device.get(z).copy()))
    if given.shape != tuple(z.shape):
        rule = "a function given as activation must return an array of the shape it gets"
        got = f"shape {given.shape} for {tuple(z.shape)}"
        raise InvalidParameterError(message("activation", rule, got))
    z[:] = device.put(given)


def portions(
    rows: range, size: int, device: Device, groups: IntArray | None = None
) -> Iterator[Any]:
    """Yield slices of these rows, or where there are groups, positions sorted by them."""
    order = None
    if groups is not None:
        order = rows.start + np.argsort(groups[rows.start : rows.stop], kind="stable")
    for span in spans(len(rows), min(size, device.rows)):
        if order is None:
            yield slice(rows.start + span.start, rows.start + span.stop)
        else:
            yield order[span]


def spans(n_rows: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` rows that make up all."""
    for low in range(0, n_rows, size):
        yield slice(low, min(low + size, n_rows))
