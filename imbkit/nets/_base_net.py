"""What the nets with scikit-learn's face share: from a table to a trained engine, and back."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from imbkit._core.constraints import RANDOM_STATE, Interval, StrOptions
from imbkit._core.containers import take
from imbkit._core.messages import message
from imbkit._core.rng import integer_seed
from imbkit._core.types import AnyArray, FloatArray, IntArray, Seed
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, SmallClassWarning
from imbkit.losses import BaseLoss, get_loss
from imbkit.metrics._counts import check_weight
from imbkit.nets._batch_sampler import BaseBatchSampler
from imbkit.nets._bodies import get_body
from imbkit.nets._combined_loss import check_pairs
from imbkit.nets._cosine_head import with_cosine_head
from imbkit.nets._devices import device_of, training_seed
from imbkit.nets._engine import ImbNet
from imbkit.nets._hold_out import HeldOut, held_out
from imbkit.nets._routing import PartParameters
from imbkit.nets._table_encoder import TableEncoder

__all__ = ["BaseNet"]

_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}
_NUMBERS = (np.float64, np.float32)


class BaseNet(PartParameters):
    """A net behind scikit-learn's face. A subclass reads the target and says what is predicted."""

    _parts: tuple[str, ...] = ("loss", "module", "sampler")

    _parameter_constraints: dict[str, list[Any]] = {
        "module": [str, callable, torch.nn.Module],
        "module_params": [Mapping, None],
        "loss": [str, callable, torch.nn.Module],
        "loss_params": [Mapping, None],
        "aux_losses": ["array-like", tuple],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "optimizer": [StrOptions(set(_OPTIMIZERS)), callable],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "standardize": ["boolean"],
        "device": [str],
        "amp": ["boolean"],
        "compile": ["boolean"],
        "callbacks": [tuple, list],
        "random_state": RANDOM_STATE,
        "verbose": ["verbose"],
    }

    module: Any
    module_params: Mapping[str, Any] | None
    loss: Any
    loss_params: Mapping[str, Any] | None
    sampler: Any = None
    sampler_params: Mapping[str, Any] | None = None
    aux_losses: Sequence[tuple[float, Any]]
    max_epochs: int
    batch_size: int
    lr: float
    optimizer: str | Callable[..., Any]
    weight_decay: float
    gradient_clip: float | None
    validation_fraction: float
    early_stopping: bool
    patience: int
    scoring: Any
    standardize: bool
    device: str
    amp: bool
    compile: bool
    callbacks: Sequence[Any]
    random_state: Seed
    verbose: int

    @property
    def loss_(self) -> BaseLoss:
        """The loss."""
        loss: BaseLoss = self.net_.criterion_
        return loss

    @property
    def sampler_(self) -> BaseBatchSampler:
        """What batches were made of."""
        return self.net_.sampler_

    def __getstate__(self) -> Any:
        """Return what is pickled: weights that load on the processor, and so anywhere."""
        state = dict(super().__getstate__())  # not the attributes themselves
        net = state.get("net_")
        if net is not None and torch.device(net.device).type != "cpu":
            # skorch loads tensors to the device that a net names. The one in use stays there.
            state["net_"] = object.__new__(type(net))
            state["net_"].__dict__.update({**net.__dict__, "device": "cpu"})
            state["device_"] = torch.device("cpu")
        return state

    def __sklearn_tags__(self) -> Tags:
        """Say that missing values and categories are taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.non_deterministic = self.random_state is None
        return tags

    def _wanted_loss(self) -> BaseLoss:
        """Return the loss, or complain about its name or parameters."""
        return get_loss(self.loss, **(self.loss_params or {}))

    def _reweights(self) -> list[Any]:
        """Return the weightings of rows."""
        return []

    def _losses(self) -> list[BaseLoss]:
        """Return the loss, and those that are added."""
        return [self._wanted_loss(), *(get_loss(each) for _, each in check_pairs(self.aux_losses))]

    def _wants_cosines(self, loss: BaseLoss) -> bool:
        """Whether the last layer gives cosines."""
        return "cosine_head" in loss.needs

    def _read(self, X: Any, *, reset: bool) -> Any:
        """Return a table that the encoder takes."""
        if hasattr(X, "columns") and not hasattr(X, "toarray"):
            # The encoder reads columns of a frame itself; scikit-learn checks their names.
            validate_data(self, X, skip_check_array=True, reset=reset)
            if reset and len(X) == 0:
                rule = "the table must have a row at least"
                raise DataError(message(type(self).__name__, rule, "none"))
            return X
        return validate_data(self, X, dtype=_NUMBERS, ensure_all_finite="allow-nan", reset=reset)

    def _weights(self, sample_weight: Any, n_rows: int) -> FloatArray | None:
        """Return checked sample weights."""
        return check_weight(sample_weight, n_rows, type(self).__name__)

    def _train(
        self,
        X: Any,
        beside: Mapping[str, AnyArray],
        y: AnyArray,
        labels: AnyArray,
        *,
        n_outputs: int,
        groups: AnyArray | None,
        hold_out: bool,
        n_classes: int | None = None,
        epochs: int | None = None,
    ) -> None:
        """Make and train the engine.

        Parameters
        ----------
        X : frame or ndarray of shape (n, p)
            Rows.
        beside : mapping of str to ndarray
            What belongs to rows beside their columns.
        y : ndarray of shape (n,) or (n, n_labels)
            Target of the engine.
        labels : ndarray of int, shape (n,) or (n, n_labels)
            What the rows held out are balanced by.
        n_outputs : int
            Outputs of the body.
        groups : ndarray of shape (n,) or None
            Groups that stay together.
        hold_out : bool
            Whether rows are held out.
        n_classes : int, default=None
            Classes; None for as many as the target has.
        epochs : int, default=None
            Passes over the rows; None for `max_epochs`.
        """
        who = type(self).__name__
        self._seed = integer_seed(self.random_state)
        self.device_ = device_of(self.device, who)
        split = None
        if hold_out:
            split = held_out(labels, self.validation_fraction, self._seed % 2**32, groups)
            if split is None:
                rule = "there should be rows to hold out, without which each class keeps some"
                todo = "Epochs are not judged; the last one is kept"
                warn(message(who, rule, "none", todo), SmallClassWarning)
        self.encoder_ = TableEncoder(standardize=self.standardize, who=who)
        self.encoder_.fit(X if split is None else take(X, split[0]))
        table = self._encoded(X, beside)
        with training_seed(self._seed, self.device_):
            self.net_ = self._engine(n_outputs, split, n_classes)
            self.net_.fit(table, y, epochs=epochs)
        self._split = split

    def _encoded(self, X: Any, beside: Mapping[str, AnyArray]) -> dict[str, Any]:
        """Return what the engine takes of rows."""
        numbers, codes = self.encoder_.transform(X)
        table: dict[str, Any] = {"X": numbers}
        if codes is not None:
            table["codes"] = codes
        return {**table, **beside}

    @property
    def history_(self) -> list[dict[str, Any]]:
        """Losses, score and seconds of each epoch."""
        rows = self.net_.history.to_list()
        return [{k: v for k, v in row.items() if k != "batches"} for row in rows]

    def _engine(
        self, n_outputs: int, split: tuple[IntArray, IntArray] | None, n_classes: int | None
    ) -> ImbNet:
        """Return the engine, not trained yet."""
        # skorch makes the body of these, so that no second one is kept as a parameter.
        module = {
            "given": self.module,
            "n_features": self.encoder_.n_features_,
            "n_outputs": n_outputs,
            "cardinalities": self.encoder_.cardinalities_,
            "cosines": any(self._wants_cosines(each) for each in self._losses()),
            "seed": self._seed % 2**63,
            "params": dict(self.module_params or {}),
        }
        parts = {
            **{f"module__{k}": v for k, v in module.items()},
            **{f"criterion__{k}": v for k, v in (self.loss_params or {}).items()},
            **{f"sampler__{k}": v for k, v in (self.sampler_params or {}).items()},
        }
        judged = split is not None
        return ImbNet(
            _body,
            criterion=self.loss,
            sampler=self.sampler,
            **parts,
            reweight=self._reweights() or None,
            aux_losses=tuple(self.aux_losses),
            n_classes=n_classes,
            seed=self._seed % 2**63,
            amp=self.amp,
            compile=self.compile,
            gradient_clip=self.gradient_clip,
            train_split=HeldOut(*split) if split is not None else None,
            scoring=self._scoring() if judged else None,
            patience=self.patience if judged and self.early_stopping else None,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            optimizer=_optimizer(self.optimizer),
            **self._decay(),
            device=str(self.device_),
            callbacks=list(self.callbacks),
            verbose=int(self.verbose),
        )

    def _decay(self) -> dict[str, float]:
        """Return the weight decay, for optimizers that know it."""
        known = inspect.signature(_optimizer(self.optimizer)).parameters
        return {"optimizer__weight_decay": self.weight_decay} if "weight_decay" in known else {}

    def _scoring(self) -> Any:
        """Return what epochs are judged by."""
        return self.scoring

    def _outputs(self, X: Any) -> FloatArray:
        """Return what the module gives for rows."""
        check_is_fitted(self, "net_")
        return self.net_.outputs(self._encoded(self._read(X, reset=False), {}))


def _body(
    given: Any,
    n_features: int,
    n_outputs: int,
    cardinalities: Sequence[int],
    cosines: bool,
    seed: int,
    params: Mapping[str, Any],
) -> torch.nn.Module:
    """Return the body, with the last layer that is asked for."""
    body = get_body(given, n_features, n_outputs, cardinalities, seed=seed, **params)
    return with_cosine_head(body, seed=seed) if cosines else body


def _optimizer(given: str | Callable[..., Any]) -> Any:
    """Return the class of an optimizer."""
    return getattr(torch.optim, _OPTIMIZERS[given]) if isinstance(given, str) else given
