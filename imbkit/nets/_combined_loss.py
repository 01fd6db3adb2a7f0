"""One loss of a main one, weights of its rows, and losses that are added."""

from collections.abc import Iterable, Mapping
from typing import Any

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses import BaseLoss, Reweighted, SumLoss, get_loss, get_reweighter

__all__ = ["check_pairs", "combined_loss"]


def combined_loss(
    main: Any, params: Mapping[str, Any], reweight: Any, added: Iterable[tuple[float, Any]]
) -> BaseLoss:
    """Return a new loss.

    Parameters
    ----------
    main : str, class, BaseLoss or torch.nn.Module
        As :func:`imbkit.losses.get_loss` takes it.
    params : mapping
        Its parameters.
    reweight : str, class, BaseReweighter, sequence of them or None
        Weights of its rows.
    added : sequence of (float, loss)
        Losses that are added, each with its factor.

    Raises
    ------
    InvalidParameterError
        If a name is unknown, or what is added are no pairs.
    """
    loss = get_loss(main, **params)
    if reweight is not None:
        given = reweight if isinstance(reweight, list | tuple) else [reweight]
        loss = Reweighted(loss, [get_reweighter(each) for each in given])
    more = check_pairs(added)
    if more:
        loss = SumLoss([(1.0, loss), *((factor, get_loss(each)) for factor, each in more)])
    return loss


def check_pairs(added: Iterable[Any]) -> list[tuple[float, Any]]:
    """Return losses that are added with their factors, or complain that they are no pairs.

    Parameters
    ----------
    added : iterable of (float, loss)
        What was given.
    """
    more = list(added)
    for each in more:
        if not isinstance(each, list | tuple) or len(each) != 2:
            rule = "aux_losses must be pairs of a factor and a loss"
            raise InvalidParameterError(message("get_loss", rule, each, 'As in [(0.1, "focal")]'))
    return more
