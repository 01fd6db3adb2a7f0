"""skorch's training loop, with losses that know the classes and batches that are made of them."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EpochTimer, PrintLog
from skorch.dataset import ValidSplit
from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.losses import (
    ClassStats,
    LossContext,
    Reweighted,
    SumLoss,
    get_loss,
    get_reweighter,
)
from imbkit.nets._batch_sampler import BaseBatchSampler
from imbkit.nets._probabilities import probabilities
from imbkit.nets._row_sampler import InstanceBatchSampler
from imbkit.nets._sampler_names import get_batch_sampler
from imbkit.nets._scoring import BestEpoch, Outputs, scorer_of
from imbkit.nets._tensor_table import Batches, TensorTable

__all__ = ["ImbNet"]

# What may stand beside the inputs of the module in X.
_BESIDE = ("index", "sample_weight", "group", "time", "event")
_OF_ROWS = ("group", "sample_weight")  # what samplers may look at
_A_TENTH = ValidSplit(0.1, stratified=True, random_state=0)
_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class ImbNet(NeuralNetClassifier):  # type: ignore[misc]
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
    scoring : str or callable, default="balanced_accuracy"
        What epochs are judged by on the rows for validation; the best one's weights are kept.
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
            score = _Score(self, scorer_of(self.scoring, type(self).__name__))
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
        self._begun = False
        super().initialize()
        return self

    def initialize_criterion(self) -> "ImbNet":
        """Make the loss, with its weights of rows and the losses that are added.

        Returns
        -------
        ImbNet
            The net.
        """
        params = self.get_params_for("criterion")
        loss = get_loss(self.criterion, **params)
        if self.reweight is not None:
            given = self.reweight if isinstance(self.reweight, list | tuple) else [self.reweight]
            loss = Reweighted(loss, [get_reweighter(each) for each in given])
        if self.aux_losses:
            more = [(factor, get_loss(each)) for factor, each in self.aux_losses]
            loss = SumLoss([(1.0, loss), *more])
        self.criterion_ = loss
        return self

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
        train, valid = super().get_split_datasets(X, y, **fit_params)
        train, valid = _table_of(train), None if valid is None else _table_of(valid)
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
            return Batches(dataset, size, self.sampler_)
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
        logits, embedding = y_pred if isinstance(y_pred, tuple) else (y_pred, None)
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
            Not used.

        Returns
        -------
        ImbNet
            The net.
        """
        self.check_training_readiness()
        train, valid = self.get_split_datasets(X, y)
        parts = {"dataset_train": train, "dataset_valid": valid}
        learned = self.get_iterator(train, training=True)
        judged = None if valid is None else self.get_iterator(valid)
        self.stopped_ = False
        for _ in range(self.max_epochs if epochs is None else epochs):
            self.notify("on_epoch_begin", **parts)
            self.run_single_epoch(learned, training=True, prefix="train", step_fn=self.train_step)
            if self.stopped_:
                break
            self.run_single_epoch(
                judged, training=False, prefix="valid", step_fn=self.validation_step
            )
            self.notify("on_epoch_end", **parts)
            if self.stopped_:
                break
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
        if not training:
            self.valid_outputs_ = None
        if iterator is None:
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
                self.notify("on_batch_end", batch=batch, training=training, **step)
        values = torch.stack(losses).double().cpu().numpy()
        if training:
            self._check_finite(values)
        self.history.record(f"{prefix}_loss", float(np.average(values, weights=sizes)))
        self.history.record(f"{prefix}_batch_count", len(values))
        if not training:
            self.valid_outputs_ = torch.cat(outputs), iterator.table.y

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
            return (p >= 0.5).astype(int)
        return p.argmax(axis=1)

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
        scale = float(getattr(loss, "scale", 1.0) or 1.0)
        several = self.stats_.task == "multilabel"
        return probabilities(outputs, loss.link, labels=several, shift=shift, scale=scale)

    def embeddings(self, X: Any) -> FloatArray:
        """Return what the last layer is given for rows.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs.

        Returns
        -------
        ndarray of float64, shape (n, n_embedding)
            Embeddings.

        Raises
        ------
        InvalidParameterError
            If the module has no ``embed`` and `head`.
        """
        self._check_head("embeddings need")
        self._set_training(False)
        found = []
        with torch.no_grad():
            for batch, _ in self.get_iterator(self.get_dataset(X)):
                found.append(self.module_.embed(**self._inputs(batch)).double().cpu().numpy())
        return np.concatenate(found)

    def head(self) -> tuple[FloatArray, FloatArray]:
        """Return weights and intercepts of the last layer.

        Returns
        -------
        weight : ndarray of float64, shape (n_outputs, n_embedding)
            Weights.
        bias : ndarray of float64, shape (n_outputs,)
            Intercepts.
        """
        self._check_head("a second stage needs")
        head = self.module_.head
        bias = torch.zeros(len(head.weight)) if head.bias is None else head.bias
        return tuple(each.detach().double().cpu().numpy() for each in (head.weight, bias))

    def set_head(self, weight: FloatArray, bias: FloatArray) -> None:
        """Give the last layer other weights and intercepts.

        Parameters
        ----------
        weight : ndarray of shape (n_outputs, n_embedding)
            Weights.
        bias : ndarray of shape (n_outputs,)
            Intercepts.
        """
        head = self.module_.head
        with torch.no_grad():
            head.weight.copy_(torch.as_tensor(weight))
            head.bias.copy_(torch.as_tensor(bias))

    def _check_head(self, what: str) -> None:
        """Refuse a module whose last layer cannot be told apart."""
        head = getattr(self.module_, "head", None)
        if (
            not isinstance(head, nn.Linear)
            or head.bias is None
            or not hasattr(self.module_, "embed")
        ):
            rule = f"{what} a module with embed() and a linear last layer `head` with intercepts"
            todo = "Use 'mlp', 'residual' or 'tabular' with head='linear'"
            got = type(self.module_).__name__
            raise InvalidParameterError(message(type(self).__name__, rule, got, todo))

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

    def _prepare(self, train: TensorTable) -> None:
        """Count the rows to learn from, and hand the counts to sampler and loss."""
        labels = train.y.cpu().numpy()
        begun = getattr(self, "_begun", False)
        stats = self.stats_ if begun else self._counted(labels)
        sampler = InstanceBatchSampler()
        if self.sampler is not None:
            sampler = get_batch_sampler(self.sampler, **self.get_params_for("sampler"))
        beside = {name: train.X[name].cpu().numpy() for name in _OF_ROWS if name in train.X}
        sampler.start(
            labels,
            n_classes=stats.n_classes,
            batch_size=len(train) if self.batch_size == -1 else self.batch_size,
            seed=self.seed,
            max_epochs=self.max_epochs,
            groups=beside.get("group"),
            sample_weight=beside.get("sample_weight") if sampler.use_weight else None,
        )
        self.sampler_: BaseBatchSampler = sampler
        if begun:
            return
        if stats.task in ("binary", "multiclass"):
            stats = stats.sampled(sampler.effective_priors())
        self.stats_ = stats
        self.criterion_.setup(stats)
        if "X" in train.X:
            self.criterion_.see(train.X["X"].cpu().numpy())
        self.criterion_.to(self.device)
        self._check_needs(train)
        self._begun = True

    def _counted(self, labels: AnyArray) -> ClassStats:
        """Return the counts of the target."""
        if labels.ndim == 1 and labels.dtype.kind == "f":
            rule = "the target must hold class positions of type int64"
            todo = "Encode classes by numpy.unique(y, return_inverse=True)"
            raise DataError(message(type(self).__name__, rule, f"type {labels.dtype}", todo))
        width = getattr(getattr(self.module_, "head", None), "in_features", None)
        stats = ClassStats.from_labels(labels, n_classes=self.n_classes, embedding_dim=width)
        if stats.task != "multilabel":
            self.classes_inferred_ = np.arange(stats.n_classes)
        return stats

    def _check_needs(self, train: TensorTable) -> None:
        """Refuse a loss that the module or the batches cannot serve."""
        loss, who = self.criterion_, type(self).__name__
        if self.stats_.task not in loss.tasks:
            rule = f"{type(loss).__name__} serves {', '.join(sorted(loss.tasks))} targets"
            raise InvalidParameterError(message(who, rule, f"a {self.stats_.task} one"))
        if "head" in loss.needs and not hasattr(getattr(self.module_, "head", None), "weight"):
            rule = f"{type(loss).__name__} needs a module with a last layer `head`"
            todo = "Use 'mlp', 'residual' or 'tabular', or name the last layer so"
            raise InvalidParameterError(message(who, rule, type(self.module_).__name__, todo))
        for need in ("group", "time"):
            if need in loss.needs and need not in train.X:
                rule = f"{type(loss).__name__} needs the {need} of each row"
                raise InvalidParameterError(message(who, rule, "none", "Pass it with the rows"))

    def _check_finite(self, values: FloatArray) -> None:
        """End training where a loss is no number."""
        bad = np.flatnonzero(~np.isfinite(values))
        if not len(bad):
            return
        epoch, who = len(self.history), type(self).__name__
        rule = "the loss must be a number"
        got = f"{values[bad[0]]} in epoch {epoch}, batch {bad[0] + 1}"
        todo = "Lower lr, standardise the columns, or set gradient_clip=1.0"
        best = dict(self.callbacks_).get("best_epoch")
        if best is None or best.weights_ is None:
            raise DataError(message(who, rule, got, todo))
        warn(message(who, rule, got, f"The best weights so far are kept. {todo}"), ImbkitWarning)
        self.stopped_ = True

    @property
    def _listened(self) -> bool:
        """Whether a callback wants to hear of batches."""
        found = getattr(self, "_listens", None)
        if found is None:
            found = any(
                getattr(type(each), hook, None) is not getattr(Callback, hook)
                for _, each in self.callbacks_
                for hook in _BATCH_HOOKS
            )
            self._listens = found
        return bool(found)


class _Whole(nn.Module):
    """A module that takes its inputs as one mapping."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: Mapping[str, Tensor]) -> Any:
        """Return what the module makes of them."""
        return self.module(**inputs) if set(inputs) != {"X"} else self.module(inputs["X"])


class _Score:
    """The score of outputs, as a function that pickles."""

    def __init__(self, net: ImbNet, scorer: Any) -> None:
        self.net, self.scorer = net, scorer

    def __call__(self, outputs: Tensor, y: Tensor) -> float:
        truth = y.cpu().numpy()
        p = self.net.probabilities_of(outputs.float().cpu().numpy())
        several = truth.ndim == 2
        known = Outputs(p, np.arange(p.shape[1]), several)
        return float(self.scorer(known, np.empty((len(truth), 0)), truth))


def _logits(found: Any) -> Tensor:
    """Return the first of what a module gave, without a gradient."""
    first = found[0] if isinstance(found, tuple) else found
    return first.detach()


def _table_of(dataset: Any) -> TensorTable:
    """Return a part of a table as a table."""
    if isinstance(dataset, TensorTable):
        return TensorTable(dataset.X, dataset.y)
    found: TensorTable = dataset.dataset.part(np.asarray(dataset.indices))
    return found
