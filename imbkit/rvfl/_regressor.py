"""Random features and a ridge on numbers."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.messages import message
from imbkit._core.types import FloatArray, Seed
from imbkit.exceptions import DataError
from imbkit.rvfl._base import FLOATS, BaseRVFL
from imbkit.rvfl._gathered import Solver
from imbkit.rvfl._ridge import ridge_path, ridge_rows_path

__all__ = ["RVFLRegressor"]


class RVFLRegressor(MultiOutputMixin, RegressorMixin, BaseRVFL):
    """Predict numbers by random features and one linear system.

    Choose it for a fast nonlinear regression on numeric columns: one pass over the rows, one
    system, no iterations, and ``partial_fit`` that equals ``fit``. Columns should be on one scale,
    and targets should have a mean near 0 or a large `C`, as the intercept is shrunk, too.

    Parameters
    ----------
    n_hidden : int, default=100
        Number of random features, 0 or more; 0 leaves a plain ridge on the columns.
    activation : str or callable, default="relu"
        Function of the random projections; as for :class:`RVFLClassifier`.
    direct_link : bool, default=True
        Whether the columns themselves are features, too.
    fit_output_bias : bool, default=True
        Whether there is an intercept; it is shrunk like every other weight.
    weight_scale : float, default=1.0
        Weights of the hidden layer are drawn from (-weight_scale, weight_scale) and its biases
        from (0, weight_scale), uniformly.
    C : float, default=1.0
        Inverse strength of the ridge, above 0.
    solver : {"auto", "primal", "dual"}, default="auto"
        Whether the system has the size of the features or of the rows; "auto" takes the smaller.
    chunk_size : int, default=8192
        Rows whose features are held at a time.
    device : {"cpu", "cuda", "auto"} or None, default=None
        What computes: None is NumPy; a name is torch's; "auto" an accelerator, if torch finds
        one, else NumPy.
    random_state : int, RandomState or None, default=None
        Draws the hidden layer.

    Attributes
    ----------
    coef_ : ndarray of shape (n_outputs,) or (n_outputs, n_targets)
        Weights of the columns (if linked), the random features and the one (if any).
    random_weights_ : ndarray of shape (n_features, n_hidden)
        Weights of the hidden layer.
    random_bias_ : ndarray of shape (n_hidden,)
        Its biases.
    regularization_ : float
        What is added to the diagonal: 1 / C.
    solver_ : {"primal", "dual"}
        The system that was solved.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they have names that are strings.

    See Also
    --------
    RVFLClassifier : For classes.
    sklearn.linear_model.Ridge : Without random features.

    Notes
    -----
    It minimises sum_i v_i ||h_i beta - y_i||^2 + ||beta||^2 / C for h = [x, g(x W + b), 1] with W
    and b drawn once and sample weights v. ``fit`` takes n d (2 p + d) operations for d features,
    one chunk's features and one matrix of d x d beside X. With fewer rows than features it keeps
    the rows' features instead, in the fitted model, too.

    References
    ----------
    Y.-H. Pao, G.-H. Park, D. J. Sobajic, "Learning and generalization characteristics of the
    random vector functional-link net", Neurocomputing 6(2), 163-180, 1994,
    doi:10.1016/0925-2312(94)90053-1.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.rvfl import RVFLRegressor
    >>> X = np.linspace(-3, 3, 200).reshape(-1, 1)
    >>> model = RVFLRegressor(activation="sin", weight_scale=2, C=1e3, random_state=0)
    >>> round(model.fit(X, np.sin(2 * X[:, 0])).score(X, np.sin(2 * X[:, 0])), 3)
    1.0
    """

    card = Card(
        paper="Pao, Park & Sobajic (1994), doi:10.1016/0925-2312(94)90053-1",
        cases=(
            {"n_hidden": 20},
            {"n_hidden": 10, "activation": "tanh", "chunk_size": 7, "solver": "primal"},
            {"n_hidden": 0, "solver": "dual", "fit_output_bias": False},
        ),
    )

    _parameter_constraints = {**BaseRVFL._parameter_constraints}

    def __init__(
        self,
        n_hidden: int = 100,
        *,
        activation: str | Callable[[Any], Any] = "relu",
        direct_link: bool = True,
        fit_output_bias: bool = True,
        weight_scale: float = 1.0,
        C: float = 1.0,
        solver: Solver = "auto",
        chunk_size: int = 8192,
        device: str | None = None,
        random_state: Seed = None,
    ) -> None:
        self.n_hidden = n_hidden
        self.activation = activation
        self.direct_link = direct_link
        self.fit_output_bias = fit_output_bias
        self.weight_scale = weight_scale
        self.C = C
        self.solver = solver
        self.chunk_size = chunk_size
        self.device = device
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Draw the hidden layer and fit the output weights.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Numbers.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; an integer weight counts as so many rows.

        Returns
        -------
        RVFLRegressor
            The fitted regressor.

        Raises
        ------
        DataError
            If the weights are not as said above.
        InvalidParameterError
            If a parameter has a value that is not permitted.
        """
        return self._learn(X, y, sample_weight, first=True, whole=True)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Go on with more rows; any number of calls equals one fit to all their rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Numbers, as many a row as at the first call.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.

        Returns
        -------
        RVFLRegressor
            The fitted regressor.

        Raises
        ------
        DataError
            If columns, targets or weights do not fit.
        InvalidParameterError
            If a parameter has a value that is not permitted or belongs to other sums than
            those kept.
        """
        first = not hasattr(self, "_gathered")
        return self._learn(X, y, sample_weight, first=first, whole=False)

    def predict(self, X: Any) -> FloatArray:
        """Return predicted numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_targets)
            As `y` of ``fit`` was.
        """
        found = self._outputs(X)
        return found[:, 0] if self.coef_.ndim == 1 else found

    def _learn(self, X: Any, y: Any, sample_weight: Any, *, first: bool, whole: bool) -> Self:
        """Take rows in, and solve."""
        who, device = type(self).__name__, self._on_device()
        if not first:
            self._check_kept()
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=FLOATS,
            multi_output=True,
            y_numeric=True,
            reset=first,
        )
        targets = np.asarray(y, dtype=np.float64)
        weights = self._weights(sample_weight, len(targets), whole=whole)
        n_targets = 1 if targets.ndim == 1 else targets.shape[1]
        if first:
            self._flat = targets.ndim == 1
            self._start(X.shape[1], 1, n_targets, power=1)
        elif n_targets != self._gathered.n_targets:
            rule = f"y must have {self._gathered.n_targets} targets, as at the calls before"
            raise DataError(message(who, rule, n_targets))
        targets, kept = targets.reshape(len(targets), n_targets), weights > 0
        if not kept.all():
            X, targets, weights = X[kept], targets[kept], weights[kept]
        groups = np.zeros(len(weights), dtype=np.intp)
        self._gather(X, groups, weights, np.ones(len(weights)), targets, device)
        self.regularization_ = 1 / self.C
        self._finish()
        return self

    def _shaped(self, coef: FloatArray) -> FloatArray:
        """Return coefficients with as many axes as y had."""
        return coef[:, 0] if self._flat else coef

    def _solved(self, Cs: Sequence[float]) -> list[FloatArray]:
        """Return the coefficients (d, n_targets) for each C."""
        strengths = [1 / C for C in Cs]
        held = self._gathered.held
        if held is not None:
            A, Y = held.rooted(np.ones(1), np.ones(1), self._gathered.power)
            return ridge_rows_path(A, Y, strengths)
        sums = self._gathered.summed(self._on_device(), self.chunk_size)
        return ridge_path(sums.grams()[0], sums.rights()[0], strengths)
