"""A net for tables with rare classes, as a scikit-learn classifier."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import ClassifierMixin

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.prior import check_prior
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit._core.warn import warn
from imbkit.calibration._sigmoid import Sigmoid, fit_sigmoid
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.losses import BaseLoss, ClassWeight
from imbkit.nets._base_net import BaseNet
from imbkit.nets._devices import training_seed
from imbkit.nets._engine import ImbNet
from imbkit.nets._labelled_rows import LabelledRows, checked_labels
from imbkit.nets._probabilities import class_logits
from imbkit.nets._scoring import OfLabels
from imbkit.nets._second_stage import BaseSecondStage, Embedded, get_second_stage

__all__ = ["ImbalancedNetClassifier"]

_LEAST = 1e-12


class ImbalancedNetClassifier(ClassifierMixin, BaseNet):
    """Classify by a neural net whose loss, batches or last layer know that a class is rare.

    Choose it for tables of some ten thousand rows or more, with columns that act together
    smoothly or categories with many levels; and hold gradient boosting with a tuned threshold
    against it, which is hard to beat. Columns are standardised, categories of frames embedded
    and missing values filled inside, from the training rows alone.

    Parameters
    ----------
    module : str, class or torch.nn.Module, default="mlp"
        The body: "mlp", "residual" or "tabular", or a module of your own (see
        :func:`get_body`).
    loss : str, class, BaseLoss or torch.nn.Module, default="cross_entropy"
        See :func:`imbkit.losses.get_loss` and :func:`imbkit.losses.loss_names`.
    loss_params : mapping, default=None
        Parameters of a loss that is named; ``loss__gamma`` sets one of them.
    module_params : mapping, default=None
        Parameters of a body that is named; ``module__hidden`` sets one.
    sampler : str, class or BaseBatchSampler, default=None
        What batches are made of: "class_balanced", "progressive", ... (see
        :func:`get_batch_sampler`). None shuffles the rows.
    sampler_params : mapping, default=None
        Parameters of a sampler that is named; ``sampler__per_class`` sets one.
    class_weight : mapping, "balanced" or None, default=None
        Weights of the classes by label, 1 for labels without; or n / (n_classes n_k).
    reweight : str, BaseReweighter, sequence of them or None, default=None
        Weights of rows (see :func:`imbkit.losses.get_reweighter`), beside `class_weight`.
    head : {"auto", "linear", "cosine"}, default="auto"
        The last layer; "auto" gives cosines where the loss asks for them.
    aux_losses : sequence of (float, loss), default=()
        Losses that are added, each with its factor.
    two_stage : str, object or None, default=None
        What is done to the last layer after training: "crt", "lws", "tau", "tau_crt", "ncm" or
        "align" (see :func:`get_second_stage`).
    two_stage_params : mapping, default=None
        Its parameters.
    predict_prior : {"auto", "balanced", "train"}, mapping or array-like, default="auto"
        The class shares that probabilities are for: those that training led to; equal ones;
        those of the training rows; or given ones by label, or in the order of the classes.
    max_epochs : int, default=100
        Passes over the training rows, at most.
    batch_size : int, default=128
        Rows a step.
    lr : float, default=1e-3
        Learning rate, above 0.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"} or class, default="adamw"
        Optimizer of torch, or one whose step needs no closure.
    weight_decay : float, default=1e-4
        Its weight decay, 0 or more.
    gradient_clip : float, default=None
        Largest length of the gradient.
    validation_fraction : float, default=0.1
        Share of each class that is held out to judge epochs by.
    early_stopping : bool, default=True
        Whether training ends when `patience` epochs in a row were no better. The best epoch's
        weights are kept in any case.
    patience : int, default=15
        See `early_stopping`.
    scoring : str, callable or None, default="balanced_accuracy"
        What epochs are judged by, larger being better: a name that
        :func:`imbkit.metrics.get_scorer` or scikit-learn knows, of which a second class is
        the positive one; or a function of a classifier of the rows held out, a table without
        columns and their labels. None holds nothing out, and keeps the last epoch.
    standardize : bool, default=True
        Whether columns of numbers are standardised.
    device : str, default="auto"
        "cpu", "cuda", "mps" or one of torch's names; "auto" takes an accelerator if there is one.
    amp : bool, default=False
        Whether an accelerator computes in bfloat16 where that is safe.
    compile : bool, default=False
        Whether the body is compiled by ``torch.compile``, which takes a minute and then saves
        some of each step.
    callbacks : sequence of skorch callbacks, default=()
        See skorch.
    random_state : int, RandomState or None, default=None
        Draws weights, batches, dropout and the rows held out.
    verbose : int, default=0
        Whether each epoch prints a line.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    class_counts_ : ndarray of shape (n_classes,)
        Training rows of each class, without those held out.
    effective_prior_ : ndarray of shape (n_classes,)
        Class shares that `predict_proba` is for.
    prior_shift_ : ndarray of shape (n_classes,)
        What is added to the logits for them.
    net_ : ImbNet
        The engine, with `module_` and skorch's history.
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
    calibrator_ : Sigmoid or None
        What turns the scores of a ranking loss into probabilities.
    second_stage_ : dict
        What the second stage found, if there was one.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they have names that are strings.

    See Also
    --------
    ImbNet : The engine, for modules and callbacks of your own.
    imbkit.thresholds.ThresholdClassifierCV : Better labels from the same probabilities.

    Notes
    -----
    `fit` holds rows out, fits the encoder to the others, counts their classes, and trains. The
    loss and the sampler are told the shares that batches really have, so that nothing is
    corrected twice. Rows of weight 0 are left out; sample weights change the shares that the
    net is trained for, but not those of ``predict_prior="train"``, which counts rows. The same
    seed gives the same net on a processor; torch's own random state is left as it was. Weights
    are pickled so that they load on the processor, wherever they were trained.

    ``partial_fit`` makes one pass over the rows it is given, and holds none out. Encoder and
    class counts stay those of its first call, or of ``fit``.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from imbkit.nets import ImbalancedNetClassifier
    >>> X, y = make_classification(600, 5, weights=[0.9], class_sep=2.0, random_state=0)
    >>> model = ImbalancedNetClassifier(
    ...     loss="balanced-softmax",
    ...     module_params={"hidden": (16,)},
    ...     max_epochs=20,
    ...     lr=0.01,
    ...     random_state=0,
    ... )
    >>> model.fit(X, y).effective_prior_
    array([0.5, 0.5])
    >>> model.predict_proba(X).shape
    (600, 2)
    """

    card = Card(
        cases=(
            {
                "module_params": {"hidden": (8,)},
                "max_epochs": 3,
                "lr": 0.05,
                "batch_size": 32,
                "random_state": 0,
            },
        ),
        known_failures={
            "check_sample_weight_equivalence_on_dense_data": (
                "batches and rows held out are drawn at random, so a row of weight 2 is not two "
                "rows; as for scikit-learn's MLPClassifier outside of lbfgs"
            ),
        },
    )

    _parameter_constraints = {
        **BaseNet._parameter_constraints,
        "sampler": [object],
        "sampler_params": [Mapping, None],
        "class_weight": [Mapping, StrOptions({"balanced"}), None],
        "reweight": [object],
        "head": [StrOptions({"auto", "cosine", "linear"})],
        "two_stage": [object],
        "two_stage_params": [Mapping, None],
        "predict_prior": [StrOptions({"auto", "balanced", "train"}), Mapping, "array-like"],
        "scoring": [str, callable, None],
    }
    _parts = ("loss", "module", "sampler", "two_stage")

    def __init__(
        self,
        module: Any = "mlp",
        loss: Any = "cross_entropy",
        *,
        loss_params: Mapping[str, Any] | None = None,
        module_params: Mapping[str, Any] | None = None,
        sampler: Any = None,
        sampler_params: Mapping[str, Any] | None = None,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        reweight: Any = None,
        head: Literal["auto", "linear", "cosine"] = "auto",
        aux_losses: Sequence[tuple[float, Any]] = (),
        two_stage: Any = None,
        two_stage_params: Mapping[str, Any] | None = None,
        predict_prior: Any = "auto",
        max_epochs: int = 100,
        batch_size: int = 128,
        lr: float = 1e-3,
        optimizer: str | Callable[..., Any] = "adamw",
        weight_decay: float = 1e-4,
        gradient_clip: float | None = None,
        validation_fraction: float = 0.1,
        early_stopping: bool = True,
        patience: int = 15,
        scoring: str | Callable[..., float] | None = "balanced_accuracy",
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
        self.class_weight = class_weight
        self.reweight = reweight
        self.head = head
        self.aux_losses = aux_losses
        self.two_stage = two_stage
        self.two_stage_params = two_stage_params
        self.predict_prior = predict_prior
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
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the net.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows. Categories are columns of frames with texts or a categorical dtype; values may
            be missing.
        y : array-like of shape (n_rows,)
            Labels.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights, beside those of the classes.
        groups : array-like of shape (n_rows,), default=None
            Rows of a group are held out together; a sampler or loss may ask for them, too.

        Returns
        -------
        ImbalancedNetClassifier
            The fitted classifier.

        Raises
        ------
        DataError
            If there is one class only, a class has weight 0 only, a column cannot be encoded,
            or the loss was no number from the first epoch on.
        InvalidParameterError
            If a parameter has a value that is not permitted, or a loss needs what the module or
            the batches do not have.
        """
        rows = self._rows(X, y, sample_weight, groups)
        stage = self._stage()
        self._train(
            rows.X,
            rows.beside,
            rows.codes,
            rows.codes,
            n_outputs=self._n_outputs(),
            groups=rows.beside.get("group"),
            hold_out=self.scoring is not None,
            n_classes=len(self.classes_),
        )
        self._after(rows, stage)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Make one pass over more rows.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed at the first call, unless after ``fit``.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.

        Returns
        -------
        ImbalancedNetClassifier
            The classifier.

        Raises
        ------
        DataError
            If `y` has a label that is no class, or the columns do not fit.
        InvalidParameterError
            If `classes` is missing at the first call, or another than at the first; or if the
            loss remembers rows, or there is to be a second stage.
        """
        first, who = not hasattr(self, "net_"), type(self).__name__
        known = None if classes is None else np.unique(np.asarray(classes))
        if first and known is None:
            rule = "classes must name all labels at the first call of partial_fit"
            raise InvalidParameterError(message(who, rule, None))
        if not first and known is not None and not np.array_equal(known, self.classes_):
            rule = "classes must stay those of the first call"
            raise InvalidParameterError(message(who, rule, listing(known.tolist())))
        self._check_partial()
        rows = self._rows(X, y, sample_weight, None, reset=first, known=known)
        if first:
            self._train(
                rows.X,
                rows.beside,
                rows.codes,
                rows.codes,
                n_outputs=self._n_outputs(),
                groups=None,
                hold_out=False,
                n_classes=len(self.classes_),
                epochs=1,
            )
            self._after(rows, None)
            return self
        self.net_.train_split = None  # the rows held out were those of another table
        with training_seed(self._seed + len(self.net_.history), self.device_):
            self.net_.partial_fit(self._encoded(rows.X, rows.beside), rows.codes, epochs=1)
        return self

    def predict(self, X: Any) -> AnyArray:
        """Return the most probable class.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels; of equally probable ones the first.
        """
        found = self.predict_proba(X).argmax(axis=1)
        labels: AnyArray = self.classes_[found]
        return labels

    def predict_proba(self, X: Any) -> FloatArray:
        """Return probabilities, for the class shares of `effective_prior_`.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        return np.asarray(softmax(self._class_logits(X), axis=1))

    def decision_function(self, X: Any) -> FloatArray:
        """Return logarithms of the probabilities up to a constant of the row: logits.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes)
            For two classes the log-odds of ``classes_[1]``.
        """
        z = self._class_logits(X)
        return z[:, 1] - z[:, 0] if z.shape[1] == 2 else z

    def __deploy__(self) -> Any:
        """Return the same net without what only training needs, in a form that skops can save."""
        # Imported here because it is a subclass; another one may predict otherwise.
        from imbkit.nets._shipped_net import ShippedNet

        plain = type(self) in (ImbalancedNetClassifier, ShippedNet)
        return ShippedNet.of(self) if plain else self

    def _rows(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        *,
        reset: bool = True,
        known: AnyArray | None = None,
    ) -> LabelledRows:
        """Return checked rows of positive weight, and learn the classes."""
        who = type(self).__name__
        X = self._read(X, reset=reset)
        labels = checked_labels(y, X.shape[0], who)
        weights = self._weights(sample_weight, X.shape[0])
        if reset:
            self.classes_ = np.unique(labels) if known is None else known
        rows = LabelledRows.of(X, labels, self.classes_, weights, groups, who)
        if reset:
            rows.check_classes(self.classes_, every=known is None, who=who)
            if not isinstance(self.predict_prior, str):
                check_prior(self.predict_prior, self.classes_, who, "predict_prior")
        return rows

    def _stage(self) -> BaseSecondStage | None:
        """Return the second stage, or complain before anything is trained."""
        if self.two_stage is None:
            return None
        stage = get_second_stage(self.two_stage, **(self.two_stage_params or {}))
        loss = self._wanted_loss()
        if loss.link not in ("softmax", "cosine"):
            rule = "two_stage is for losses whose outputs are the logits of a softmax"
            todo = "Use loss='cross_entropy', which the paper has"
            who = type(self).__name__
            raise InvalidParameterError(message(who, rule, type(loss).__name__, todo))
        return stage

    def _engine(
        self, n_outputs: int, split: tuple[IntArray, IntArray] | None, n_classes: int | None
    ) -> ImbNet:
        """Return the engine; a module without the last layer asked for is refused now."""
        net = super()._engine(n_outputs, split, n_classes)
        if self.two_stage is not None:
            net.initialize().head()
        elif not any(each.of_outputs for each in self._losses()):
            rule = "some loss must look at the outputs, or the last layer learns nothing"
            got = f"{type(self._wanted_loss()).__name__}, which looks at embeddings alone"
            todo = "Add it to another loss by aux_losses=[(1.0, ...)], or set two_stage"
            raise InvalidParameterError(message(type(self).__name__, rule, got, todo))
        return net

    def _check_partial(self) -> None:
        """Refuse what needs all rows at once."""
        who = type(self).__name__
        if self.two_stage is not None:
            rule = "a second stage needs all rows, which partial_fit does not have"
            raise InvalidParameterError(message(who, rule, self.two_stage, "Use fit"))
        lasting = [each for each in self._losses() if "index" in each.needs]
        if lasting:
            rule = "partial_fit must have a loss that remembers no rows"
            raise InvalidParameterError(message(who, rule, type(lasting[0]).__name__, "Use fit"))

    def _n_outputs(self) -> int:
        """Return the outputs that the loss asks for: one for scores of two classes."""
        link = self._wanted_loss().link
        return 1 if link in ("sigmoid", "score") and len(self.classes_) == 2 else len(self.classes_)

    def _reweights(self) -> list[Any]:
        """Return class weights, and the weightings asked for."""
        found: list[Any] = []
        if isinstance(self.class_weight, Mapping):
            unknown = [k for k in self.class_weight if k not in self.classes_.tolist()]
            if unknown:
                rule = f"class_weight must name classes: {listing(self.classes_.tolist())}"
                raise DataError(message(type(self).__name__, rule, listing(unknown)))
            factors = [self.class_weight.get(c, 1.0) for c in self.classes_.tolist()]
            if not all(isinstance(each, Real) and 0 < each < np.inf for each in factors):
                rule = "class_weight must hold finite numbers above 0"
                todo = "Leave the rows of a class out that is not to be learned"
                got = dict(self.class_weight)
                raise InvalidParameterError(message(type(self).__name__, rule, got, todo))
            found.append(ClassWeight(np.array(factors, dtype=float)))
        elif self.class_weight == "balanced":
            found.append(ClassWeight())
        if self.reweight is not None:
            more = self.reweight
            found += list(more) if isinstance(more, list | tuple) else [more]
        return found

    def _wants_cosines(self, loss: BaseLoss) -> bool:
        """Whether the last layer gives cosines."""
        return self.head == "cosine" or (self.head == "auto" and super()._wants_cosines(loss))

    def _scoring(self) -> Any:
        """Return what epochs are judged by: a user's function sees labels, not positions."""
        if self.scoring is None or isinstance(self.scoring, str):
            return self.scoring
        return OfLabels(self.scoring, self.classes_)

    def _after(self, rows: LabelledRows, stage: BaseSecondStage | None) -> None:
        """Do the second stage, calibrate scores and set the shift."""
        stats = self.net_.stats_
        self.class_counts_ = stats.counts.astype(int)
        trained = self.loss_.induced_prior(stats)
        self.calibrator_: Sigmoid | None = None
        if stage is not None:
            self._second_stage(stage, rows)
            trained = np.full(len(self.classes_), 1 / len(self.classes_))
        if self.loss_.link == "score":
            shares = self._calibrate(rows)
            trained = trained if shares is None else shares
        self._set_shift(trained)

    def _set_shift(self, trained: FloatArray) -> None:
        """Set what is added to the logits for the class shares asked for."""
        wanted = self.predict_prior
        trained = np.maximum(trained, _LEAST)  # their logarithms must be finite
        if isinstance(wanted, str) and wanted == "auto":
            prior = trained
        elif isinstance(wanted, str) and wanted == "train":
            prior = self.net_.stats_.priors
        else:
            given = "uniform" if isinstance(wanted, str) else wanted
            prior = check_prior(given, self.classes_, type(self).__name__, "predict_prior")
        self.effective_prior_ = np.asarray(prior)
        shift = np.log(prior) - np.log(trained)
        self.prior_shift_ = shift - shift.max()

    def _class_logits(self, X: Any) -> FloatArray:
        """Return log-probabilities of the classes, up to a constant of each row."""
        outputs, loss = self._outputs(X), self.loss_
        z = class_logits(outputs, loss.link, scale=float(getattr(loss, "scale", 1.0)))
        if self.calibrator_ is not None:
            odds = self.calibrator_.slope * (z[:, 1] - z[:, 0]) + self.calibrator_.intercept
            z = np.stack([np.zeros(len(odds)), odds], axis=1)
        return np.asarray(z + self.prior_shift_)

    def _calibrate(self, rows: LabelledRows) -> FloatArray | None:
        """Fit a sigmoid to the rows held out, and return their class shares.

        A loss that only ranks gives no probabilities; without such rows, or for more than two
        classes, a warning says so.
        """
        valid = None if self._split is None else rows.part(self._split[1])
        if len(self.classes_) > 2 or valid is None or len(np.unique(valid.codes)) < 2:
            rule = f"{type(self.loss_).__name__} ranks rows, and gives no probabilities by itself"
            got = "more than two classes" if len(self.classes_) > 2 else "no rows held out"
            todo = "Set scoring, or put CalibratedClassifierCV of scikit-learn around the net"
            warn(message(type(self).__name__, rule, got, todo), ImbkitWarning)
            return None
        p = self.net_.predict_proba(self._encoded(valid.X, {}))
        weights = valid.beside.get("sample_weight")
        self.calibrator_ = fit_sigmoid(p[:, 1], valid.codes == 1, weights, rest=p[:, 0])
        mass = np.bincount(valid.codes, weights, minlength=2)
        return np.asarray(mass / mass.sum())

    def _second_stage(self, stage: BaseSecondStage, rows: LabelledRows) -> None:
        """Give the trained body another last layer."""
        every = self.net_.embeddings(self._encoded(rows.X, {}))
        weights = rows.beside.get("sample_weight")

        def part(at: IntArray | slice) -> Embedded:
            return Embedded(every[at], rows.codes[at], None if weights is None else weights[at])

        train = part(slice(None) if self._split is None else self._split[0])
        valid = None if self._split is None else part(self._split[1])
        weight, bias = self.net_.head()
        # What the loss multiplies outputs by is part of its layer, and no part of a new one.
        scale = float(getattr(self.loss_, "scale", 1.0))
        weight, bias, self.second_stage_ = stage.fit_head(
            weight * scale, bias * scale, train, valid
        )
        self.net_.set_head(weight / scale, bias / scale)
