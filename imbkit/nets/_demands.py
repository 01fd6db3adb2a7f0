"""What a loss asks of the module and of the batches, compared with what there is."""

from collections.abc import Collection

from torch import nn

from imbkit._core.messages import message
from imbkit._core.warn import warn
from imbkit.exceptions import ImbkitWarning, InvalidParameterError
from imbkit.losses import BaseLoss, ClassStats
from imbkit.nets._batch_sampler import BaseBatchSampler

__all__ = ["check_demands"]

_USUALLY = 0.5  # chance from which on a batch is said to lack a class


def check_demands(
    loss: BaseLoss,
    module: nn.Module,
    sampler: BaseBatchSampler,
    stats: ClassStats,
    columns: Collection[str],
    batch_size: int,
    who: str,
) -> None:
    """Refuse a loss that module or batches cannot serve, and warn of one they serve badly.

    Parameters
    ----------
    loss : BaseLoss
        The loss, set up.
    module : torch.nn.Module
        The module.
    sampler : BaseBatchSampler
        What batches are made of.
    stats : ClassStats
        Counts of the training rows, and the class shares of the batches.
    columns : collection of str
        What stands beside the inputs.
    batch_size : int
        Rows of a batch.
    who : str
        The class that messages speak for.

    Raises
    ------
    InvalidParameterError
        If something is missing.
    """
    name = type(loss).__name__
    if stats.task not in loss.tasks:
        rule = f"{name} serves {', '.join(sorted(loss.tasks))} targets"
        raise InvalidParameterError(message(who, rule, f"a {stats.task} one"))
    head = getattr(module, "head", None)
    if "head" in loss.needs and not hasattr(head, "weight"):
        rule = f"{name} needs a module with a last layer `head`"
        todo = "Use 'mlp', 'residual' or 'tabular', or name the last layer so"
        raise InvalidParameterError(message(who, rule, type(module).__name__, todo))
    for need in ("group", "time"):
        if need in loss.needs and need not in columns and need not in sampler.serves:
            rule = f"{name} needs the {need} of each row"
            raise InvalidParameterError(message(who, rule, "none", "Pass it with the rows"))
    if "cosine_head" in loss.needs and isinstance(head, nn.Linear):
        rule = f"{name} expects cosines as outputs"
        todo = "Use head='cosine', or set the loss's scale to 1 where it has one"
        warn(message(who, rule, "a linear last layer", todo), ImbkitWarning)
    if "pairs" in loss.needs and "pairs" not in sampler.serves:
        _warn_of_lone_classes(name, sampler, stats, batch_size, who)


def _warn_of_lone_classes(
    name: str, sampler: BaseBatchSampler, stats: ClassStats, batch_size: int, who: str
) -> None:
    """Warn where a batch will usually lack a class, which then learns nothing from it."""
    there = stats.effective_priors[stats.counts > 0]
    if stats.task not in ("binary", "multiclass") or not len(there):
        return
    rare = float(there.min())
    lacking = (1.0 - rare) ** batch_size
    if lacking <= _USUALLY and batch_size >= stats.n_classes:
        return
    rule = f"{name} compares classes within a batch, which should have rows of each"
    got = f"batches of {batch_size} rows and a class of share {rare:.2g}"
    todo = "Use sampler='class_balanced', or larger batches"
    warn(message(who, rule, f"{got} with {type(sampler).__name__}", todo), ImbkitWarning)
