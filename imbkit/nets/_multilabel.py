"""A net for several labels a row, some of them rare."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags, check_array

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import StrOptions
from imbkit._core.containers import take
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit.exceptions import DataError
from imbkit.metrics import f1_score, sweep
from imbkit.nets._base_net import BaseNet

__all__ = ["ImbalancedMultiLabelNet"]


class ImbalancedMultiLabelNet(ClassifierMixin, BaseNet):
    """Predict several labels a row by one neural net.

    Choose it where labels occur together and share what there is to learn from the columns;
    else one classifier a label does as well.

    Parameters
    ----------
    module : str, class or torch.nn.Module, default="mlp"
        The body; see :class:`ImbalancedNetClassifier`.
    loss : str, class, BaseLoss or torch.nn.Module, default="cross_entropy"
        A loss of labels, such as "asl"; see :func:`imbkit.losses.get_loss`.
    loss_params : mapping, default=None
        Parameters of a loss that is named; ``loss__x`` sets one of them.
    module_params : mapping, default=None
        Parameters of a body that is named.
    sampler : str, class or BaseBatchSampler, default=None
        What batches are made of; "rfs" repeats rows with rare labels.
    sampler_params : mapping, default=None
        Parameters of a sampler that is named.
    thresholds : {"tuned", "half"}, default="tuned"
        Where labels are named: at the probability with the best F1 score of each label on the
        rows held out, or at one half.
    aux_losses : sequence of (float, loss), default=()
        Losses that are added, each with its factor.
    max_epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=128
        Rows a step.
    lr : float, default=1e-3
        Learning rate, above 0.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"} or class, default="adamw"
        Optimizer of torch.
    weight_decay : float, default=1e-4
        Its weight decay, 0 or more.
    gradient_clip : float, default=None
        Largest length of the gradient.
    validation_fraction : float, default=0.1
        Share of each combination of labels that is held out to judge epochs by.
    early_stopping : bool, default=True
        Whether training ends when `patience` epochs in a row were no better.
    patience : int, default=15
        See `early_stopping`.
    scoring : str, callable or None, default="average_precision"
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
    classes_ : list of ndarray
        0 and 1 for each label.
    label_counts_ : ndarray of shape (n_labels,)
        Training rows that have each label.
    thresholds_ : ndarray of shape (n_labels,)
        Probabilities from which on labels are named.
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
    ImbalancedNetClassifier : One label of several a row.

    Notes
    -----
    A label of -1 is unknown: it enters no loss and no threshold. Otherwise as
    :class:`ImbalancedNetClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from imbkit.nets import ImbalancedMultiLabelNet
    >>> X, y = make_multilabel_classification(400, n_classes=3, random_state=0)
    >>> model = ImbalancedMultiLabelNet(max_epochs=5, lr=0.01, random_state=0).fit(X, y)
    >>> model.predict(X).shape, model.thresholds_.shape
    ((400, 3), (3,))
    """

    card = Card(
        cases=({"module_params": {"hidden": (8,)}, "max_epochs": 3, "lr": 0.05, "batch_size": 32},),
    )

    _parameter_constraints = {
        **BaseNet._parameter_constraints,
        "sampler": [str, callable, object],
        "sampler_params": [Mapping, None],
        "thresholds": [StrOptions({"half", "tuned"})],
        "scoring": [str, callable, None],
    }

    def __init__(
        self,
        module: Any = "mlp",
        loss: Any = "cross_entropy",
        *,
        loss_params: Mapping[str, Any] | None = None,
        module_params: Mapping[str, Any] | None = None,
        sampler: Any = None,
        sampler_params: Mapping[str, Any] | None = None,
        thresholds: Literal["tuned", "half"] = "tuned",
        aux_losses: Sequence[tuple[float, Any]] = (),
        max_epochs: int = 100,
        batch_size: int = 128,
        lr: float = 1e-3,
        optimizer: str | Callable[..., Any] = "adamw",
        weight_decay: float = 1e-4,
        gradient_clip: float | None = None,
        validation_fraction: float = 0.1,
        early_stopping: bool = True,
        patience: int = 15,
        scoring: str | Callable[..., float] | None = "average_precision",
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
        self.sampler = sampler
        self.sampler_params = sampler_params
        self.thresholds = thresholds
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
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the net.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows, n_labels)
            1 for a label that the row has, 0 for one that it has not, -1 where that is unknown.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.

        Returns
        -------
        ImbalancedMultiLabelNet
            The fitted net.

        Raises
        ------
        DataError
            If `y` is no indicator, or a label has no row with it or none without.
        InvalidParameterError
            If a parameter has a value that is not permitted, or the loss is not for labels.
        """
        who = type(self).__name__
        X = self._read(X, reset=True)
        labels = _indicator(y, X.shape[0], who)
        weights = self._weights(sample_weight, X.shape[0])
        beside: dict[str, AnyArray] = {}
        if weights is not None:
            kept = np.flatnonzero(weights)
            X, labels = take(X, kept), labels[kept]
            beside["sample_weight"] = weights[kept].astype(np.float32)
        self.classes_ = [np.array([0, 1]) for _ in range(labels.shape[1])]
        self._train(
            X,
            beside,
            labels,
            labels,
            n_outputs=labels.shape[1],
            groups=None,
            hold_out=self.scoring is not None,
        )
        self.label_counts_ = self.net_.stats_.counts.astype(int)
        self.thresholds_ = np.full(labels.shape[1], 0.5)
        if self.thresholds == "tuned" and self._split is not None:
            valid = self._split[1]
            p = self.predict_proba(take(X, valid))
            self.thresholds_ = np.array(
                [_best_cut(truth, each) for truth, each in zip(labels[valid].T, p.T, strict=True)]
            )
        return self

    def predict(self, X: Any) -> AnyArray:
        """Return the labels.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of int, shape (n_rows, n_labels)
            1 where the probability reaches the label's threshold.
        """
        return (self.predict_proba(X) >= self.thresholds_).astype(int)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probability of each label.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_labels)
            Probabilities.
        """
        return self.net_.probabilities_of(self._outputs(X))

    def decision_function(self, X: Any) -> FloatArray:
        """Return the log-odds of each label.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_labels)
            Log-odds.
        """
        return self._outputs(X).astype(np.float64)

    def __sklearn_tags__(self) -> Tags:
        """Say that there are several labels a row."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        return tags


def _indicator(y: Any, n_rows: int, who: str) -> IntArray:
    """Return labels as integers, or complain."""
    if y is None:
        raise DataError(message(who, "requires y to be passed, but the target y is None"))
    labels: IntArray = check_array(y, dtype=np.int64, estimator=who, input_name="y")
    if len(labels) != n_rows:
        rule = "X and y must have the same number of rows (inconsistent numbers of samples)"
        raise DataError(message(who, rule, f"{n_rows:,} and {len(labels):,}"))
    if not np.isin(labels, (-1, 0, 1)).all():
        rule = "labels must be 1, 0, or -1 where they are unknown"
        raise DataError(message(who, rule, np.unique(labels)[:5].tolist()))
    lone = [j for j, each in enumerate(labels.T) if not ((each == 1).any() and (each == 0).any())]
    if lone:
        rule = "every label needs a row with it and one without"
        todo = "Leave such labels out"
        raise DataError(message(who, rule, f"label {lone[0]}, which has one class only", todo))
    return labels


def _best_cut(truth: IntArray, p: FloatArray) -> float:
    """Return the cut-off with the best F1 score, one half without rows of both kinds."""
    known = truth >= 0
    truth, p = truth[known], p[known]
    if not (truth == 1).any() or not (truth == 0).any():
        return 0.5
    cuts, counts = sweep(truth, p)
    value = float(cuts[int(np.argmax(f1_score.of(counts)))])
    return value if np.isfinite(value) else 0.5
