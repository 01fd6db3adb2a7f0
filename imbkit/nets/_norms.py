"""Last layers whose weights are brought to other lengths, without learning."""

from typing import Any, ClassVar

import numpy as np

from imbkit._core.card import Card
from imbkit._core.types import FloatArray
from imbkit.calibration._linear_head import (
    even_scales,
    group_scales,
    head_of_half,
    tau_normalized,
)
from imbkit.losses._checks import check_choice, check_number
from imbkit.nets._retraining import ClassifierRetraining
from imbkit.nets._second_stage import BaseSecondStage, Embedded, balanced_recall

__all__ = ["TauNormalization", "TauNormalizedRetraining", "WeightAlignment"]

_TAUS = np.linspace(0, 2, 21)
_USUAL_TAU = 0.7


class TauNormalization(BaseSecondStage):
    """Divide each class's weights by a power of their length, and drop the intercepts.

    Frequent classes have longer weights, and win where in doubt. Nothing is trained.

    Parameters
    ----------
    tau : float, default=None
        The power, 0 or more: 0 keeps the weights, 1 gives all the same length. None takes the
        one of 0, 0.1, ..., 2 with the best mean recall on the rows held out, or 0.7 if there
        are none.

    See Also
    --------
    imbkit.calibration.TauNormClassifier : The same for linear models.

    Notes
    -----
    Made for embeddings that are not negative, as those after relu. `tau` = 0 is the trained
    layer without its intercepts.

    References
    ----------
    B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng, Y. Kalantidis, "Decoupling
    representation and classifier for long-tailed recognition", ICLR, 2020,
    doi:10.48550/arXiv.1910.09217.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.nets import TauNormalization
    >>> TauNormalization(tau=1.0).fit_head(np.array([[3.0, 4.0]]), np.ones(1), None)[0]
    array([[0.6, 0.8]])
    """

    card = Card(paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217", cases=({}, {"tau": 0.5}))
    names: ClassVar[tuple[str, ...]] = ("tau",)

    def __init__(self, tau: float | None = None) -> None:
        self.tau = check_number(tau, type(self).__name__, "tau", low=0.0, none=True)

    def fit_head(
        self, weight: FloatArray, bias: FloatArray, train: Embedded, valid: Embedded | None = None
    ) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
        """Return the last layer with weights of other lengths.

        Parameters
        ----------
        weight : ndarray of shape (n_classes, m)
            Weights of the trained layer.
        bias : ndarray of shape (n_classes,)
            Its intercepts.
        train : Embedded
            Training rows; not looked at.
        valid : Embedded, default=None
            Rows held out.

        Returns
        -------
        weight : ndarray of shape (n_classes, m)
            New weights.
        bias : ndarray of shape (n_classes,)
            Zeros.
        found : dict
            "tau", and "taus" and "balanced_accuracies" if it was chosen.
        """
        none, found = np.zeros_like(bias), {}
        tau = self.tau
        if tau is None and valid is not None:
            scores = [balanced_recall(tau_normalized(weight, t), none, valid) for t in _TAUS]
            tau = float(_TAUS[int(np.argmax(scores))])
            found = {"taus": _TAUS.copy(), "balanced_accuracies": np.array(scores)}
        tau = _USUAL_TAU if tau is None else tau
        return tau_normalized(weight, tau), none, {"tau": tau, **found}


class TauNormalizedRetraining(TauNormalization):
    """Learn the last layer anew with classes weighted alike, then normalise its weights.

    Parameters
    ----------
    tau : float, default=None
        The power; see :class:`TauNormalization`.

    See Also
    --------
    ClassifierRetraining : The first step alone.
    TauNormalization : The second step alone.

    Notes
    -----
    The two steps of the paper, one after the other, which it does not do.

    Examples
    --------
    >>> from imbkit.nets import TauNormalizedRetraining
    >>> TauNormalizedRetraining(tau=1.0)
    TauNormalizedRetraining(tau=1.0)
    """

    card = Card(paper="Kang et al. (2020), doi:10.48550/arXiv.1910.09217")
    names: ClassVar[tuple[str, ...]] = ("tau_crt",)

    def fit_head(
        self, weight: FloatArray, bias: FloatArray, train: Embedded, valid: Embedded | None = None
    ) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
        """Return a last layer learned anew, with weights of other lengths.

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
            Zeros.
        found : dict
            Of both steps.
        """
        new, at, first = ClassifierRetraining().fit_head(weight, bias, train, valid)
        made, none, second = super().fit_head(new, at, train, valid)
        return made, none, {**first, **second}


class WeightAlignment(BaseSecondStage):
    """Give the weights of rare classes the mean length of the frequent ones'.

    Parameters
    ----------
    mode : {"group", "per_class"}, default="group"
        Whether the rare classes, those beside the fewest that hold half of the rows, share one
        factor; or every class's weights get the mean length of all.

    See Also
    --------
    imbkit.calibration.WeightAligner : The same for linear models.

    Notes
    -----
    Made for classes that came later; here for rare ones. Intercepts stay. Nothing is trained.

    References
    ----------
    B. Zhao, X. Xiao, G. Gan, B. Zhang, S.-T. Xia, "Maintaining discrimination and fairness in
    class incremental learning", CVPR, 2020, doi:10.48550/arXiv.1911.07053.

    Examples
    --------
    >>> from imbkit.nets import WeightAlignment
    >>> WeightAlignment()
    WeightAlignment(mode='group')
    """

    card = Card(
        paper="Zhao et al. (2020), doi:10.48550/arXiv.1911.07053",
        cases=({}, {"mode": "per_class"}),
    )
    names: ClassVar[tuple[str, ...]] = ("align",)

    def __init__(self, mode: str = "group") -> None:
        self.mode = check_choice(mode, ("group", "per_class"), "WeightAlignment", "mode")

    def fit_head(
        self, weight: FloatArray, bias: FloatArray, train: Embedded, valid: Embedded | None = None
    ) -> tuple[FloatArray, FloatArray, dict[str, Any]]:
        """Return the last layer with weights of other lengths.

        Parameters
        ----------
        weight : ndarray of shape (n_classes, m)
            Weights of the trained layer.
        bias : ndarray of shape (n_classes,)
            Its intercepts.
        train : Embedded
            Training rows, whose classes are counted.
        valid : Embedded, default=None
            Rows held out; not looked at.

        Returns
        -------
        weight : ndarray of shape (n_classes, m)
            New weights.
        bias : ndarray of shape (n_classes,)
            The same intercepts.
        found : dict
            "scales" of the classes.
        """
        if self.mode == "per_class":
            scales = even_scales(weight)
        else:
            mass = np.bincount(train.codes, train.weights, len(weight))
            scales = group_scales(weight, head_of_half(mass / mass.sum()))
        return weight * scales[:, None], bias, {"scales": scales}
