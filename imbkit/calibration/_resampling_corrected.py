"""A classifier whose probabilities are put right after training changed the class shares."""

from collections.abc import Iterable
from functools import partial
from numbers import Real
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from imbkit._core.card import Card
from imbkit._core.compat import fit_context
from imbkit._core.constraints import N_JOBS, RANDOM_STATE, HasMethods, Interval, StrOptions
from imbkit._core.containers import take
from imbkit._core.deploy import deploy
from imbkit._core.fit_inputs import FitInputs
from imbkit._core.messages import message
from imbkit._core.prior import check_prior, class_shares, shift
from imbkit._core.reached_weight import reached_weight
from imbkit._core.types import AnyArray, FloatArray, Seed
from imbkit._core.warn import warn
from imbkit.calibration._base import BaseCalibrator, as_calibrator
from imbkit.calibration._correction import Shift, is_certain, shift_of, smoothed, votes_behind
from imbkit.calibration._labels import check_every_class
from imbkit.calibration._probabilities import probabilities_of
from imbkit.calibration._shipped_prior import with_factors
from imbkit.calibration._wrapper import BaseWrapper, stacked
from imbkit.exceptions import ImbkitWarning, InvalidParameterError

__all__ = ["ResamplingCorrectedClassifier"]

_MORE = "training changed more than the class shares, or by an amount that is not known"
_PREFIT = "the rows that the estimator was fitted on are not known"
_WEIGHTS = "the estimator was fitted with weights that differ from the given ones within classes"
_CERTAIN = "it often answers with probability 1, which no factor changes"


class _Data(NamedTuple):
    """What ``fit`` was given, read."""

    X: Any
    y: AnyArray
    inputs: FitInputs
    weight: FloatArray | None
    """Weights that count for the shares and the calibration."""
    reached: FloatArray | None
    """Weights that the estimator's last step is fitted with."""


