"""Several hidden layers of random features, each with a ridge of its own, that vote."""

from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from imbkit._core.card import Card, Limit
from imbkit._core.compat import fit_context
from imbkit._core.constraints import Interval, StrOptions
from imbkit._core.types import FloatArray, IntArray, Seed
from imbkit.rvfl._base import FLOATS, BaseRVFL
from imbkit.rvfl._classifier import BaseRVFLClassifier
from imbkit.rvfl._device import Device
from imbkit.rvfl._gathered import Gathered, Solver
from imbkit.rvfl._hidden import portions
from imbkit.rvfl._stacked import Stack, moments
from imbkit.rvfl._weighting import CLASS_WEIGHT, ClassWeight

__all__ = ["EDRVFLClassifier"]


class EDRVFLClassifier(BaseRVFLClassifier):
    """Classify by hidden layers on top of each other, each with its own ridge, that vote.

    The ensemble deep model: every layer sees the columns and the layer below, and its features
    make a classifier of their own. Choose it over :class:`RVFLClassifier` where one layer of random
    features is too weak or varies too much with `random_state`: it costs as many passes over the
    rows as it has layers, and is an ensemble. With ``class_weight="balanced"`` rare classes weigh
    as much as others in every layer.

    Columns should be on one scale: put a ``StandardScaler`` before it.

    Parameters
    ----------
    n_hidden : int, default=100
        Number of random features of each layer, 0 or more.
    n_layers : int, default=5
        Number of layers, 1 or more.
    activation : str or callable, default="relu"
        Function of the random projections; as for :class:`RVFLClassifier`.
    direct_link : bool, default=True
        Whether the columns themselves are features of the classifiers, too; every layer sees
        them in any case.
    fit_output_bias : bool, default=True
        Whether there are intercepts; they are shrunk like every other weight.
    weight_scale : float, default=1.0
        Weights of hidden layers are drawn from (-weight_scale, weight_scale) and biases
        from (0, weight_scale), uniformly.
    standardize : bool, default=True
        Whether projections are brought to mean 0 and deviation 1, as they are in the training
        rows, before `activation`. Without, features grow from layer to layer.
    C : float, default=1.0
        Inverse strength of the ridges, above 0.
    class_weight : mapping, "balanced" or None, default=None
        Weights of the classes by label, 1 for labels without; or n / n_k, which gives all
        classes the same weight and sets the ridges to n / (n_min C).
    voting : {"soft", "hard"}, default="soft"
        Whether the layers' scores are averaged, or each layer votes for one class. Votes are
        coarse: where scores are ranked or a threshold is chosen, take "soft".
    solver : {"auto", "primal", "dual"}, default="auto"
        Whether the systems have the size of the features or of the rows; "auto" takes the smaller.
    chunk_size : int, default=8192
        Rows whose features are held at a time. With as many as there are rows, each layer starts
        from the one below, else from the first.
    device : {"cpu", "cuda", "auto"} or None, default=None
        What computes; as for :class:`RVFLClassifier`.
    random_state : int, RandomState or None, default=None
        Draws the hidden layers.

    Attributes
    ----------
    coef_ : ndarray of shape (n_layers, n_outputs, n_classes)
        Each layer's weights of the columns (if linked), its features and the one (if any).
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    random_weights_ : list of ndarray of shape (n_features, n_hidden) or \
            (n_features + n_hidden, n_hidden)
        Weights of each hidden layer: of the columns, then of the layer below.
    random_bias_ : ndarray of shape (n_layers, n_hidden)
        Their biases.
    projection_mean_, projection_scale_ : ndarray of shape (n_layers, n_hidden)
        Mean and deviation of the projections in the training rows; 0 and 1 with
        ``standardize=False``.
    class_count_ : ndarray of shape (n_classes,)
        Sum of the sample weights of each class.
    class_weight_ : ndarray of shape (n_classes,)
        The classes' weights.
    regularization_ : float
        What is added to the diagonals: 1 / C, or n / (n_min C) if classes are balanced.
    solver_ : {"primal", "dual"}
        The systems that were solved.
    effective_prior_ : ndarray of shape (n_classes,)
        NaN: neither votes nor softmaxed scores are of any class shares.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they have names that are strings.

    See Also
    --------
    RVFLClassifier : One layer; the baseline to beat, with ``class_weight="balanced"``.
    sklearn.neural_network.MLPClassifier : Layers whose weights are fitted.

    Notes
    -----
    With h_0 empty, layer l draws W_l and b_l, and makes

    z_l = [x, h_(l-1)] W_l + b_l,  h_l = g((z_l - mean) / deviation)

    and a ridge regression of the classes' indicators on [x, h_l, 1], as :class:`RVFLClassifier`
    does. Mean and deviation are those of the training rows, with weights as repetitions; so they
    need all rows, and there is no ``partial_fit``.

    For L layers of N features, p columns and d = p + N + 1, ``fit`` reads the rows 2 L times, for
    n L d^2 operations of sums and 2 n L^2 N (p + N) of features; with ``chunk_size`` at or above n
    these are 4 n L N (p + N). It holds one chunk's features and n_classes matrices of d x d for
    each layer, beside X. With fewer rows than features it keeps these of all layers, in the
    fitted model, too. Sparse rows are projected as they are.

    Different from the papers: class weights, one `C` for all layers, an average as the default.
    The first paper has no standardisation, which the second adds.

    References
    ----------
    Q. Shi, R. Katuwal, P. N. Suganthan, M. Tanveer, "Random vector functional link neural network
    based ensemble deep learning", Pattern Recognition 117, 107978, 2021,
    doi:10.1016/j.patcog.2021.107978.

    Q. Shi, P. N. Suganthan, R. Katuwal, "Weighting and pruning based ensemble deep random vector
    functional link network for tabular data classification", arXiv:2201.05809, 2022,
    doi:10.48550/arXiv.2201.05809.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from imbkit.rvfl import EDRVFLClassifier
    >>> X, y = make_classification(600, n_features=5, weights=[0.9], random_state=0)
    >>> model = EDRVFLClassifier(20, n_layers=3, class_weight="balanced", random_state=0)
    >>> model.fit(X, y).coef_.shape
    (3, 26, 2)
    >>> model.layer_scores(X[:2]).shape
    (3, 2, 2)
    """

    card = Card(
        paper="Shi, Katuwal, Suganthan & Tanveer (2021), doi:10.1016/j.patcog.2021.107978",
        cases=(
            {"n_hidden": 10, "n_layers": 2},
            {
                "n_hidden": 5,
                "n_layers": 3,
                "activation": "tanh",
                "direct_link": False,
                "class_weight": "balanced",
                "voting": "hard",
                "solver": "primal",
                "chunk_size": 7,
            },
            {"n_hidden": 8, "n_layers": 2, "standardize": False, "solver": "dual"},
        ),
        limits=(
            Limit(when={"n_layers": 1, "standardize": False}, equals="RVFLClassifier"),
            Limit(
                when={
                    "n_layers": 1,
                    "standardize": False,
                    "activation": "sin",
                    "class_weight": "balanced",
                    "C": 10.0,
                },
                equals="RVFLClassifier",
                other={"activation": "sin", "class_weight": "balanced", "C": 10.0},
            ),
            Limit(
                when={"n_hidden": 0, "n_layers": 2},
                equals="RVFLClassifier",
                other={"n_hidden": 0},
            ),
        ),
    )

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseRVFL._parameter_constraints,
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "standardize": ["boolean"],
        "class_weight": CLASS_WEIGHT,
        "voting": [StrOptions({"hard", "soft"})],
    }

    def __init__(
        self,
        n_hidden: int = 100,
        *,
        n_layers: int = 5,
        activation: str | Callable[[Any], Any] = "relu",
        direct_link: bool = True,
        fit_output_bias: bool = True,
        weight_scale: float = 1.0,
        standardize: bool = True,
        C: float = 1.0,
        class_weight: ClassWeight = None,
        voting: Literal["hard", "soft"] = "soft",
        solver: Solver = "auto",
        chunk_size: int = 8192,
        device: str | None = None,
        random_state: Seed = None,
    ) -> None:
        self.n_hidden = n_hidden
        self.n_layers = n_layers
        self.activation = activation
        self.direct_link = direct_link
        self.fit_output_bias = fit_output_bias
        self.weight_scale = weight_scale
        self.standardize = standardize
        self.C = C
        self.class_weight = class_weight
        self.voting = voting
        self.solver = solver
        self.chunk_size = chunk_size
        self.device = device
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Draw the hidden layers and fit the output weights of each.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows, finite numbers.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; an integer weight counts as so many rows.

        Returns
        -------
        EDRVFLClassifier
            The fitted classifier.

        Raises
        ------
        DataError
            If there is one class only, a class has no row of positive weight, or the weights
            are not as said above.
        InvalidParameterError
            If a parameter has a value that is not permitted.
        """
        self._fit(X, y, sample_weight)
        return self

    def layer_scores(self, X: Any) -> FloatArray:
        """Return the scores of the classes by each layer alone.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_layers, n_rows, n_classes)
            Whose mean is the score, or whose largest of each row and layer is a vote.
        """
        return np.concatenate(list(self._scored(X)), axis=1)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the softmax of the scores, or the shares of the votes: not probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`; numbers that rank and sum to one, not calibrated.
        """
        scores = self._outputs(X)
        return scores if self.voting == "hard" else np.asarray(softmax(scores, axis=1))

    def _start(self, n_columns: int, n_groups: int, n_targets: int = 0, **how: Any) -> None:
        """Draw the hidden layers and forget all rows."""
        rng = check_random_state(self.random_state)
        scale, n_hidden = self.weight_scale, self.n_hidden
        weights, biases = [], []
        for layer in range(self.n_layers):
            shape = (n_columns + n_hidden * (layer > 0), n_hidden)
            weights.append(rng.uniform(-scale, scale, shape))
            biases.append(rng.uniform(0, scale, n_hidden))
        self.random_weights_: Any = weights
        self.random_bias_ = np.stack(biases)
        self.projection_mean_ = np.zeros((self.n_layers, n_hidden))
        self.projection_scale_ = np.ones((self.n_layers, n_hidden))
        self.effective_prior_ = np.full(n_groups, np.nan)
        self._kept_for = {name: getattr(self, name) for name in self._shaping()}
        width = self._stack(1).width
        settings = {"power": 2, "scatter": False, "solver": self.solver, **how}
        self._of_layers = [Gathered(n_groups, width, 0, **settings) for _ in range(self.n_layers)]
        # What is said of one holds for all: the rows' weights, and in which form they are kept.
        self._gathered = self._of_layers[0]

    def _gather(
        self,
        X: Any,
        groups: IntArray,
        weights: FloatArray,
        scores: FloatArray,
        targets: FloatArray | None,
        device: Device,
    ) -> None:
        """Add rows of positive weight to what is kept of each layer."""
        below, few = None, X.shape[0] <= self.chunk_size
        for layer, gathered in enumerate(self._of_layers):
            if self.standardize:
                parts = self._stack(layer + 1, below).projected(X, self.chunk_size, device)
                mean, scale = moments(parts, weights, device)
                self.projection_mean_[layer], self.projection_scale_[layer] = mean, scale
            stack = self._stack(layer + 1, below)
            rows = (groups, weights, scores, targets)
            gathered.add(stack, X, rows, size=self.chunk_size, device=device)
            if few and layer + 1 < self.n_layers:
                below = stack.expand(X, device)[:, stack.own]

    def _solved(self, Cs: Sequence[float]) -> list[FloatArray]:
        """Return the coefficients (n_layers, d, n_classes) for each C."""
        paths = [self._solved_from(gathered, Cs) for gathered in self._of_layers]
        return [np.stack(coefs) for coefs in zip(*paths, strict=True)]

    def _shaping(self) -> list[str]:
        """Return the parameters that what is kept of the rows depends on."""
        return [*super()._shaping(), "n_layers", "standardize"]

    def _stack(self, n_layers: int, below: Any = None) -> Stack:
        """Return the lowest layers, their standardisation in their weights."""
        scales = self.projection_scale_[:n_layers]
        moved = (self.random_bias_[:n_layers] - self.projection_mean_[:n_layers]) / scales
        weights = self.random_weights_[:n_layers]
        return Stack(
            tuple(W / scale for W, scale in zip(weights, scales, strict=True)),
            tuple(moved),
            self.activation,
            self.direct_link,
            self.fit_output_bias,
            below,
        )

    def _scored(self, X: Any) -> Iterator[FloatArray]:
        """Yield the scores by each layer, (n_layers, rows, n_classes), of one chunk at a time."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)
        device = self._on_device()
        there = [device.put(coef) for coef in self.coef_]
        for span in portions(range(X.shape[0]), self.chunk_size, device):
            scores, below = [], None
            for layer, coef in enumerate(there):
                stack = self._stack(layer + 1, below)
                H = stack.expand(X[span], device)
                scores.append(device.get(H @ coef))
                below = H[:, stack.own]
            yield np.stack(scores)

    def _outputs(self, X: Any) -> FloatArray:
        """Return mean scores or shares of votes, of shape (n_rows, n_classes)."""
        check_is_fitted(self)
        every, parts = np.eye(len(self.classes_)), []
        for scores in self._scored(X):
            each = every[scores.argmax(axis=2)] if self.voting == "hard" else scores
            parts.append(each.mean(axis=0))
        return np.concatenate(parts)
