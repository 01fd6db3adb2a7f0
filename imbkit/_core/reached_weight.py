"""Which of the sample weights given to an estimator reach the model at its end."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from imbkit._core.types import FloatArray

__all__ = ["reached_weight"]


def reached_weight(estimator: Any, fit_params: Mapping[str, Any]) -> FloatArray | None:
    """Return the weights that an estimator's last step is fitted with.

    Parameters
    ----------
    estimator : estimator
        A classifier, a pipeline, or a search over one of them.
    fit_params : mapping
        Keyword arguments of its ``fit``.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        One for each row before any resampling; None if the last step is fitted without.
    """
    path, model = [], estimator
    while isinstance(model, (Pipeline, GridSearchCV, RandomizedSearchCV)):
        if isinstance(model, Pipeline):
            name, model = model.steps[-1]
            path.append(name)
        else:
            model = model.estimator
    own = fit_params.get("__".join([*path, "sample_weight"]))
    if own is None:
        own = fit_params.get(_requested(model) if path else "sample_weight")
    return None if own is None else np.asarray(own, dtype=float)


def _requested(model: Any) -> str:
    """Name under which a pipeline's last step is handed weights; empty if it takes none."""
    if not get_config()["enable_metadata_routing"]:
        return "sample_weight" if has_fit_parameter(model, "sample_weight") else ""
    routing = get_routing_for_object(model)
    if isinstance(routing, MetadataRequest):
        request = routing.fit.requests.get("sample_weight")
        return request if isinstance(request, str) else "sample_weight" * (request is True)
    return "sample_weight" if routing.consumes("fit", ("sample_weight",)) else ""
