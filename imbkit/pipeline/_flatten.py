"""A pipeline as one flat chain: the steps of nested pipelines stand in the pipelines' place."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from imblearn.pipeline import Pipeline as PeerPipeline
from sklearn.pipeline import Pipeline as PlainPipeline

from imbkit._core.messages import message, nearest_names, shorten
from imbkit.exceptions import InvalidParameterError

__all__ = [
    "Leaf",
    "check_steps",
    "flatten",
    "is_idle",
    "is_nested",
    "is_sampler",
    "training_calls",
    "unknown_step",
]

# A nested pipeline is opened only if its `fit` is one of these; a subclass that writes its own
# is taken as a plain step, so that what it does is not passed over.
_OPEN = {PlainPipeline.__module__, PeerPipeline.__module__, f"{__package__}._pipeline"}


class Leaf(NamedTuple):
    """A step that is no pipeline itself.

    Parameters
    ----------
    name : str
        Names of the pipelines around it and its own, joined by two underscores.
    step : estimator, "passthrough" or None
        The step.
    places : tuple of (Pipeline, int)
        The pipelines around it, outermost first, and the number of its step in each.
    last : bool, default=False
        Whether no step follows.
    """

    name: str
    step: Any
    places: tuple[tuple[Any, int], ...]
    last: bool = False


def flatten(pipeline: Any) -> list[Leaf]:
    """Return the steps in the order in which rows pass them."""
    chain = list(_walk(pipeline, (), ()))
    return [*chain[:-1], *(leaf._replace(last=True) for leaf in chain[-1:])]


def _walk(pipeline: Any, path: tuple[str, ...], places: tuple[Any, ...]) -> Iterator[Leaf]:
    for number, (name, step) in enumerate(pipeline.steps):
        here = (*places, (pipeline, number))
        if is_nested(step):
            yield from _walk(step, (*path, name), here)
        else:
            yield Leaf("__".join((*path, name)), step, here)


def is_nested(step: Any) -> bool:
    """Whether a step is a pipeline that is opened."""
    return isinstance(step, PlainPipeline) and type(step).fit.__module__ in _OPEN


def is_idle(step: Any) -> bool:
    """Whether a step does nothing."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def is_sampler(step: Any) -> bool:
    """Whether a step resamples, and is passed over in prediction."""
    return hasattr(step, "fit_resample")


def training_calls(leaf: Leaf, method: str) -> tuple[str, ...]:
    """Return which methods of a step are called when `method` of the pipeline is."""
    step = leaf.step
    if is_idle(step):
        return ()
    if leaf.last and method != "fit_transform":
        return (method,)
    if is_sampler(step):
        return ("fit_resample",)
    return ("fit_transform",) if hasattr(step, "fit_transform") else ("fit", "transform")


def check_steps(pipeline: Any) -> None:
    """Refuse steps that cannot be chained.

    Raises
    ------
    InvalidParameterError
        If there is no step, a step is a class, one before the last neither transforms nor
        resamples or does both, or the last has no ``fit``.
    ValueError
        If a name is there twice, holds two underscores, or is one of the pipeline's parameters.
    """
    if not pipeline.steps:
        raise InvalidParameterError(message("Pipeline", "there must be a step", pipeline.steps))
    pipeline._validate_names([name for name, _ in pipeline.steps])
    *before, (_, last) = pipeline.steps
    for name, step in pipeline.steps:
        if isinstance(step, type):
            rule, todo = "a step must be an object, not a class", f"Write {step.__name__}()"
            raise InvalidParameterError(message("Pipeline", rule, f"{name}: {shorten(step)}", todo))
        if is_nested(step):
            # What the nested pipeline's own fit would refuse: each kind allows other steps.
            step._validate_steps()
    for name, step in before:
        if not is_idle(step):
            _check_before_last(name, step)
    if not (is_idle(last) or hasattr(last, "fit")):
        rule = "Last step of Pipeline should implement fit or be the string 'passthrough'"
        raise InvalidParameterError(message("Pipeline", rule, last))


def _check_before_last(name: str, step: Any) -> None:
    transforms = hasattr(step, "transform") and (hasattr(step, "fit") or is_nested(step))
    if is_nested(step) and (transforms or is_sampler(step)):
        return
    if isinstance(step, PlainPipeline) and is_sampler(step):
        rule = "a nested pipeline that resamples must not have a fit of its own"
        todo = "In prediction its transformers could not be told from its samplers"
        raise InvalidParameterError(message("Pipeline", rule, f"{name}: {shorten(step)}", todo))
    if transforms != is_sampler(step):
        return
    rule = "steps before the last must implement fit and transform or fit_resample, not both"
    got = f"{name}: {shorten(step)}, with {'both' if transforms else 'neither'}"
    todo = "Write 'passthrough' for a step that does nothing"
    raise InvalidParameterError(message("Pipeline", rule, got, todo))


def unknown_step(chain: list[Leaf], key: str) -> InvalidParameterError:
    """Return the error about an argument for a step that is not there."""
    wanted = key.rpartition("__")[0]
    near = nearest_names(wanted, [leaf.name for leaf in chain])
    rule = "an argument step__name must begin with the name of a step"
    todo = f"Did you mean {' or '.join(near)}?" if near else ""
    got = f"{key}, with the steps {', '.join(leaf.name for leaf in chain)}"
    return InvalidParameterError(message("Pipeline", rule, got, todo))
