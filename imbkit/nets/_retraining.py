"""Last layers learned anew on what the body gives."""

from typing import Any, ClassVar, TypeAlias

import numpy as np
from sklearn.linear_model import LogisticRegression

from imbkit._core.card import Card
from imbkit._core.types import FloatArray
from imbkit.calibration._linear_head import class_means, learned_scales
from imbkit.losses._checks import check_choice, check_number
from imbkit.nets._second_stage import BaseSecondStage, Embedded, balanced_recall

__all__ = ["ClassifierRetraining", "LearnableScaling", "NearestClassMean"]

_STEPS = 1000

_Layer: TypeAlias = tuple[FloatArray, FloatArray]


class ClassifierRetraining(BaseSecondStage):
    """Learn the last layer anew with all classes weighted alike (cRT).

    The usual choice: features from all rows, boundaries from balanced ones.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the ridge on the new weights, above 0.

    See Also
    --------
    LearnableScaling : Learns one factor a class only.

    Notes
    -----
    The layer is a logistic regression on embeddings, whose log-loss has one optimum: it is solved
    instead of approached by steps on balanced batches, as in the paper, which has the same
    minimum but for the ridge. Embeddings are divided by the root of their mean square first.

    References
    ----------
    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> from imbkit.nets import ClassifierRetraining
    >>> ClassifierRetraining(C=10.0)
    ClassifierRetraining(C=10.0)
    """

    card = Card(paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217")
    names: ClassVar[tuple[str, ...]] = ("crt",)

    def __init__(self, C: float = 1.0) -> None:
        self.C = check_number(C, "ClassifierRetraining", "C", low=0.0, open_low=True)

    def fit_head(
        self, weight: FloatArray, bias: FloatArray, train: Embedded, valid: Embedded | None = None
    ) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
        """Return a last layer learned anew.

        Parameters
        ----------
        weight : ndarray of shape (n_classes, m)
            Weights of the trained layer.
        bias : ndarray of shape (n_classes,)
            Its intercepts.
        train : Embedded
            Training rows.
        valid : Embedded, default=None
            Rows held out.

        Returns
        -------
        weight : ndarray of shape (n_classes, m)
            New weights.
        bias : ndarray of shape (n_classes,)
            New intercepts.
        found : dict
            "steps", and "balanced_accuracy" before and after on the rows held out.
        """
        size = float(np.sqrt(np.mean(train.embeddings**2))) or 1.0
        model = LogisticRegression(C=self.C, class_weight="balanced", max_iter=_STEPS)
        model.fit(train.embeddings / size, train.codes, train.weights)
        new, at = model.coef_ / size, model.intercept_
        if len(new) == 1:  # of two classes: the log-odds of the second
            new, at = np.vstack((-new, new)) / 2, np.concatenate((-at, at)) / 2
        found = {"steps": int(model.n_iter_.max()), **_scores((weight, bias), (new, at), valid)}
        return new, at, found


class LearnableScaling(BaseSecondStage):
    """Learn one factor for each class's weights, with all classes weighted alike (LWS).

    See Also
    --------
    ClassifierRetraining : Learns all weights.
    imbkit.calibration.WeightAligner : The same for linear models.

    Notes
    -----
    Logits f_k (w_k e) + b_k with factors f of least class-balanced log-loss: from 0 to 100, and
    solved instead of approached by steps. The paper scales the intercepts as well.

    References
    ----------
    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> from imbkit.nets import LearnableScaling
    >>> LearnableScaling()
    LearnableScaling()
    """

    card = Card(paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217")
    names: ClassVar[tuple[str, ...]] = ("lws",)

    def fit_head(
        self, weight: FloatArray, bias: FloatArray, train: Embedded, valid: Embedded | None = None
    ) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
        """Return the last layer with other factors.

        Parameters
        ----------
        weight : ndarray of shape (n_classes, m)
            Weights of the trained layer.
        bias : ndarray of shape (n_classes,)
            Its intercepts.
        train : Embedded
            Training rows.
        valid : Embedded, default=None
            Rows held out.

        Returns
        -------
        weight : ndarray of shape (n_classes, m)
            New weights.
        bias : ndarray of shape (n_classes,)
            The same intercepts.
        found : dict
            "scales", and "balanced_accuracy" before and after on the rows held out.
        """
        scales, _ = learned_scales(train.embeddings @ weight.T, bias, train.codes, train.weights)
        new = weight * scales[:, None]
        return new, bias, {"scales": scales, **_scores((weight, bias), (new, bias), valid)}


class NearestClassMean(BaseSecondStage):
    """Take the class whose mean embedding is nearest (NCM).

    A baseline that costs nothing: no class has more say for having more rows.

    Parameters
    ----------
    metric : {"cosine", "euclidean"}, default="cosine"
        What is near: the angle to the class mean, or the distance.

    See Also
    --------
    ClassifierRetraining : Learns boundaries.

    Notes
    -----
    Both are linear: logits ``e . m / |m|``, or ``e . m - |m|^2 / 2``. They decide, but are no
    log-probabilities.

    References
    ----------
    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> from imbkit.nets import NearestClassMean
    >>> NearestClassMean()
    NearestClassMean(metric='cosine')
    """

    card = Card(
        paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217",
        cases=({}, {"metric": "euclidean"}),
    )
    names: ClassVar[tuple[str, ...]] = ("ncm",)

    def __init__(self, metric: str = "cosine") -> None:
        self.metric = check_choice(metric, ("cosine", "euclidean"), "NearestClassMean", "metric")

    def fit_head(
        self, weight: FloatArray, bias: FloatArray, train: Embedded, valid: Embedded | None = None
    ) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
        """Return class means as a last layer.

        Parameters
        ----------
        weight : ndarray of shape (n_classes, m)
            Weights of the trained layer.
        bias : ndarray of shape (n_classes,)
            Its intercepts.
        train : Embedded
            Training rows.
        valid : Embedded, default=None
            Rows held out.

        Returns
        -------
        weight : ndarray of shape (n_classes, m)
            New weights.
        bias : ndarray of shape (n_classes,)
            New intercepts.
        found : dict
            "balanced_accuracy" before and after on the rows held out.
        """
        means = class_means(train.embeddings, train.codes, len(weight), train.weights)
        squares = (means**2).sum(axis=1)
        if self.metric == "euclidean":
            new, at = means, -squares / 2
        else:
            size = np.sqrt(squares)[:, None]
            new = np.divide(means, size, out=np.zeros_like(means), where=size > 0)
            at = np.zeros(len(means))
        return new, at, _scores((weight, bias), (new, at), valid)


def _scores(before: _Layer, after: _Layer, valid: Embedded | None) -> dict[str, Any]:
    """Return the mean recalls of both layers on rows held out."""
    if valid is None:
        return {}
    values = [balanced_recall(weight, bias, valid) for weight, bias in (before, after)]
    return {"balanced_accuracy": tuple(values)}
