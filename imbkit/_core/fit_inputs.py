"""Who gets which keyword argument of a meta-estimator's ``fit``."""

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn import get_config
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest, process_routing
from sklearn.utils.validation import has_fit_parameter

from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import ImbkitWarning, InvalidParameterError

__all__ = ["FitInputs", "fit_inputs", "takes_weight"]


@dataclass(frozen=True, slots=True)
class FitInputs:
    """The keyword arguments of ``fit``, by who gets them.

    Parameters
    ----------
    own_weight : ndarray of shape (n_rows,) or None
        The sample weights, if the meta-estimator itself is to use them.
    estimator, splitter : dict
        Arguments of the estimator's ``fit`` and the splitter's ``split``.
    """

    own_weight: FloatArray | None
    estimator: dict[str, Any]
    splitter: dict[str, Any]


def fit_inputs(
    owner: Any,
    own_request: MetadataRequest,
    weight: FloatArray | None,
    params: Mapping[str, Any],
    own_names: Collection[str] = (),
) -> FitInputs:
    """Hand out the keyword arguments, by routing if it is on, else by name.

    Parameters
    ----------
    owner : meta-estimator
        Whose ``fit`` was called; it has an `estimator` and routes to it, and to a "splitter"
        if it has one.
    own_request : MetadataRequest
        What the owner itself requests.
    weight : ndarray of shape (n_rows,) or None
        The sample weights.
    params : mapping
        The other keyword arguments.
    own_names : collection of str, default=()
        Those that the owner keeps to itself.

    Returns
    -------
    FitInputs
        Who gets what.

    Raises
    ------
    InvalidParameterError
        If nobody takes an argument.
    """
    given = dict(params) if weight is None else {**params, "sample_weight": weight}
    if get_config()["enable_metadata_routing"]:
        routed = process_routing(owner, "fit", **given)
        weighs = own_request.fit.requests.get("sample_weight") not in (None, False)
        # Without any argument the routing is an object that has no `in`.
        splitter = routed.get("splitter", {"split": {}})["split"]
        return FitInputs(
            weight if weighs else None, dict(routed["estimator"]["fit"]), dict(splitter)
        )
    who = type(owner).__name__
    rest = {name: value for name, value in given.items() if name not in own_names}
    splitter = {"groups": rest.pop("groups")} if "groups" in rest else {}
    if "sample_weight" in rest and not takes_weight(owner.estimator):
        del rest["sample_weight"]
        name = type(owner.estimator).__name__
        rule_text = f"the estimator {name} should accept sample_weight"
        got = f"a fit without that argument: the weights enter {who} only"
        todo = "Choose a learner that takes weights"
        if isinstance(owner.estimator, Pipeline) and not _hands_on(owner.estimator):
            todo = "Take imbkit.pipeline.Pipeline, which hands weights to its steps, pass "
            todo += "step__sample_weight=..., or switch on metadata routing"
        warn(message(who, rule_text, got, todo), ImbkitWarning)
    _check_accepted(owner, own_names, rest)
    return FitInputs(weight, rest, splitter)


def takes_weight(estimator: Any) -> bool:
    """Return whether ``fit(X, y, sample_weight=...)`` of an estimator uses weights.

    Without metadata routing. Searches pass them on to what they search over, and pipelines of
    this package to every step that names them; scikit-learn's pipelines refuse them.
    """
    if has_fit_parameter(estimator, "sample_weight"):
        return True
    if isinstance(estimator, (GridSearchCV, RandomizedSearchCV)):
        return takes_weight(estimator.estimator)
    if not (isinstance(estimator, Pipeline) and _hands_on(estimator)):
        return False
    last = estimator
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    return bool(has_fit_parameter(last, "sample_weight"))


def _hands_on(pipeline: Pipeline) -> bool:
    """Whether a pipeline takes weights along with the rows: whether it is of this package."""
    # By its module, as no family may be imported here.
    return any(
        issubclass(base, Pipeline) and base.__module__.startswith("imbkit.")
        for base in type(pipeline).__mro__
    )


def _check_accepted(owner: Any, own_names: Collection[str], given: Mapping[str, Any]) -> None:
    """Refuse arguments that nobody takes, before a fold fails on them."""
    parameters = inspect.signature(owner.estimator.fit).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return
    unknown = [name for name in given if name not in parameters]
    if unknown:
        own = f"{type(owner).__name__} itself ({listing(own_names)}) or " if own_names else ""
        rule = f"fit takes what {own}the estimator {type(owner.estimator).__name__} asks for"
        raise InvalidParameterError(message(type(owner).__name__, rule, listing(unknown)))
