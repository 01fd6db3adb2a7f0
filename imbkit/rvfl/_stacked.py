"""Hidden layers on top of each other, each of which also sees the columns themselves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from imbkit._core.types import FloatArray, IntArray
from imbkit.rvfl._device import Device
from imbkit.rvfl._hidden import Projection, activate, portions, spans

__all__ = ["Stack", "moments"]

_CONSTANT = 1e-12  # spread of a column that has one value, beside its size


@dataclass(frozen=True, slots=True)
class Stack:
    """A fixed map of rows x to h = [x, h_L, 1] with h_l = g([x, h_(l-1)] W_l + b_l).

    It can be gathered as a `HiddenLayer` can.

    Parameters
    ----------
    weights : tuple of ndarray
        W_1 of shape (p, n_hidden), the others of shape (p + n_hidden, n_hidden).
    biases : tuple of ndarray of shape (n_hidden,)
        The b_l.
    activation : str or callable
        g.
    direct_link, output_bias : bool
        Whether x and the one stand in h.
    before : array of the device, shape (n, n_hidden), default=None
        h_(L-1) of all rows that will be asked for, where they are known.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    activation: str | Callable[[Any], Any]
    direct_link: bool
    output_bias: bool
    before: Any = None

    @property
    def width(self) -> int:
        """Columns of h."""
        p, n_hidden = self.weights[0].shape
        return int(p * self.direct_link + n_hidden + self.output_bias)

    @property
    def own(self) -> slice:
        """Where h_L stands in h."""
        return slice(self.direct_link * self.weights[0].shape[0], self.width - self.output_bias)

    def chunks(
        self,
        X: Any,
        size: int,
        device: Device,
        groups: IntArray | None = None,
        some: range | None = None,
    ) -> Iterator[tuple[Any, Any]]:
        """Yield where rows are in X, and their h; as `HiddenLayer.chunks`."""
        steps = self._steps(device)
        for at in portions(some or range(X.shape[0]), size, device, groups):
            before = None if self.before is None else self.before[at]
            yield at, self._expanded(X[at], before, steps, device)

    def expand(self, X: Any, device: Device) -> Any:
        """Return h of all rows at once."""
        return self._expanded(X, self.before, self._steps(device), device)

    def projected(self, X: Any, size: int, device: Device) -> Iterator[tuple[slice, Any]]:
        """Yield slices of rows and what the last layer's g is given of them."""
        steps = self._steps(device)
        for at in portions(range(X.shape[0]), size, device):
            z = device.empty(at.stop - at.start, self.weights[0].shape[1])
            before = None if self.before is None else self.before[at]
            self._project(X[at], before, steps, z, None, device)
            yield at, z

    def _steps(self, device: Device) -> list[tuple[Projection, Any]]:
        """Return what each layer does to x, and its weights of the layer below."""
        p = self.weights[0].shape[0]
        return [
            (Projection(W[:p], b, device), device.put(W[p:]))
            for W, b in zip(self.weights, self.biases, strict=True)
        ]

    def _expanded(self, X: Any, before: Any, steps: Any, device: Device) -> Any:
        H = device.empty(X.shape[0], self.width)
        # Few rows, whose projections are still in the cache when they are passed through g.
        for span in spans(X.shape[0], device.rows // 8):
            z = H[span, self.own]
            link = H[span, : self.own.start] if self.direct_link else None
            under = None if before is None else before[span]
            self._project(X[span], under, steps, z, link, device)
            activate(self.activation, z, device)
        if self.output_bias:
            H[:, -1] = 1.0
        return H

    def _project(
        self, rows: Any, before: Any, steps: Any, out: Any, link: Any, device: Device
    ) -> None:
        """Write what the last layer's g is given into `out`, and x into `link`, if given."""
        below = before
        if below is None:
            for project, upper in steps[:-1]:
                z = device.empty(*out.shape)
                project(rows, z)
                if below is not None:
                    z += below @ upper
                activate(self.activation, z, device)
                below = z
        project, upper = steps[-1]
        project(rows, out, link)
        if below is not None:
            out += below @ upper


def moments(
    parts: Iterator[tuple[slice, Any]], weights: FloatArray, device: Device
) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each column, as if rows were repeated.

    Parameters
    ----------
    parts : iterator of (slice, array of the device)
        Rows of the columns.
    weights : ndarray of shape (n,)
        How often each row counts, above 0.
    device : Device
        Where the arrays are.

    Notes
    -----
    Squares are divided by one less than the sum of the weights, or by half of that sum, if that
    is more: weights may be shares. The deviation of a column of one value is 1.
    """
    total, mean, squares = 0.0, np.zeros(1), np.zeros(1)
    for at, z in parts:
        v = weights[at]
        share = device.put(v[None, :] / v.sum())
        middle = share @ z
        spread = v.sum() * device.get(share @ (z - middle) ** 2)[0]
        gap = device.get(middle)[0] - mean
        # Of two parts' means and squares, those of both.
        grown = total + v.sum()
        squares = squares + spread + gap**2 * (total * v.sum() / grown)
        mean = mean + gap * (v.sum() / grown)
        total = grown
    deviation = np.sqrt(squares / max(total - 1.0, total / 2))
    flat = deviation <= _CONSTANT * np.abs(mean)
    return mean, np.where(flat | (deviation == 0), 1.0, deviation)
