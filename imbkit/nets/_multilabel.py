"""A net for several labels a row, some of them rare."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.multiclass import check_classification_targets

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import StrOptions
from imbkit._core.containers import take
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit._core.warn import warn
from imbkit.calibration._sigmoid import Sigmoid, fit_sigmoid
from imbkit.exceptions import DataError, ImbkitWarning
from imbkit.metrics import f1_score, sweep
from imbkit.nets._base_net import BaseNet
from imbkit.nets._batch_sampler import BaseBatchSampler
from imbkit.nets._label_scoring import LabelScore

__all__ = ["ImbalancedMultiLabelNet"]

_OTHER_VALUES = "labels are 0, 1 and -1 for unknown; the check has others, whose sense is unknown"


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
        rows held out, or at one half, as where none of them have the label or all.
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
        Share of the rows with and without each label that is held out to judge epochs by.
    early_stopping : bool, default=True
        Whether training ends when `patience` epochs in a row were no better.
    patience : int, default=15
        See `early_stopping`.
    scoring : str, callable or None, default="average_precision"
        What epochs are judged by, larger being better: a name of scikit-learn's for labels, such
        as "f1_macro", "accuracy" or "roc_auc"; any other name that
        :func:`imbkit.metrics.get_scorer` or scikit-learn knows, of which the mean over labels
        is taken; or a function of a classifier, a table without columns and labels. What names
        labels does so at one half. None holds nothing out, and keeps the last epoch.
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
    classes_ : ndarray of shape (n_labels,)
        Positions of the labels.
    calibrators_ : list of Sigmoid or None
        What turns scores of each label into probabilities, for a loss that only ranks.
    label_counts_ : ndarray of shape (n_labels,)
        Training rows that have each label, without those held out.
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
    A label of -1 or NaN is unknown: it enters no loss, no score and no threshold. Rows are held
    out label by label, the rarest first, so that each is in both parts if two rows have it.
    Probabilities of a loss that corrects for rare labels, such as "logit_adjusted", or of one
    that weights them are larger than their frequencies; thresholds make up for it. For the rest
    see :class:`ImbalancedNetClassifier`.

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
        cases=(
            {
                "module_params": {"hidden": (8,)},
                "thresholds": "half",
                "max_epochs": 3,
                "lr": 0.05,
                "batch_size": 32,
            },
        ),
        known_failures={
            "check_classifier_data_not_an_array": _OTHER_VALUES,
            "check_classifiers_classes": "the check gives one class a row, this takes labels",
            "check_classifiers_train": "a single label is predicted as a column, as it was given",
            "check_decision_proba_consistency": "the check gives one class a row, not labels",
            "check_estimators_dtypes": _OTHER_VALUES,
            "check_fit2d_1feature": _OTHER_VALUES,
            "check_sample_weight_equivalence_on_dense_data": (
                "rows are learned in batches, so a row of weight 2 is not two rows"
            ),
            "check_sample_weights_not_an_array": _OTHER_VALUES,
            "check_sample_weights_not_overwritten": _OTHER_VALUES,
            "check_sample_weights_pandas_series": _OTHER_VALUES,
            "check_sample_weights_shape": _OTHER_VALUES,
        },
    )

    _parameter_constraints = {
        **BaseNet._parameter_constraints,
        "sampler": [str, callable, BaseBatchSampler, None],
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
        y : {array-like, frame, sparse matrix} of shape (n_rows, n_labels)
            1 for a label that the row has, 0 for one that it has not; -1, NaN or None where that
            is unknown.
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
        _check_both(labels, who)
        self.classes_ = np.arange(labels.shape[1])
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
        self._after(X, labels, beside.get("sample_weight"))
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
        p = self.predict_proba(X)
        return (p >= self.thresholds_).astype(int)

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
        return self._probabilities(self._outputs(X))

    def decision_function(self, X: Any) -> FloatArray:
        """Return what the net gives for each label: log-odds, or a score of a loss that ranks.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_labels)
            Larger for labels that are more likely.
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

    def _scoring(self) -> Any:
        """Return what epochs are judged by."""
        return LabelScore(self.scoring, type(self).__name__)

    def _after(self, X: Any, labels: IntArray, weights: AnyArray | None) -> None:
        """Calibrate scores and find the thresholds, on the rows held out."""
        who, ranks = type(self).__name__, self.loss_.link == "score"
        self.calibrators_: list[Sigmoid | None] | None = None
        self.thresholds_ = np.full(labels.shape[1], 0.5)
        if self._split is None:
            if ranks:
                rule = f"{type(self.loss_).__name__} ranks rows, and needs others for probabilities"
                todo = "What is given is no probability: set scoring, or calibrate it yourself"
                warn(message(who, rule, "none held out", todo), ImbkitWarning)
            return
        valid = self._split[1]
        truth = labels[valid].T
        weights = np.ones(len(valid)) if weights is None else weights[valid]
        outputs = self.net_.outputs(self._encoded(take(X, valid), {}))
        if ranks:
            p = self.net_.probabilities_of(outputs).T
            self.calibrators_ = [_sigmoid(*each, weights) for each in zip(truth, p, strict=True)]
        if self.thresholds == "tuned":
            p = self._probabilities(outputs).T
            cuts = [_best_cut(*each, weights) for each in zip(truth, p, strict=True)]
            self.thresholds_ = np.array(cuts)

    def _probabilities(self, outputs: FloatArray) -> FloatArray:
        """Return probabilities for outputs."""
        p = self.net_.probabilities_of(outputs)
        for j, calibrator in enumerate(self.calibrators_ or ()):
            if calibrator is not None:
                p[:, j] = calibrator(p[:, j])
        return p


