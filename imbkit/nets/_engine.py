"""skorch's training loop, with losses that know the classes and batches that are made of them."""

import copy
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet, NeuralNetClassifier
from skorch.callbacks import Callback, EpochTimer, PrintLog
from skorch.dataset import ValidSplit
from torch import Tensor, nn
from torch.utils.data import Subset

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.losses import ClassStats, LossContext
from imbkit.nets._batch_sampler import BaseBatchSampler
from imbkit.nets._combined_loss import combined_loss
from imbkit.nets._demands import check_demands
from imbkit.nets._last_layer import LastLayer
from imbkit.nets._probabilities import probabilities
from imbkit.nets._row_sampler import InstanceBatchSampler
from imbkit.nets._sampler_names import get_batch_sampler
from imbkit.nets._scoring import BestEpoch, OutputScore
from imbkit.nets._tensor_table import Batches, TensorTable

__all__ = ["ImbNet"]

# What may stand beside the inputs of the module in X.
_BESIDE = ("index", "sample_weight", "group", "time", "event")
_OF_ROWS = ("group", "sample_weight")  # what samplers may look at
_A_TENTH = ValidSplit(0.1, stratified=True, random_state=0)
_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class ImbNet(LastLayer, NeuralNetClassifier):
    """A net of skorch whose loss may know the class counts, and whose batches may be balanced.

    For those who write their own modules and callbacks, or need skorch's mixins (several GPUs,
    tables larger than memory). All others are better served by
    :class:`ImbalancedNetClassifier`, which also takes care of labels, frames and devices.

    Parameters
    ----------
    module : class or instance of torch.nn.Module
        Called with ``X``, or with the entries of a mapping by name. It returns logits, or logits
        and an embedding.
    *args : object
        Passed on to skorch.
    criterion : str, class, BaseLoss or torch.nn.Module, default="cross_entropy"
        The loss, as :func:`imbkit.losses.get_loss` takes it; parameters are ``criterion__x``.
    sampler : str, class or BaseBatchSampler, default=None
        What batches are made of, as :func:`get_batch_sampler` takes it; parameters are
        ``sampler__x``. None shuffles the rows.
    reweight : str, class, BaseReweighter or sequence of them, default=None
        Weights of the rows.
    aux_losses : sequence of (float, loss), default=()
        Losses that are added, each with its factor.
    n_classes : int, default=None
        Classes; None for as many as the target has.
    seed : int, default=0
        For batches.
    amp : bool, default=False
        Whether an accelerator computes in bfloat16 where that is safe.
    gradient_clip : float, default=None
        Largest length of the gradient.
    train_split : callable or None, default=ValidSplit(0.1, stratified=True)
        Takes the rows for validation away, as in skorch.
    scoring : str, callable or None, default="balanced_accuracy"
        What epochs are judged by on the rows for validation; the best one's weights are kept.
        None keeps the last epoch's. A function is called with a classifier of these rows, a
        table without columns and the target.
    patience : int, default=None
        Epochs without a better score after which training ends.
    **kwargs : object
        Passed on to skorch.

    Attributes
    ----------
    module_ : torch.nn.Module
        The module.
    criterion_ : BaseLoss
        The loss.
    stats_ : ClassStats
        Counts of the training part, and the class shares of the batches.
    classes_ : ndarray of shape (n_classes,)
        Class positions.
    history : skorch.history.History
        Losses, scores and times of the epochs.

    See Also
    --------
    ImbalancedNetClassifier : The same behind scikit-learn's face.

    Notes
    -----
    The target holds class positions (int64), or an indicator of labels. The table lies on the
    device, and a batch is a selection of its rows. Epochs are recorded as a whole; batches are
    only announced to callbacks that listen. A loss that is no longer a number ends training:
    the best weights so far are put back and a warning says where; without any it is an error.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from imbkit.nets import ImbNet, MLP
    >>> X, y = make_classification(300, 4, n_redundant=0, weights=[0.9], random_state=0)
    >>> net = ImbNet(
    ...     MLP,
    ...     module__n_features=4,
    ...     module__n_outputs=2,
    ...     criterion="focal",
    ...     sampler="balanced",
    ...     optimizer__lr=0.01,
    ...     max_epochs=3,
    ...     verbose=0,
    ... )
    >>> net.fit(X.astype(np.float32), y).predict_proba(X.astype(np.float32)).shape
    (300, 2)
    """

    card = Card(cases=())

    stats_: ClassStats
    sampler_: BaseBatchSampler
    valid_outputs_: tuple[Tensor, TensorTable] | None

    prefixes_ = [*NeuralNetClassifier.prefixes_, "sampler"]

    def __init__(
        self,
        module: Any,
        *args: Any,
        criterion: Any = "cross_entropy",
        sampler: Any = None,
        reweight: Any = None,
        aux_losses: Iterable[tuple[float, Any]] = (),
        n_classes: int | None = None,
        seed: int = 0,
        amp: bool = False,
        gradient_clip: float | None = None,
        train_split: Any = _A_TENTH,
        scoring: Any = "balanced_accuracy",
        patience: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.sampler = sampler
        self.reweight = reweight
        self.aux_losses = aux_losses
        self.n_classes = n_classes
        self.seed = seed
        self.amp = amp
        self.gradient_clip = gradient_clip
        self.scoring = scoring
        self.patience = patience
        super().__init__(module, *args, criterion=criterion, train_split=train_split, **kwargs)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        """Time, the best epoch, and a line a epoch if `verbose`."""
        score = None
        if self.scoring is not None and self.train_split:
            score = OutputScore(self.scoring, type(self).__name__)
        return [
            ("epoch_timer", EpochTimer()),
            ("best_epoch", BestEpoch(score, self.patience)),
            ("print_log", PrintLog()),
        ]

    def initialize(self) -> "ImbNet":
        """Make module, loss and optimizer anew, and forget all counts.

        Returns
        -------
        ImbNet
            The net.
        """
        self._begun = self._listened = False
        super().initialize()
        return self

    def initialize_criterion(self) -> "ImbNet":
        """Make the loss, with its weights of rows and the losses that are added.

        Returns
        -------
        ImbNet
            The net.
        """
        # Losses inside of losses are not copied by their constructors, and those given stay as
        # they are.
        params = copy.deepcopy(self.get_params_for("criterion"))
        self.criterion_ = combined_loss(self.criterion, params, self.reweight, self.aux_losses)
        return self

    def torch_compile(self, module: nn.Module, name: str) -> Any:
        """Compile the module, if asked to; a loss has too little to gain.

        Parameters
        ----------
        module : torch.nn.Module
            Module or loss.
        name : str
            Which of them.

        Returns
        -------
        torch.nn.Module
            Compiled or as it was.
        """
        return super().torch_compile(module, name) if name == "module" else module

    def get_dataset(self, X: Any, y: Any = None) -> TensorTable:
        """Return the table as tensors on the device.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs; a mapping may hold "sample_weight", "index", "group", "time" and "event".
        y : ndarray or Tensor of shape (n,) or (n, n_labels), default=None
            Target; None where there is none to learn.

        Returns
        -------
        TensorTable
            The table.
        """
        if isinstance(X, TensorTable):
            return X.to(self.device)
        named = dict(X) if isinstance(X, Mapping) else {"X": X}
        tensors = {name: torch.as_tensor(value) for name, value in named.items()}
        n_rows = len(next(iter(tensors.values())))
        target = torch.zeros(n_rows, dtype=torch.int64) if y is None else torch.as_tensor(y)
        return TensorTable(tensors, target).to(self.device)

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Return the rows to learn from and those for validation, and prepare loss and sampler.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs.
        y : ndarray or Tensor, default=None
            Target.
        **fit_params : object
            Passed on to `train_split`.

        Returns
        -------
        tuple of TensorTable
            Both parts; None for no validation.
        """
        if fit_params and not self.train_split:
            rule = "fit takes X and y, and what train_split asks for"
            todo = 'What belongs to rows stands in X: {"X": X, "sample_weight": weights}'
            raise InvalidParameterError(message(type(self).__name__, rule, [*fit_params], todo))
        train, valid = super().get_split_datasets(X, y, **fit_params)
        train, valid = self._table_of(train), None if valid is None else self._table_of(valid)
        train.X["index"] = torch.arange(len(train), device=train.y.device)
        self._prepare(train)
        return train, valid

    def get_iterator(self, dataset: TensorTable, training: bool = False) -> Batches:
        """Return the batches of a table.

        Parameters
        ----------
        dataset : TensorTable
            The table.
        training : bool, default=False
            Whether they are learned from, in the order of the sampler.

        Returns
        -------
        Batches
            To loop over.
        """
        size = len(dataset) if self.batch_size == -1 else self.batch_size
        if training:
            return Batches(dataset, size, self.sampler_, epoch=len(self.history))
        # Nothing is kept of a batch that is only looked at, so it may be large.
        return Batches(dataset, max(size, 8192))

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Return what the module makes of a batch.

        Parameters
        ----------
        x : mapping of str to Tensor, or Tensor
            The batch.
        **fit_params : object
            Not used.

        Returns
        -------
        Tensor or tuple of Tensor
            Logits, or logits and embedding.
        """
        inputs = self._inputs(x)
        module = self.module_
        with self._precision():
            if "embedding" in self.criterion_.needs and hasattr(module, "embed"):
                embedding = module.embed(**inputs)
                return module.head(embedding), embedding
            return module(**inputs) if set(inputs) != {"X"} else module(inputs["X"])

    def get_loss(
        self, y_pred: Any, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        y_pred : Tensor or tuple of Tensor
            What the module gave.
        y_true : Tensor
            Target.
        X : mapping of str to Tensor, default=None
            The batch.
        training : bool, default=False
            Whether it is learned from.

        Returns
        -------
        Tensor of shape ()
            The loss.
        """
        logits, embedding = y_pred[:2] if isinstance(y_pred, tuple) else (y_pred, None)
        if logits.ndim == 2 and logits.shape[1] == 1 and y_true.ndim == 1:
            logits = logits[:, 0]  # one score a row
        loss, module = self.criterion_, self.module_
        beside = {name: X[name] for name in _BESIDE if name in X}
        if training and self.sampler_.use_weight:
            beside.pop("sample_weight", None)  # batches have them already
        if "head" in loss.needs:
            head = module.head
            beside |= {"head_weight": head.weight, "head_bias": getattr(head, "bias", None)}
        if "model" in loss.needs:
            beside |= {"model": _Whole(module), "inputs": self._inputs(X)}
        batch = LossContext(
            logits,
            y_true,
            embedding=embedding,
            epoch=len(self.history) - 1,
            max_epochs=self.max_epochs,
            training=training,
            **beside,
        )
        value: Tensor = loss.value(batch)
        return value

    def fit_loop(
        self, X: Any, y: Any = None, epochs: int | None = None, **fit_params: Any
    ) -> "ImbNet":
        """Train for some epochs, or until one is the last.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs.
        y : ndarray or Tensor, default=None
            Target.
        epochs : int, default=None
            Epochs; None for `max_epochs`.
        **fit_params : object
            Passed on to `train_split`.

        Returns
        -------
        ImbNet
            The net.

        Raises
        ------
        DataError
            If the loss is no number, and no epoch before had weights worth keeping.
        """
        fit_params.pop("_routing_method", None)  # skorch's own
        self.check_training_readiness()
        train, valid = self.get_split_datasets(X, y, **fit_params)
        parts = {"dataset_train": train, "dataset_valid": valid}
        learned = self.get_iterator(train, training=True)
        judged = None if valid is None else self.get_iterator(valid)
        self._listened = self._is_listened()
        self._least: dict[str, float] = {}
        self.stopped_ = self._broken = False
        try:
            for _ in range(self.max_epochs if epochs is None else epochs):
                self.notify("on_epoch_begin", **parts)
                self.run_single_epoch(learned, True, "train", self.train_step)
                if not self._broken:
                    self.run_single_epoch(judged, False, "valid", self.validation_step)
                if self._broken:
                    break
                self.notify("on_epoch_end", **parts)
                if self.stopped_:
                    break
        finally:
            self.valid_outputs_ = None
        return self

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Learn from a batch.

        Parameters
        ----------
        batch : tuple
            Rows and targets.
        **fit_params : object
            Passed on to ``infer``.

        Returns
        -------
        dict
            The loss, and what the module gave.
        """
        self.optimizer_.zero_grad(set_to_none=True)
        step: dict[str, Any] = self.train_step_single(batch, **fit_params)
        if self._listened:
            named = list(self.get_all_learnable_params())
            self.notify("on_grad_computed", named_parameters=named, batch=batch, training=True)
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.module_.parameters(), self.gradient_clip)
        self.optimizer_.step()
        self.criterion_.project()
        return step

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Go through the batches once, and record the mean loss.

        Parameters
        ----------
        iterator : Batches or None
            The batches.
        training : bool
            Whether they are learned from.
        prefix : str
            Of the names in the history.
        step_fn : callable
            What is done with each.
        **fit_params : object
            Passed on.
        """
        if iterator is None:
            if not all(bool(each.isfinite().all()) for each in self.module_.parameters()):
                self._break_off("weights that are none")
            return
        losses, sizes, outputs = [], [], []
        for batch in iterator:
            if self._listened:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            # Kept on the device: to look at each would wait for it.
            losses.append(step["loss"].detach())
            sizes.append(len(batch[1]))
            if not training:
                outputs.append(_logits(step["y_pred"]))
            if self._listened:
                self.history.record_batch(f"{prefix}_loss", float(losses[-1]))
                self.history.record_batch(f"{prefix}_batch_size", sizes[-1])
                self.notify("on_batch_end", batch=batch, training=training, **step)
        values = torch.stack(losses).double().cpu().numpy()
        mean = float(np.average(values, weights=sizes))
        better = mean < self._least.get(prefix, np.inf)
        self._least[prefix] = min(mean, self._least.get(prefix, np.inf))
        self.history.record(f"{prefix}_loss", mean)
        self.history.record(f"{prefix}_loss_best", better)
        self.history.record(f"{prefix}_batch_count", len(values))
        if training:
            bad = np.flatnonzero(~np.isfinite(values))
            if len(bad):
                self._break_off(f"{values[bad[0]]}", f", batch {bad[0] + 1}")
            return
        self.valid_outputs_ = torch.cat(outputs), iterator.table
        if not bool(self.valid_outputs_[0].isfinite().all()):
            self._break_off("outputs that are none for rows held out")

    def outputs(self, X: Any) -> FloatArray:
        """Return what the module gives for rows.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs.

        Returns
        -------
        ndarray of shape (n, n_outputs) or (n,)
            Logits.
        """
        found: FloatArray = _logits(self.forward(X)).float().numpy()
        return found

    def predict_proba(self, X: Any) -> FloatArray:
        """Return probabilities as the loss is made for.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs.

        Returns
        -------
        ndarray of shape (n, n_classes) or (n, n_labels)
            Probabilities.
        """
        return self.probabilities_of(self.outputs(X))

    def predict(self, X: Any) -> AnyArray:
        """Return the class position with the largest probability, or labels above one half.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs.

        Returns
        -------
        ndarray of shape (n,) or (n, n_labels)
            Class positions or labels.
        """
        p = self.predict_proba(X)
        if self.stats_.task == "multilabel":
            return np.asarray(p >= 0.5, dtype=int)
        return np.asarray(p.argmax(axis=1))

    def probabilities_of(self, outputs: FloatArray, shift: FloatArray | None = None) -> FloatArray:
        """Return probabilities for outputs of the module.

        Parameters
        ----------
        outputs : ndarray of shape (n, n_outputs) or (n,)
            Outputs.
        shift : ndarray of shape (n_classes,), default=None
            What is added to the logits.

        Returns
        -------
        ndarray of shape (n, n_classes) or (n, n_labels)
            Probabilities.
        """
        loss = self.criterion_
        scale = float(getattr(loss, "scale", 1.0))
        several = self.stats_.task == "multilabel"
        return probabilities(outputs, loss.link, labels=several, shift=shift, scale=scale)

    def _inputs(self, x: Any) -> dict[str, Tensor]:
        """Return what of a batch is for the module."""
        if not isinstance(x, Mapping):
            return {"X": x}
        return {name: value for name, value in x.items() if name not in _BESIDE}

    def _precision(self) -> Any:
        """Return the context that the module computes in."""
        kind = torch.device(self.device).type
        if not self.amp or kind == "cpu":
            return nullcontext()
        return torch.autocast(kind, dtype=torch.bfloat16)

    def _set_training(self, training: bool = True) -> None:
        """Set the mode of module and loss, if it is another one."""
        for each in (self.module_, self.criterion_):
            if each.training != training:
                each.train(training)

    def _table_of(self, part: Any) -> TensorTable:
        """Return a part of a table as a table of its own, whatever it was made by."""
        if isinstance(part, TensorTable):
            return TensorTable(part.X, part.y)
        if isinstance(part, Subset):
            return self._table_of(part.dataset).part(np.asarray(part.indices))
        return self.get_dataset(part.X, part.y)

    def _prepare(self, train: TensorTable) -> None:
        """Count the rows to learn from, and hand the counts to sampler and loss."""
        labels = train.y.cpu().numpy()
        begun, loss = self._begun, self.criterion_
        stats = self.stats_ if begun else self._counted(labels, set(train.X))
        if begun and "index" in loss.needs and len(train) != stats.n_samples:
            rule = f"{type(loss).__name__} remembers rows, so they must stay the same"
            got = f"{len(train):,} rows after {stats.n_samples:,}"
            raise InvalidParameterError(message(type(self).__name__, rule, got, "Call fit"))
        size = len(train) if self.batch_size == -1 else self.batch_size
        beside = {name: train.X[name].cpu().numpy() for name in _OF_ROWS if name in train.X}
        weights = beside.get("sample_weight")
        sampler: BaseBatchSampler = InstanceBatchSampler()
        if self.sampler is not None:
            sampler = get_batch_sampler(self.sampler, **self.get_params_for("sampler"))
        sampler.start(
            labels,
            n_classes=stats.n_classes,
            batch_size=size,
            seed=self.seed,
            max_epochs=self.max_epochs,
            groups=beside.get("group"),
            sample_weight=weights if sampler.use_weight else None,
        )
        self.sampler_ = sampler
        if begun:
            return
        if stats.task in ("binary", "multiclass"):
            shares = sampler.effective_priors()
            if weights is not None and not sampler.use_weight:
                shares = shares * _mean_weights(labels, weights, stats.n_classes)
            stats = stats.sampled(shares)
        elif stats.task == "multilabel" and self.sampler is not None:
            # Batches in plain order have the rates of the known labels, as the counts do.
            stats = stats.sampled(sampler.effective_priors())
        self.stats_ = stats
        loss.setup(stats)
        if "X" in train.X:
            loss.see(train.X["X"].cpu().numpy())
        loss.to(self.device)
        if "learnable" in loss.needs:
            self.initialize_optimizer()  # parameters may be new since the counts are known
        check_demands(loss, self.module_, sampler, stats, set(train.X), size, type(self).__name__)
        self._begun = True

    def _counted(self, labels: AnyArray, columns: set[str]) -> ClassStats:
        """Return the counts of the target; where there are no classes, of the rows alone."""
        tasks = self.criterion_.tasks
        if {"time", "event"} <= columns:
            return ClassStats(np.zeros(0), len(labels), "survival")
        if self.n_classes is None and labels.ndim == 1 and tasks == {"aggregate"}:
            return ClassStats(np.zeros(0), len(labels), "aggregate")
        if labels.ndim == 1 and labels.dtype.kind == "f":
            rule = "the target must hold class positions of type int64"
            todo = "Encode classes by numpy.unique(y, return_inverse=True)"
            raise DataError(message(type(self).__name__, rule, f"type {labels.dtype}", todo))
        width = getattr(getattr(self.module_, "head", None), "in_features", None)
        stats = ClassStats.from_labels(labels, n_classes=self.n_classes, embedding_dim=width)
        if stats.task != "multilabel":
            self.classes_inferred_ = np.arange(stats.n_classes)
        return stats

    def _break_off(self, got: str, where: str = "") -> None:
        """End training where numbers are none: with the best weights, or with an error."""
        who, rule = type(self).__name__, "losses and outputs must be numbers"
        got = f"{got} in epoch {len(self.history)}{where}"
        todo = "Lower lr, standardise the columns, or set gradient_clip=1.0"
        best = next((each for _, each in self.callbacks_ if isinstance(each, BestEpoch)), None)
        if best is None or best.weights_ is None:
            raise DataError(message(who, rule, got, todo))
        warn(message(who, rule, got, f"The best weights so far are kept. {todo}"), ImbkitWarning)
        self._broken = True

    def _is_listened(self) -> bool:
        """Whether a callback, or a subclass, wants to hear of batches."""
        return any(
            getattr(type(each), hook, None) is not getattr(base, hook)
            for each, base in [(self, NeuralNet), *((c, Callback) for _, c in self.callbacks_)]
            for hook in _BATCH_HOOKS
        )


class _Whole(nn.Module):
    """A module that takes its inputs as one mapping."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: Mapping[str, Tensor]) -> Any:
        """Return what the module makes of them."""
        return self.module(**inputs) if set(inputs) != {"X"} else self.module(inputs["X"])


def _logits(found: Any) -> Tensor:
    """Return the first of what a module gave, without a gradient."""
    first: Tensor = found[0] if isinstance(found, tuple) else found
    return first.detach()


def _mean_weights(labels: AnyArray, weights: FloatArray, n_classes: int) -> FloatArray:
    """Return the mean weight of each class's rows, 1 for a class without any."""
    mass = np.bincount(labels, weights, minlength=n_classes)
    count = np.bincount(labels, minlength=n_classes)
    return np.divide(mass, count, out=np.ones(n_classes), where=count > 0)
