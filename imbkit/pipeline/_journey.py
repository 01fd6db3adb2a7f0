"""The way of the rows through a pipeline in training, together with what belongs to them.

This is the one place where companions travel: they are found among the arguments of ``fit``,
every sampler on the way resamples them with the rows, and after each sampler the arguments are
handed out anew. So a step is always handed the companions of the rows that reach it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.utils.validation import check_memory

from imbkit.pipeline._companions import check_not_lost, companions_of, resample
from imbkit.pipeline._flatten import Leaf, flatten, is_idle, is_sampler, training_calls
from imbkit.pipeline._routes import Arguments, bare_names, hand_out
from imbkit.pipeline._validation_sets import transform_inputs, transformed_for

__all__ = ["Arrival", "resampled", "timed", "transformed", "travel"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What reaches the last step.

    Parameters
    ----------
    X, y : table and array-like of n_out rows
        The rows and their labels.
    companions : mapping of str to array-like of n_out values
        What belongs to the rows, by the name under which it was given.
    chain : list of Leaf
        All steps; those before the last are fitted.
    arguments : mapping of str to dict
        Method of the last step -> its arguments.
    """

    X: Any
    y: Any
    companions: Mapping[str, Any]
    chain: list[Leaf]
    arguments: Mapping[str, Mapping[str, Any]]

    @property
    def last(self) -> Any:
        """The last step."""
        return self.chain[-1].step


def travel(pipeline: Any, method: str, X: Any, y: Any, given: Mapping[str, Any]) -> Arrival:
    """Fit all steps but the last.

    Parameters
    ----------
    pipeline : Pipeline
        Its steps, and those of nested pipelines, are fitted in place; where there is a cache
        they are replaced by fitted copies.
    method : {"fit", "fit_transform", "fit_predict", "fit_resample"}
        Which method of it was called.
    X, y : table and array-like of n_rows rows
        The rows and their labels.
    given : mapping of str to object
        The other arguments.

    Returns
    -------
    Arrival
        What reaches the last step.
    """
    chain = flatten(pipeline)
    bare = bare_names(chain, given)
    given = {key: value for key, value in given.items() if key not in bare or value is not None}
    handed = hand_out(pipeline, chain, method, given)
    companions = companions_of(given, X, bare=bare, spare=transform_inputs(chain)) if given else {}
    for number, leaf in enumerate(chain[:-1]):
        with timed(chain, number):
            if is_idle(leaf.step):
                continue
            arguments = _arguments_of(chain, number, method, handed, given)
            step, cached = _fresh(leaf)
            if is_sampler(step):
                X, y, companions, step = cached(resampled)(step, X, y, companions, arguments)
            else:
                X, step = cached(transformed)(step, X, y, arguments)
            chain[number] = _put_back(leaf, step)
        if companions and is_sampler(step):
            given = {**given, **companions}
            handed = hand_out(pipeline, chain, method, given)
    arguments = _arguments_of(chain, len(chain) - 1, method, handed, given)
    return Arrival(X, y, companions, chain, arguments)


def resampled(
    sampler: Any, X: Any, y: Any, companions: Mapping[str, Any], arguments: Mapping[str, Any]
) -> tuple[Any, Any, dict[str, Any], Any]:
    """Return resampled rows, labels and companions, and the sampler; this is what is cached."""
    return (*resample(sampler, X, y, companions, arguments["fit_resample"]), sampler)


def transformed(step: Any, X: Any, y: Any, arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return transformed rows and the fitted transformer; this is what is cached."""
    if "fit_transform" in arguments:
        return step.fit_transform(X, y, **arguments["fit_transform"]), step
    fitted = step.fit(X, y, **arguments["fit"])
    return fitted.transform(X, **arguments["transform"]), step


@contextmanager
def timed(chain: list[Leaf], number: int) -> Iterator[None]:
    """Print how long a step took, if a pipeline around it is verbose."""
    if not any(pipeline.verbose for pipeline, _ in chain[number].places):
        yield
        return
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    total = f"{seconds / 60:4.1f}min" if seconds > 60 else f" {seconds:5.1f}s"
    told = f" (step {number + 1} of {len(chain)}) Processing {chain[number].name}, total={total}"
    print(f"[Pipeline] {told:.>59}")


def _arguments_of(
    chain: list[Leaf], number: int, method: str, handed: Arguments, given: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return what a step is handed, by the method that will be called."""
    leaf = chain[number]
    arguments = {}
    for call in training_calls(leaf, method):
        values = handed[leaf.name].get(call, {})
        for name, value in values.items():
            check_not_lost(value, name, f"the step {leaf.name!r}")
        arguments[call] = transformed_for(chain, number, values, given) if values else {}
    return arguments


def _fresh(leaf: Leaf) -> tuple[Any, Callable[..., Any]]:
    """Return the step to fit, and what makes the function that fits it a cached one.

    The cache is that of the innermost pipeline that has one. It needs an unfitted copy.
    """
    memories = [pipeline.memory for pipeline, _ in leaf.places if pipeline.memory is not None]
    if not memories:
        return leaf.step, _as_it_is
    memory = check_memory(memories[-1])
    if getattr(memory, "location", "") is None:
        return leaf.step, _as_it_is
    return clone(leaf.step), memory.cache


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _put_back(leaf: Leaf, step: Any) -> Leaf:
    """Put a fitted copy in the place of a step."""
    if step is not leaf.step:
        pipeline, number = leaf.places[-1]
        steps = list(pipeline.steps)
        steps[number] = (steps[number][0], step)
        pipeline.steps = steps
    return leaf._replace(step=step)