class ResamplingCorrectedClassifier(BaseWrapper):
    """Give right probabilities although training changed the class shares.

    A model trained on resampled or weighted rows says "half" where the truth is one in a
    hundred. This wrapper fits it as it is and turns its probabilities back: by arithmetic
    where training changed nothing but the class shares, which costs nothing, and otherwise by
    a calibration on rows that the model has not seen and that no sampler has touched.

    Parameters
    ----------
    estimator : estimator
        A classifier with ``predict_proba`` whose training changes the class shares: a
        pipeline with samplers, a learner with ``class_weight`` or ``scale_pos_weight``, or a
        balanced ensemble.
    correction : {"auto", "prior", "none"}, default="auto"
        "auto" corrects for the class shares where that is exact and calibrates where it is
        not. "prior" corrects for the shares alone. "none" leaves them as they are.
    calibration : "auto", None, str or calibrator, default="auto"
        "auto" fits a sigmoid where "auto" `correction` finds no exact one. None never
        calibrates. A name (``"sigmoid"``, ``"beta"``, ``"isotonic"``, ``"temperature"``,
        ``"bias_corrected"``, ``"vector"``) or a calibrator always does, after the correction.
    target_prior : mapping, array-like of shape (n_classes,), "uniform" or None, default=None
        Class shares that the probabilities shall hold for: share by class, or shares in the
        order of the sorted labels. None takes those of the labels given to ``fit``, by weight
        where there are weights.
    source_prior : mapping, array-like of shape (n_classes,), "uniform" or None, default=None
        Class shares that the estimator is trained on, in the same forms. None finds them.
    cv : int, float, splitter, iterable or "prefit", default=5
        Where the rows to calibrate on come from, if need be: a number of stratified folds
        (None means 5), the share of the rows in one stratified hold-out set, a splitter, a
        list of (train, test) positions, or ``"prefit"``: the estimator is fitted already, on
        other rows, and all rows given to ``fit`` serve the calibration.
    n_jobs : int, default=None
        Number of folds fitted at a time.
    random_state : int, RandomState or None, default=None
        Draws the hold-out set if `cv` is a share; not used otherwise.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted on all rows.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    source_prior_ : ndarray of shape (n_classes,) or None
        Class shares that it was trained on, of several members their mean; None if not known.
    target_prior_ : ndarray of shape (n_classes,)
        Class shares that the probabilities hold for.
    correction_ : {"none", "prior", "members", "calibrated"}
        What was done: nothing, factors on the probabilities, factors on those of each member
        of an ensemble before they are averaged, or a calibration.
    how_ : str
        The same as a sentence, with the reason.
    calibrator_ : calibrator or None
        The fitted calibrator, if there is one.
    n_features_in_ : int
        Number of features, if the estimator knows it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the estimator knows them.

    See Also
    --------
    PriorShiftCorrector : The arithmetic alone, on probabilities.
    LabelShiftAdapter : For rows whose class shares are not known.
    sklearn.calibration.CalibratedClassifierCV : Calibrates whatever the reason.

    Notes
    -----
    For training shares pi and target shares q: p'_k = (q_k / pi_k) p_k / sum_j (q_j / pi_j)
    p_j. That is exact where the rows of each class were kept, repeated or weighted regardless
    of their features: RandomUnderSampler, RandomOverSampler without shrinkage, class weights,
    sample weights that the shares are counted by. The ranking of two classes stays.
    Shares are those of the rows that reached the last step of a pipeline. SMOTE and its
    kin, cleaning, NearMiss and any sampler or meta-estimator that is not known change more;
    they are calibrated on out-of-fold rows at their natural shares, and each fold resamples
    its own training part only. If sample weights differ within a class between what was given
    and what reached the last step, that is no change of shares either, and calibrated.

    Bagging and forests average members whose shares differ; p' is no linear function of p, so
    that the mean of corrected members is right and the correction of their mean is not. Members
    are corrected where each is known with its shares. Deep trees answer 0 or 1, which no
    factor changes, and hold what they have learnt in their votes: if answers of exactly 1 make
    up a fiftieth of what the members (or a lone model) give, on training rows, to the classes
    whose share is to fall, the whole is calibrated instead.
    Where probabilities are exactly 0 or 1, one vote split between the classes is added before
    a calibration to the members' votes (to as many as there are rows for a lone model).

    Undoing a change of shares does not make a learner honest that is too sure of itself, as
    boosting with class weights on small tables often is: pass a `calibration` for that.

    The labels that ``predict`` gives are the most probable ones after the correction: fewer
    of the rare class than the resampled estimator gave. Put
    :class:`~imbkit.thresholds.ThresholdClassifierCV` around this object to decide otherwise.

    It ships as plain scikit-learn where nothing was corrected, or where the learner has a
    place for the factors: the intercept of a logistic regression or a linear discriminant,
    the priors of naive Bayes.

    The exact ways fit the estimator once, the others ``cv`` times more. O(n K) beside that.

    References
    ----------
    A. Dal Pozzolo, O. Caelen, R. A. Johnson, G. Bontempi, "Calibrating probability with
    undersampling for unbalanced classification", IEEE SSCI, 2015, doi:10.1109/SSCI.2015.33.

    M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a
    priori probabilities", Neural Computation 14, 2002, doi:10.1162/089976602753284446.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.calibration import ResamplingCorrectedClassifier
    >>> X, y = make_classification(5000, weights=[0.97], flip_y=0.01, random_state=0)
    >>> weighted = LogisticRegression(class_weight="balanced")
    >>> model = ResamplingCorrectedClassifier(weighted).fit(X, y)
    >>> print(model.how_)
    Multiplied by target over training shares of the classes, which is all that training changed.
    >>> mean = model.estimator_.predict_proba(X)[:, 1].mean()
    >>> corrected = model.predict_proba(X)[:, 1].mean()
    >>> print(f"{mean:.2f} {corrected:.3f} {y.mean():.3f}")
    0.19 0.027 0.035
    """

    card = Card(paper="Dal Pozzolo et al. (2015), doi:10.1109/SSCI.2015.33")

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "correction": [StrOptions({"auto", "prior", "none"})],
        "calibration": [str, HasMethods(["fit", "predict_proba"]), None],
        "target_prior": ["array-like", dict, StrOptions({"uniform"}), None],
        "source_prior": ["array-like", dict, StrOptions({"uniform"}), None],
        "cv": ["cv_object", StrOptions({"prefit"}), Interval(Real, 0, 1, closed="neither")],
        "n_jobs": N_JOBS,
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        estimator: Any,
        *,
        correction: Literal["auto", "prior", "none"] = "auto",
        calibration: Any = "auto",
        target_prior: Any = None,
        source_prior: Any = None,
        cv: int | float | str | Iterable[Any] | Any = 5,
        n_jobs: int | None = None,
        random_state: Seed = None,
    ) -> None:
        self.estimator = estimator
        self.correction = correction
        self.calibration = calibration
        self.target_prior = target_prior
        self.source_prior = source_prior
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any
    ) -> Self:
        """Fit the estimator and find out how its probabilities are to be corrected.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows at their natural shares, not resampled.
        y : array-like of shape (n_rows,)
            Labels of two classes at least.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights: for the class shares, the calibration, and the estimator if
            it takes them.
        **params
            Arguments of the estimator's ``fit``; ``groups`` for the splitter.

        Returns
        -------
        ResamplingCorrectedClassifier
            The fitted model.

        Raises
        ------
        DataError
            If there is one class only, `cv` asks for more than the rows can give, or the
            estimator loses a class.
        InvalidParameterError
            If a prior is none, parameters contradict each other, or the estimator has no
            probabilities.
        """
        who = type(self).__name__
        calibrator = self._check_settings(who)
        X, target, inputs = self._read(X, y, sample_weight, params)
        reached = reached_weight(self.estimator, inputs.estimator)
        data = _Data(X, target, inputs, inputs.own_weight, reached)
        self.classes_, codes = np.unique(target, return_inverse=True)
        check_every_class(codes, data.weight, self.classes_, who)
        natural = class_shares(target, self.classes_, data.weight)
        self.target_prior_ = (
            natural
            if self.target_prior is None
            else check_prior(self.target_prior, self.classes_, who, "target_prior")
        )
        if self.source_prior is not None:
            check_prior(self.source_prior, self.classes_, who, "source_prior")
        fitted = self.estimator
        if not self._is_prefit():
            fitted = clone(self.estimator).fit(X, target, **inputs.estimator)
        self._take_over(fitted)
        self._decide(data, natural, calibrator, who)
        return self

    @property
    def effective_prior_(self) -> FloatArray:
        """Class shares that the probabilities hold for; shape (n_classes,)."""
        check_is_fitted(self, "correction_")
        prior = self.source_prior_ if self.correction_ == "none" else self.target_prior_
        if prior is None:
            raise AttributeError("the class shares of this model are not known")
        return prior

    def predict(self, X: Any) -> AnyArray:
        """Predict the label that is most probable after the correction.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels; of equally probable ones the first.
        """
        check_is_fitted(self, "correction_")
        labels: AnyArray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the corrected probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.
        """
        check_is_fitted(self, "correction_")
        P = self._shifted(X)
        if self.calibrator_ is None:
            return P
        calibrated = self.calibrator_.predict_proba(smoothed(P, self._votes))
        return shift(calibrated, self.target_prior_ / self._goal)

    def __deploy__(self) -> Any:
        """Return the estimator, if it needs no correction or has a place for the factors."""
        check_is_fitted(self, "correction_")
        if self.correction_ == "none":
            return deploy(self.estimator_)
        if self.correction_ == "prior" and self._shift is not None:
            shipped = with_factors(deploy(self.estimator_), self._goal / self._shift.source)
            if shipped is not None:
                return shipped
        rule = "only a logistic regression, a linear discriminant or naive Bayes whose "
        rule += "probabilities are multiplied by factors has a form in scikit-learn"
        got = f"correction_={self.correction_!r} of {type(self.estimator_).__name__}"
        todo = "Save this object, or fit CalibratedClassifierCV(FrozenEstimator(estimator_)) on "
        todo += "rows at their natural shares and ship that"
        raise InvalidParameterError(message(type(self).__name__, rule, got, todo))

    def _check_settings(self, who: str) -> BaseCalibrator | None:
        """Refuse settings that no data could make valid; return the calibrator, not fitted."""
        self._check_estimator(gives_probabilities=True)
        automatic = isinstance(self.calibration, str) and self.calibration == "auto"
        return as_calibrator("sigmoid" if automatic else self.calibration, who)

    def _decide(
        self, data: _Data, natural: FloatArray, calibrator: BaseCalibrator | None, who: str
    ) -> None:
        """Choose how the probabilities are corrected, and learn what that needs."""
        found, doubt = self._found(data, who)
        self.source_prior_ = None if found is None else found.source
        asked = calibrator is not None and self.calibration != "auto"
        needed = self.correction == "auto" and doubt != ""
        calibrated = calibrator is not None and (asked or needed)
        if self.correction == "none":
            found = None
        elif found is None and not calibrated:
            self._complain(doubt, who)
        elif found is not None and doubt == _CERTAIN:
            # What such members have learnt lies in their votes, not in their probabilities.
            found = None if calibrated else Shift(found.source)
        goal = natural if calibrated else self.target_prior_
        if found is not None and not found.members and _close(found.source, goal):
            found = None
        self._shift, self._goal, self.calibrator_ = found, goal, None
        if calibrator is not None and calibrated:
            rows, P = self._held_out(data, natural, who)
            weight = None if data.weight is None else data.weight[rows]
            self._votes = votes_behind(self.estimator_, P)
            self.calibrator_ = calibrator.fit(smoothed(P, self._votes), data.y[rows], weight)
        self._say(asked, doubt)

    def _found(self, data: _Data, who: str) -> tuple[Shift | None, str]:
        """Return what training did to the shares, and why undoing that would not be exact."""
        if self.source_prior is not None:
            return Shift(check_prior(self.source_prior, self.classes_, who, "source_prior")), ""
        if self._is_prefit():
            return None, _PREFIT
        found = shift_of(self.estimator_, data.y, self.classes_, data.reached)
        if found is None:
            return None, _MORE
        if not _same_within_classes(data, self.classes_):
            return found, _WEIGHTS
        nothing_to_do = not found.members and _close(found.source, self.target_prior_)
        if not nothing_to_do:
            goal, classes = self.target_prior_, self.classes_
            if is_certain(self.estimator_, found, goal, data.X, classes, who):
                return found, _CERTAIN
        return found, ""

    def _complain(self, doubt: str, who: str) -> None:
        """Say that the shares behind the probabilities are not known."""
        rule = "the class shares that the estimator was trained on must be known to be corrected"
        if self.correction == "prior":
            todo = "Pass source_prior=..., or correction='auto' to have it calibrated"
            raise InvalidParameterError(message(who, rule, doubt, todo))
        todo = "The probabilities stay as they are; pass calibration='auto', or source_prior=..."
        warn(message(who, rule, doubt, todo), ImbkitWarning)

    def _held_out(self, data: _Data, natural: FloatArray, who: str) -> tuple[AnyArray, FloatArray]:
        """Return rows, and the probabilities of models that have not seen them."""
        if self._is_prefit():
            return np.arange(data.y.size), self._shifted(data.X)
        splits = self._splits(data.X, data.y, data.inputs, self.random_state)
        own_shares = self._shift is not None and self.source_prior is None
        respond = partial(probabilities_of, classes=self.classes_, who=who)
        folds = self._unseen(data.X, data.y, data.inputs, splits, respond, keep=own_shares)
        tables = []
        for fold, (train, _) in zip(folds, splits, strict=True):
            found = self._shift
            if own_shares:
                weight = None if data.reached is None else data.reached[train]
                found = shift_of(fold.estimator, data.y[train], self.classes_, weight) or found
            if found is None:
                tables.append(fold.scores)
            elif found.members:
                X = take(data.X, fold.rows)
                tables.append(found(fold.estimator, X, natural, self.classes_, who))
            else:
                tables.append(shift(fold.scores, natural / found.source))
        rows, _ = stacked(folds)
        codes = np.searchsorted(self.classes_, data.y[rows])
        check_every_class(codes, None, self.classes_, who, "the test folds")
        return rows, np.concatenate(tables)

    def _shifted(self, X: Any) -> FloatArray:
        """Probabilities before any calibration."""
        who = type(self).__name__
        if self._shift is None:
            return probabilities_of(self.estimator_, X, classes=self.classes_, who=who)
        return self._shift(self.estimator_, X, self._goal, self.classes_, who)

    def _say(self, asked: bool, doubt: str) -> None:
        """Set `correction_` and `how_`."""
        if self.calibrator_ is not None:
            self.correction_ = "calibrated"
            rows = "the rows given" if self._is_prefit() else "out-of-fold rows"
            why = "as asked" if asked else f"because {doubt}"
            self.how_ = f"Calibrated by {type(self.calibrator_).__name__} on {rows}, {why}."
        elif self._shift is None:
            self.correction_ = "none"
            why = "for training and target shares of the classes are the same"
            if self.correction == "none":
                why = "as asked"
            elif doubt in (_MORE, _PREFIT):
                why = f"although {doubt}"
            self.how_ = f"Left as they are, {why}."
        elif self._shift.members:
            self.correction_ = "members"
            n_members = len(self._shift.members)
            self.how_ = f"Each of {n_members} members multiplied by target over its own training "
            self.how_ += "shares of the classes, then averaged."
        else:
            self.correction_ = "prior"
            why = f"although {doubt}" if doubt else "which is all that training changed"
            self.how_ = f"Multiplied by target over training shares of the classes, {why}."


def _close(one: FloatArray, other: FloatArray) -> bool:
    return bool(np.allclose(one, other, rtol=1e-12, atol=0))


def _same_within_classes(data: _Data, classes: AnyArray) -> bool:
    """Whether weights given and weights used differ by a factor for each class at most."""
    if data.weight is data.reached:
        return True
    ones = np.ones(data.y.size)
    given = ones if data.weight is None else data.weight
    used = ones if data.reached is None else data.reached
    codes = np.searchsorted(classes, data.y)
    expected = given * (np.bincount(codes, used) / np.bincount(codes, given))[codes]
    return bool(np.allclose(used, expected, rtol=1e-9, atol=0))
