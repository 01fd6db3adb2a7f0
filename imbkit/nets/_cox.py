"""A net for times until a rare event, some of them cut off."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Tags

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import StrOptions
from imbkit._core.containers import take
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, BoolArray, FloatArray, Seed
from imbkit.exceptions import DataError
from imbkit.nets._base_net import BaseNet
from imbkit.nets._concordance import concordance
from imbkit.nets._survival_target import survival_target

__all__ = ["ImbalancedCoxNet"]


class ImbalancedCoxNet(BaseNet):
    """Order rows by how soon a rare event is to be expected, by one neural net.

    Choose it where rows were watched for different lengths of time and most were lost sight of
    before the event: what is known of those is used, too. For "within a fixed time or not", with
    every row watched that long, use a classifier.

    Parameters
    ----------
    module : str, class or torch.nn.Module, default="mlp"
        The body, with one output; see :class:`ImbalancedNetClassifier`.
    loss : str, class, BaseLoss or torch.nn.Module, default="weighted_cox"
        A loss of times; see :class:`imbkit.losses.WeightedCoxLoss`.
    loss_params : mapping, default=None
        Parameters of a loss that is named; ``loss__event_weight`` sets one of them.
    module_params : mapping, default=None
        Parameters of a body that is named.
    aux_losses : sequence of (float, loss), default=()
        Losses that are added, each with its factor.
    max_epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=256
        Rows a step. Rows are compared within a batch only, so there should be some events in
        each.
    lr : float, default=1e-3
        Learning rate, above 0.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"} or class, default="adamw"
        Optimizer of torch.
    weight_decay : float, default=1e-4
        Its weight decay, 0 or more.
    gradient_clip : float, default=None
        Largest length of the gradient.
    validation_fraction : float, default=0.1
        Share of the rows with the event and of those without that is held out to judge epochs by.
    early_stopping : bool, default=True
        Whether training ends when `patience` epochs in a row were no better.
    patience : int, default=15
        See `early_stopping`.
    scoring : {"concordance"} or None, default="concordance"
        What epochs are judged by. None holds nothing out, and keeps the last epoch.
    standardize : bool, default=True
        Whether columns of numbers are standardised.
    device : str, default="auto"
        "cpu", "cuda", "mps" or one of torch's names; "auto" takes an accelerator if there is one.
    amp : bool, default=False
        Whether an accelerator computes in bfloat16 where that is safe.
    compile : bool, default=False
        Whether the body is compiled by ``torch.compile``.
    callbacks : sequence of skorch callbacks, default=()
        See skorch.
    random_state : int, RandomState or None, default=None
        Draws weights, batches, dropout and the rows held out.
    verbose : int, default=0
        Whether each epoch prints a line.

    Attributes
    ----------
    event_times_ : ndarray of shape (n_event_times,)
        Times at which training rows had the event.
    log_baseline_ : ndarray of shape (n_event_times,)
        Logarithm of the cumulative hazard up to them, of a row whose log hazard is 0.
    net_ : ImbNet
        The engine.
    loss_ : BaseLoss
        The loss.
    sampler_ : BaseBatchSampler
        What batches were made of.
    encoder_ : TableEncoder
        What made numbers of the table.
    device_ : torch.device
        Where it was trained.
    history_ : list of dict
        Losses, score and seconds of each epoch.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they have names that are strings.

    See Also
    --------
    imbkit.losses.WeightedCoxLoss : The loss.
    ImbalancedNetClassifier : For events within a fixed time.

    Notes
    -----
    Hazards are proportional: what a row's columns say multiplies its hazard at all times alike.
    The cumulative hazard is Breslow's: at each time with events their number, divided by the sum
    of hazards of the training rows that were still watched. Rows count there by their sample
    weights alone. Weights of events order rows in another way, and would else tell of more
    events than there are. Nets that know their training rows by heart give survival that is
    too sure of itself; early stopping keeps most of that away.

    The target has no single column, so scikit-learn's own checks leave this class out.

    References
    ----------
    N. Breslow, "Covariance analysis of censored survival data", Biometrics, 1974,
    doi:10.2307/2529620.

    F. E. Harrell, R. M. Califf, D. B. Pryor, K. L. Lee, R. A. Rosati, "Evaluating the yield of
    medical tests", JAMA, 1982, doi:10.1001/jama.1982.03320430047030.

    J. L. Katzman, U. Shaham, A. Cloninger, J. Bates, T. Jiang, Y. Kluger, "DeepSurv: Personalized
    treatment recommender system using a Cox proportional hazards deep neural network", BMC
    Medical Research Methodology, 2018, doi:10.1186/s12874-018-0482-1.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import ImbalancedCoxNet
    >>> draw = np.random.default_rng(0)
    >>> X = draw.normal(size=(400, 3))
    >>> time, end = draw.exponential(np.exp(-2 * X[:, 0])), draw.exponential(0.3, 400)
    >>> y = np.column_stack([np.minimum(time, end), time <= end])
    >>> model = ImbalancedCoxNet(max_epochs=10, lr=0.01, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.75
    True
    >>> model.predict_survival(X, [0.1, 0.2]).shape
    (400, 2)
    """

    card = Card(
        paper="Katzman et al. (2018), doi:10.1186/s12874-018-0482-1",
        cases=({"module_params": {"hidden": (8,)}, "max_epochs": 3, "lr": 0.05, "batch_size": 32},),
    )

    _parameter_constraints = {
        **BaseNet._parameter_constraints,
        "scoring": [StrOptions({"concordance"}), None],
    }
    _parts = ("loss", "module")

    def __init__(
        self,
        module: Any = "mlp",
        loss: Any = "weighted_cox",
        *,
        loss_params: Mapping[str, Any] | None = None,
        module_params: Mapping[str, Any] | None = None,
        aux_losses: Sequence[tuple[float, Any]] = (),
        max_epochs: int = 100,
        batch_size: int = 256,
        lr: float = 1e-3,
        optimizer: str | Callable[..., Any] = "adamw",
        weight_decay: float = 1e-4,
        gradient_clip: float | None = None,
        validation_fraction: float = 0.1,
        early_stopping: bool = True,
        patience: int = 15,
        scoring: Literal["concordance"] | None = "concordance",
        standardize: bool = True,
        device: str = "auto",
        amp: bool = False,
        compile: bool = False,
        callbacks: Sequence[Any] = (),
        random_state: Seed = None,
        verbose: int = 0,
    ) -> None:
        self.module = module
        self.loss = loss
        self.loss_params = loss_params
        self.module_params = module_params
        self.aux_losses = aux_losses
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.gradient_clip = gradient_clip
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.scoring = scoring
        self.standardize = standardize
        self.device = device
        self.amp = amp
        self.compile = compile
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train the net.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows, 2), frame or structured array
            Time and event of each row: columns in this order; columns "time" and "event" of a
            frame; or two fields of a structured array with these names, or of which the
            boolean one is the event. An event is 1 where it was seen at that time, and 0 where
            the row was last seen without it.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.

        Returns
        -------
        ImbalancedCoxNet
            The fitted net.

        Raises
        ------
        DataError
            If `y` has other columns, a time is negative or no finite number, an event is neither
            0 nor 1, or there is none.
        InvalidParameterError
            If a parameter has a value that is not permitted, or the loss is not one of times.
        """
        who = type(self).__name__
        X = self._read(X, reset=True)
        time, event = survival_target(y, X.shape[0], who)
        weights = self._weights(sample_weight, X.shape[0])
        beside: dict[str, AnyArray] = {}
        if weights is not None:
            kept = np.flatnonzero(weights)
            X, time, event, weights = take(X, kept), time[kept], event[kept], weights[kept]
            beside["sample_weight"] = weights.astype(np.float32)
        if not event.any():
            rule = "there must be an event, in a row with a positive weight"
            raise DataError(message(who, rule, f"none in {len(event):,} rows"))
        # Only the order of times counts, and ranks are exact on every device.
        rank = np.unique(time, return_inverse=True)[1].reshape(-1) + 1
        codes = event.astype(np.int64)
        self._train(
            X,
            {"time": rank, "event": codes, **beside},
            np.where(event, rank, -rank),
            codes,
            n_outputs=1,
            groups=None,
            hold_out=self.scoring is not None,
        )
        rows = np.arange(len(time)) if self._split is None else self._split[0]
        f = self._log_hazard(self.net_.outputs(self._encoded(take(X, rows), {})))
        mass = np.ones(len(rows)) if weights is None else weights[rows]
        self.event_times_, self.log_baseline_ = _breslow(f, time[rows], event[rows], mass)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Return the log hazard.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Larger where the event is expected sooner. Only differences between rows have a
            meaning.
        """
        return self._log_hazard(self._outputs(X))

    def predict_survival(self, X: Any, times: ArrayLike) -> FloatArray:
        """Return the probability that the event has not come by given times.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.
        times : array-like of shape (n_times,)
            Times, in any order. After the last one at which a training row was watched nothing
            is known; the probability stays as it is there.

        Returns
        -------
        ndarray of shape (n_rows, n_times)
            Probabilities.

        Raises
        ------
        DataError
            If `times` is no list of finite numbers of 0 or more.
        """
        f = self.predict(X)
        at = np.asarray(times)
        if at.ndim != 1 or at.dtype.kind not in "biuf" or not (np.isfinite(at) & (at >= 0)).all():
            rule = "times must be a list of finite numbers, none below 0"
            raise DataError(message(type(self).__name__, rule, times))
        before = np.searchsorted(self.event_times_, at, side="right")
        log_hazard = np.append(-np.inf, self.log_baseline_)[before]
        with np.errstate(over="ignore"):  # no one survives an infinite hazard
            survival: FloatArray = np.exp(-np.exp(f[:, None] + log_hazard))
        return survival

    def score(self, X: Any, y: Any) -> float:
        """Return Harrell's concordance.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows, 2), frame or structured array
            Time and event of each row, as in ``fit``.

        Returns
        -------
        float
            Of the pairs of rows of which it is known who was first the share in which that one
            has the larger log hazard; equal ones count as one half.

        Raises
        ------
        DataError
            If there is no such pair.
        """
        who = type(self).__name__
        f = self.predict(X)
        time, event = survival_target(y, len(f), who)
        value = concordance(time, event, f)
        if np.isnan(value):
            rule = "there must be an event before the time of another row to be concordant with"
            raise DataError(message(who, rule, f"{int(event.sum())} events in {len(f)} rows"))
        return value

    def __sklearn_tags__(self) -> Tags:
        """Say that there are two numbers a row to learn."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        tags._skip_test = True  # the checks have no targets of times and events
        return tags

    def _scoring(self) -> Any:
        """Return what epochs are judged by."""
        return _judged

    @staticmethod
    def _log_hazard(outputs: FloatArray) -> FloatArray:
        """Return a number for each row."""
        return outputs.reshape(len(outputs)).astype(np.float64)


def _judged(outputs: FloatArray, target: AnyArray) -> float:
    """Return the concordance; the target is the rank of the time, negative without event."""
    return concordance(np.abs(target), target > 0, outputs.reshape(len(outputs)))


def _breslow(
    f: FloatArray, time: FloatArray, event: BoolArray, mass: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the times of events, and the logarithm of the cumulative hazard up to each."""
    order = np.argsort(-time, kind="stable")
    # Sums of hazards are taken as logarithms, as a net may give any log hazard.
    at_risk = np.logaddexp.accumulate((f + np.log(mass))[order])
    times, which = np.unique(time[event], return_inverse=True)
    seen = np.bincount(which.reshape(-1), mass[event])
    last = np.searchsorted(-time[order], -times, side="right") - 1
    return times, np.logaddexp.accumulate(np.log(seen) - at_risk[last])
