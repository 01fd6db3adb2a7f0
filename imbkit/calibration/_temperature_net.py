"""A small network that gives each row its temperature, and the loss it is trained by."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from imbkit._core.types import BoolArray, FloatArray, IntArray

__all__ = ["TemperatureNet", "correctness_loss", "fit_net", "net_loss", "row_weights"]

_N_TRIALS = 25
_PULL = 1e-4


@dataclass(frozen=True, slots=True)
class TemperatureNet:
    """One hidden layer of rectified linear units, and a clamp.

    Parameters
    ----------
    inner : ndarray of shape (n_inputs + 1, n_hidden)
        Weights of the hidden units, their intercepts in the last row.
    outer : ndarray of shape (n_hidden + 1,)
        Weights of the output, its intercept last.
    clamp : tuple of two floats
        Smallest and largest temperature.
    """

    inner: FloatArray
    outer: FloatArray
    clamp: tuple[float, float]

    def __call__(self, inputs: FloatArray) -> FloatArray:
        """Return a temperature for each row of inputs of shape (n_rows, n_inputs)."""
        hidden = np.maximum(inputs @ self.inner[:-1] + self.inner[-1], 0.0)
        return np.asarray(np.clip(hidden @ self.outer[:-1] + self.outer[-1], *self.clamp))


def row_weights(
    right: BoolArray,
    predicted: IntArray,
    weight: FloatArray | None,
    *,
    balanced: bool,
    per_class: bool,
) -> FloatArray:
    """Return what each row counts in the loss; they sum to one.

    Parameters
    ----------
    right : ndarray of bool, shape (n_rows,)
        Whether the prediction is right.
    predicted : ndarray of int, shape (n_rows,)
        Code of the predicted class.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    balanced : bool
        Whether right rows count by the share of wrong ones, and the reverse. Without effect
        if all rows are right, or all wrong.
    per_class : bool
        Whether the rows predicted as each class have the same total weight.

    Returns
    -------
    ndarray of shape (n_rows,)
        Weights.
    """
    mass = np.ones(right.size) if weight is None else weight
    accuracy = float(mass @ right / mass.sum())
    if balanced and 0 < accuracy < 1:
        mass = mass * np.where(right, 1 - accuracy, accuracy)
    if per_class:
        total = np.bincount(predicted, weights=mass)[predicted]
        mass = np.where(total > 0, mass / np.where(total > 0, total, 1.0), 0.0)
    return np.asarray(mass / mass.sum())


def correctness_loss(
    gaps: FloatArray, right: BoolArray, weight: FloatArray, temperature: FloatArray
) -> tuple[float, FloatArray]:
    """Return the loss, and its derivative by each temperature.

    Parameters
    ----------
    gaps : ndarray of shape (n_rows, n_classes)
        Logits minus the largest of their row.
    right : ndarray of bool, shape (n_rows,)
        Whether the prediction is right.
    weight : ndarray of shape (n_rows,)
        Weights that sum to one.
    temperature : ndarray of shape (n_rows,)
        Above 0.

    Returns
    -------
    loss : float
        Sum of weight * (confidence - right)**2.
    slope : ndarray of shape (n_rows,)
        Its derivative.
    """
    powers = np.exp(gaps / temperature[:, None])
    confidence = 1 / powers.sum(axis=1)
    error = confidence - right
    # Of the confidence: its square times the mean gap under the powers, over T squared.
    bend = confidence**2 * (powers * gaps).sum(axis=1) / temperature**2
    return float(weight @ error**2), 2 * weight * error * bend


def fit_net(
    inputs: FloatArray,
    gaps: FloatArray,
    right: BoolArray,
    weight: FloatArray,
    *,
    n_hidden: int,
    clamp: tuple[float, float],
    max_iter: int,
    rng: np.random.Generator,
) -> tuple[TemperatureNet, float, float, int]:
    """Train the network by all rows at once.

    Parameters
    ----------
    inputs : ndarray of shape (n_rows, n_inputs)
        What the network sees.
    gaps, right, weight
        As in `correctness_loss`.
    n_hidden : int
        Number of hidden units.
    clamp : tuple of two floats
        Smallest and largest temperature.
    max_iter : int
        Largest number of steps.
    rng : numpy.random.Generator
        Draws the hidden units to start from.

    Returns
    -------
    net : TemperatureNet
        The trained network.
    before, after : float
        Loss at a temperature of 1, or the nearest that the clamp allows, and at the end,
        which is never larger.
    n_iter : int
        Number of steps.
    """
    n_inputs = inputs.shape[1]
    reach = 1 / np.sqrt(n_inputs)
    inner = rng.uniform(-reach, reach, size=(n_inputs + 1, n_hidden))
    steady, before = _best_constant(gaps, right, weight, clamp)
    # Every row starts with this temperature, so that the training can only improve on it.
    start = np.append(inner.ravel(), np.append(np.zeros(n_hidden), steady))

    def unpack(at: FloatArray) -> TemperatureNet:
        return TemperatureNet(at[: inner.size].reshape(inner.shape), at[inner.size :], clamp)

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        return net_loss(unpack(at), inputs, gaps, right, weight)

    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iter, "ftol": 1e-12, "gtol": 1e-8},
    )
    net = unpack(found.x if found.fun <= loss(start)[0] else start)
    after, _ = correctness_loss(gaps, right, weight, net(inputs))
    return net, before, after, int(found.nit)


def net_loss(
    net: TemperatureNet,
    inputs: FloatArray,
    gaps: FloatArray,
    right: BoolArray,
    weight: FloatArray,
) -> tuple[float, FloatArray]:
    """Return what is minimised, and its gradient by the inner, then the outer weights.

    That is the loss plus a faint pull on outputs beyond the clamp. Without it rows that are
    there would have no gradient, and a long first step could end the training.
    """
    before = inputs @ net.inner[:-1] + net.inner[-1]
    hidden = np.maximum(before, 0.0)
    raw = hidden @ net.outer[:-1] + net.outer[-1]
    clamped = np.clip(raw, *net.clamp)
    over = raw - clamped
    value, slope = correctness_loss(gaps, right, weight, clamped)
    # The bounds themselves count as inside; the pull is flat there.
    slope = np.where(over == 0, slope, 2 * _PULL * weight * over)
    value += _PULL * float(weight @ over**2)
    back = slope[:, None] * net.outer[:-1] * (before > 0)
    gradient = [(inputs.T @ back).ravel(), back.sum(axis=0), slope @ hidden, [slope.sum()]]
    return value, np.concatenate(gradient)


def _best_constant(
    gaps: FloatArray, right: BoolArray, weight: FloatArray, clamp: tuple[float, float]
) -> tuple[float, float]:
    """Best of some temperatures for all rows, and the loss at the first of them, 1.

    Without it a model that is all too sure of itself would never leave 1: the slope is 0 there.
    """
    # The clamp's own ends are left out, where the gradient of every row could be 0.
    inside = np.geomspace(*clamp, num=_N_TRIALS + 2)[1:-1]
    trials = [float(np.clip(1.0, inside[0], inside[-1])), *inside.tolist()]
    losses = [
        correctness_loss(gaps, right, weight, np.full(right.size, trial))[0] for trial in trials
    ]
    return trials[int(np.argmin(losses))], losses[0]
