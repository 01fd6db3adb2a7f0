"""What all random vector functional links share: drawing, reading rows, sums, and the solution."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from imbkit._core.constraints import RANDOM_STATE, Interval, StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray, IntArray, Seed
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics._counts import check_weight
from imbkit.rvfl._activations import ACTIVATIONS
from imbkit.rvfl._device import Device, on_device
from imbkit.rvfl._gathered import Gathered, Solver
from imbkit.rvfl._hidden import HiddenLayer

__all__ = ["FLOATS", "BaseRVFL", "checked_Cs", "outputs"]

FLOATS = (np.float64, np.float32)


class BaseRVFL(BaseEstimator):
    """Random features and a ridge in closed form.

    A subclass stores the parameters below, calls `_start`, `_gather` and `_finish` in its ``fit``
    and ``partial_fit``, and writes `_solved`. `_draw` is what draws the hidden layer.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_hidden": [Interval(Integral, 0, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS)), callable],
        "direct_link": ["boolean"],
        "fit_output_bias": ["boolean"],
        "weight_scale": [Interval(Real, 0, np.inf, closed="neither")],
        "C": [Interval(Real, 0, np.inf, closed="neither")],
        "solver": [StrOptions({"auto", "dual", "primal"})],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
        "device": [StrOptions({"auto", "cpu", "cuda"}), None],
        "random_state": RANDOM_STATE,
    }

    n_hidden: int
    activation: str | Callable[[Any], Any]
    direct_link: bool
    fit_output_bias: bool
    weight_scale: float
    C: float
    solver: Solver
    chunk_size: int
    device: str | None
    random_state: Seed

    def coef_path(self, Cs: ArrayLike) -> FloatArray:
        """Return what `coef_` would be with other values of `C`, without a pass over rows.

        Parameters
        ----------
        Cs : array-like of shape (n_Cs,)
            Values of `C`, each above 0.

        Returns
        -------
        ndarray of shape (n_Cs, ...)
            One `coef_` each, from one factorisation (`graph_form="authors"`: one each). Set
            `coef_` to one of them to predict with it.

        Raises
        ------
        InvalidParameterError
            If a value is no number above 0, or a parameter that shapes what is kept of the rows
            has another value than in ``fit``.

        Notes
        -----
        Parameters that only enter the linear system have the value that they have now: after
        ``set_params``, paths for other class weights or strengths of a graph cost no pass
        either.
        """
        check_is_fitted(self)
        self._check_kept()
        values = checked_Cs(Cs, type(self).__name__)
        return np.stack([self._shaped(coef) for coef in self._solved(values)])

    def __sklearn_tags__(self) -> Tags:
        """Say that sparse rows are taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _solved(self, Cs: Sequence[float]) -> list[FloatArray]:
        """Return the coefficients (d, n_outputs) for each C, from what was gathered."""

    def _shaped(self, coef: FloatArray) -> FloatArray:
        """Return coefficients in the shape of `coef_`."""
        return coef

    def _draw(self, n_columns: int) -> HiddenLayer:
        """Draw the hidden layer."""
        return HiddenLayer.drawn(
            n_columns,
            self.n_hidden,
            self.weight_scale,
            check_random_state(self.random_state),
            activation=self.activation,
            direct_link=self.direct_link,
            output_bias=self.fit_output_bias,
        )

    def _on_device(self) -> Device:
        """Check what no single parameter shows, and return what computes."""
        who = type(self).__name__
        if self.n_hidden == 0 and not self.direct_link:
            rule = "n_hidden must be 1 or more where direct_link=False"
            raise InvalidParameterError(message(who, rule, 0, "Raise it, or link inputs directly"))
        return on_device(self.device, who)

    def _weights(
        self, sample_weight: ArrayLike | None, n_rows: int, *, whole: bool = True
    ) -> FloatArray:
        """Return checked sample weights; those of a part of the rows may all be 0."""
        if not whole and sample_weight is not None:
            none: FloatArray = np.asarray(sample_weight, dtype=float)
            if none.shape == (n_rows,) and not none.any():
                return none
        given = check_weight(sample_weight, n_rows, type(self).__name__)
        return np.ones(n_rows) if given is None else given

    def _start(self, n_columns: int, n_groups: int, n_targets: int = 0, **how: Any) -> None:
        """Draw the hidden layer and forget all rows."""
        layer = self._hide(n_columns)
        settings = {"power": 2, "scatter": False, "solver": self.solver, **how}
        self._gathered = Gathered(n_groups, layer.width, n_targets, **settings)

    def _hide(self, n_columns: int) -> HiddenLayer:
        """Draw the hidden layer and keep it."""
        layer = self._draw(n_columns)
        self.random_weights_, self.random_bias_ = layer.weights, layer.bias
        self._kept_for = {name: getattr(self, name) for name in self._shaping()}
        return layer

    def _gather(
        self,
        X: Any,
        groups: IntArray,
        weights: FloatArray,
        scores: FloatArray,
        targets: FloatArray | None,
        device: Device,
    ) -> None:
        """Add rows of positive weight to what is kept."""
        rows = (groups, weights, scores, targets)
        self._gathered.add(self._layer(), X, rows, size=self.chunk_size, device=device)

    def _finish(self) -> None:
        """Set `coef_` and what goes with it."""
        self.solver_ = "primal" if self._gathered.held is None else "dual"
        (coef,) = self._solved([self.C])
        self.coef_ = self._shaped(coef)

    def _shaping(self) -> list[str]:
        """Return the parameters that what is kept of the rows depends on."""
        return ["activation", "direct_link", "fit_output_bias"]

    def _check_kept(self) -> None:
        """Refuse parameters that do not belong to what was kept of the rows."""
        other = [name for name, was in self._kept_for.items() if getattr(self, name) != was]
        if other:
            rule = "parameters that shape what is kept of the rows must stay as they were in fit"
            todo = "Set them back, or call fit"
            raise InvalidParameterError(
                message(type(self).__name__, rule, f"another {listing(other)}", todo)
            )

    def _layer(self) -> HiddenLayer:
        """Return the hidden layer that was drawn."""
        return HiddenLayer(
            self.random_weights_,
            self.random_bias_,
            self.activation,
            self.direct_link,
            self.fit_output_bias,
        )

    def _outputs(self, X: Any) -> FloatArray:
        """Return h beta, of shape (n_rows, n_outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)
        coef = self.coef_.reshape(len(self.coef_), -1)
        return outputs(self._layer(), X, coef, self.chunk_size, self._on_device())


def outputs(layer: HiddenLayer, X: Any, coef: FloatArray, size: int, device: Device) -> FloatArray:
    """Return h beta of rows, `size` rows at a time."""
    found = np.empty((X.shape[0], coef.shape[1]))
    there = device.put(coef)
    for span, H in layer.chunks(X, size, device):
        found[span] = device.get(H @ there)
    return found


def checked_Cs(Cs: ArrayLike, who: str) -> list[float]:
    """Return values of C as a list, or complain."""
    try:
        values = np.asarray(Cs, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 1 or len(values) == 0 or not ((values > 0) & np.isfinite(values)).all():
        rule = "Cs must be a list of finite numbers above 0"
        raise InvalidParameterError(message(who, rule, Cs))
    listed: list[float] = values.tolist()
    return listed