def _indicator(y: Any, n_rows: int, who: str) -> IntArray:
    """Return labels as integers, -1 where they are unknown, or complain."""
    if y is None:
        raise DataError(message(who, "requires y to be passed, but the target y is None"))
    table = y.toarray() if hasattr(y, "toarray") else y
    if not hasattr(table, "iloc"):  # scikit-learn knows the missing values of pandas alone
        table = np.asarray(table)
    if table.ndim == 1:
        _refuse_single(np.asarray(table), who)
    rule = "labels must be 1, 0, or -1 where they are unknown"
    try:
        numbers = check_array(
            table, dtype=np.float64, ensure_all_finite="allow-nan", estimator=who, input_name="y"
        )
    except (TypeError, ValueError) as error:
        shown = np.asarray(table)
        if shown.ndim == 2 and len(shown) and shown.dtype.kind in "OSU":
            raise DataError(message(who, rule, listing(shown[0, :3].tolist()))) from error
        raise
    if len(numbers) != n_rows:
        rule = "X and y must have the same number of rows (inconsistent numbers of samples)"
        raise DataError(message(who, rule, f"{n_rows:,} and {len(numbers):,}"))
    numbers = np.where(np.isnan(numbers), -1.0, numbers)
    strange = np.unique(numbers[~np.isin(numbers, (-1, 0, 1))])
    if len(strange):
        if (strange != np.floor(strange)).any():
            rule = f"{rule}, no continuous target (Unknown label type)"
        raise DataError(message(who, rule, listing(strange[:3].tolist())))
    return numbers.astype(np.int64)


def _refuse_single(y: AnyArray, who: str) -> None:
    """Complain about a target of one class a row."""
    check_classification_targets(y)
    rule = "y must have a column for each label, not one class a row"
    todo = (
        "Only binary classification is supported of each label: use ImbalancedNetClassifier, or "
        "y.reshape(-1, 1) for a single label of 0 and 1"
    )
    raise DataError(message(who, rule, f"shape {y.shape}", todo))


def _check_both(labels: IntArray, who: str) -> None:
    """Refuse labels that cannot be learned."""
    both = (labels == 1).any(axis=0) & (labels == 0).any(axis=0)
    if not both.all():
        rule = "every label needs a row with it and one without, each with a positive weight"
        got = f"one class only for the label at {np.flatnonzero(~both)[0]}"
        raise DataError(message(who, rule, got, "Leave such labels out"))


def _judged(truth: IntArray) -> bool:
    """Whether there are rows with the label and without it."""
    return bool((truth == 1).any() and (truth == 0).any())


def _sigmoid(truth: IntArray, p: FloatArray, weights: FloatArray) -> Sigmoid | None:
    """Return what makes probabilities of a score, if there are rows of both kinds."""
    known = truth >= 0
    if not _judged(truth):
        return None
    return fit_sigmoid(p[known], truth[known] == 1, weights[known])


def _best_cut(truth: IntArray, p: FloatArray, weights: FloatArray) -> float:
    """Return the cut-off with the best F1 score, one half without rows of both kinds."""
    if not _judged(truth):
        return 0.5
    known = truth >= 0
    cuts, counts = sweep(truth[known], p[known], weights[known])
    # The first one that leaves no row out is below all numbers: 0 does as well.
    return float(np.clip(cuts[int(np.argmax(f1_score.of(counts)))], 0.0, 1.0))
