"""Exchange of class shares: the formulas of the literature, and the algebra between them."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from imbkit.calibration import PriorShiftCorrector, reweighted_prior
from imbkit.exceptions import DataError, InvalidParameterError

LABELS = np.array(["x", "y", "z"])
ANY = LABELS  # one row of each class, which is all that fit needs beside given priors
share = st.floats(0.001, 1)


@st.composite
def shares(draw, n_classes=3):
    values = np.array([draw(share) for _ in range(n_classes)])
    return values / values.sum()


def mapped(source, target, P, y=ANY, **parameters):
    P = np.asarray(P)
    model = PriorShiftCorrector(source, target, **parameters)
    model.fit(np.full((len(y), P.shape[1]), 1 / P.shape[1]), y)
    return model.predict_proba(P)


@given(shares(), shares(), shares())
def test_swapped_priors_undo_and_steps_add_up(source, target, third):
    P = np.random.default_rng(0).dirichlet([0.5, 1, 2], size=20)
    there = mapped(source, target, P)
    np.testing.assert_allclose(mapped(target, source, there), P, rtol=1e-11, atol=1e-300)
    on = mapped(target, third, there)
    np.testing.assert_allclose(on, mapped(source, third, P), rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(mapped(source, source, P), P, rtol=1e-14)


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_two_classes_are_elkan_s_formula(p, pi, q):
    elkan = q * (p - p * pi) / (pi - p * pi + q * p - pi * q)
    found = mapped([1 - pi, pi], [1 - q, q], [[1 - p, p]], y=[0, 1])
    assert found[0, 1] == pytest.approx(elkan, rel=1e-9)


@given(st.floats(0.001, 1), st.floats(0.01, 0.99), st.floats(0.001, 0.999))
def test_kept_negatives_are_dal_pozzolo_s_formula(beta, q, p_sampled):
    natural = np.array([1 - q, q])
    sampled = reweighted_prior(natural, [beta, 1.0])
    p = beta * p_sampled / ((beta - 1) * p_sampled + 1)
    found = mapped(sampled, natural, [[1 - p_sampled, p_sampled]], y=[0, 1])
    assert found[0, 1] == pytest.approx(p, rel=1e-9)
    # A cut-off travels by the same map: tau_s = tau / (tau + beta (1 - tau)) on the way back.
    back = mapped(natural, sampled, [[1 - p, p]], y=[0, 1])
    assert back[0, 1] == pytest.approx(p / (p + beta * (1 - p)), rel=1e-9)
    assert back[0, 1] == pytest.approx(p_sampled, rel=1e-9)


@given(st.floats(1, 1000), st.floats(0.001, 0.999))
def test_repeated_positives_are_the_formula_for_over_sampling(r, p_sampled):
    sampled = reweighted_prior([0.9, 0.1], [1.0, r])
    found = mapped(sampled, [0.9, 0.1], [[1 - p_sampled, p_sampled]], y=[0, 1])
    assert found[0, 1] == pytest.approx(p_sampled / (p_sampled + r * (1 - p_sampled)), rel=1e-9)


def test_the_true_posterior_becomes_the_true_posterior():
    x = np.linspace(-3, 4, 50)
    densities = np.column_stack([norm.pdf(x, m) for m in (-1, 0, 2)])
    old, new = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.3, 0.6])
    posterior = [d * prior for d, prior in ((densities, old), (densities, new))]
    before, after = (each / each.sum(axis=1, keepdims=True) for each in posterior)
    np.testing.assert_allclose(mapped(old, new, before), after, rtol=1e-12)


def test_strength_adds_logits_in_proportion():
    p, source, target = 0.3, np.array([0.5, 0.5]), np.array([0.9, 0.1])
    for tau in (0.0, 0.5, 1.0, 2.0, -1.0):
        found = mapped(source, target, [[1 - p, p]], y=[0, 1], tau=tau)[0, 1]
        assert found == pytest.approx(expit(logit(p) + tau * logit(0.1)), rel=1e-12)


def test_priors_of_none_are_counted_by_weight():
    y, weight = np.array(["x", "y", "y", "z"]), np.array([1.0, 2.0, 2.0, 3.0])
    P = np.full((4, 3), 1 / 3)
    model = PriorShiftCorrector().fit(P, y, weight)
    np.testing.assert_allclose(model.source_prior_, [1 / 8, 4 / 8, 3 / 8])
    np.testing.assert_allclose(model.target_prior_, np.full(3, 1 / 3))
    back = PriorShiftCorrector("uniform", None).fit(P, y)
    np.testing.assert_allclose(back.target_prior_, [1 / 4, 2 / 4, 1 / 4])
    np.testing.assert_allclose(back.ratio_, [3 / 4, 6 / 4, 3 / 4])


def test_priors_by_label_and_of_one_column():
    by_label = mapped({"z": 0.1, "x": 0.6, "y": 0.3}, "uniform", [[0.2, 0.3, 0.5]])
    np.testing.assert_array_equal(by_label, mapped([0.6, 0.3, 0.1], "uniform", [[0.2, 0.3, 0.5]]))
    model = PriorShiftCorrector([0.5, 0.5], [0.9, 0.1]).fit([0.5, 0.5], [0, 1])
    np.testing.assert_allclose(model.predict_proba([0.5]), [[0.9, 0.1]])


def test_a_uniform_target_cuts_at_the_source_share():
    # Binary, tau = 1: more probable than not means p above the source share (Buda et al.).
    p = np.linspace(0.01, 0.99, 99)
    model = PriorShiftCorrector([0.8, 0.2]).fit(p, (p > 0.5).astype(int))
    chosen = model.predict_proba(p).argmax(axis=1)
    np.testing.assert_array_equal(chosen[np.abs(p - 0.2) > 1e-9], (p > 0.2)[p != 0.2][:98])


@pytest.mark.parametrize("name", ["source_prior", "target_prior"])
@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ([0.5, 0.5, 0.0], "above 0 for every class"),
        ([0.5, 0.3, 0.1], "sum to one"),
        ([0.5, 0.5], "one share for each of the 3 classes"),
        ({"x": 0.5, "y": 0.4, "w": 0.1}, "no share for 'z' and a share for 'w'"),
    ],
)
def test_a_bad_prior_is_refused(name, prior, said):
    model = PriorShiftCorrector(**{name: prior})
    with pytest.raises(InvalidParameterError, match=f"PriorShiftCorrector: {name}.*{said}"):
        model.fit(np.full((3, 3), 1 / 3), ANY)


@pytest.mark.parametrize("tau", [np.nan, np.inf, "much"])
def test_a_strength_must_be_a_number(tau):
    with pytest.raises(ValueError, match="'tau' parameter"):
        PriorShiftCorrector(tau=tau).fit([0.1, 0.9], [0, 1])


def test_one_class_is_refused():
    with pytest.raises(DataError, match="two classes"):
        PriorShiftCorrector().fit([0.1, 0.9], [1, 1])


def test_class_weights_become_shares():
    np.testing.assert_allclose(reweighted_prior([0.9, 0.1], [1, 9]), [0.5, 0.5])
    by_weight = reweighted_prior([0.6, 0.3, 0.1], [2, 1, 5])
    np.testing.assert_allclose(by_weight, [0.6, 0.15, 0.25], rtol=1e-12)
    same = reweighted_prior([0.6, 0.3, 0.1], [7, 7, 7])
    np.testing.assert_allclose(same, [0.6, 0.3, 0.1], rtol=1e-12)


@pytest.mark.parametrize("factors", [[1, 0], [1, -1], [1, np.nan], [1], [[1, 1]]])
def test_bad_factors_are_refused(factors):
    with pytest.raises(InvalidParameterError, match="factors must hold 2 finite numbers"):
        reweighted_prior([0.5, 0.5], factors)


def test_bad_prior_before_reweighting_is_refused():
    with pytest.raises(InvalidParameterError, match="prior must sum to one"):
        reweighted_prior([0.5, 0.4], [1, 1])


def test_clone_and_pickle():
    model = PriorShiftCorrector([0.6, 0.3, 0.1], tau=0.5).fit(np.full((3, 3), 1 / 3), ANY)
    again = pickle.loads(pickle.dumps(model))
    P = [[0.2, 0.3, 0.5]]
    np.testing.assert_array_equal(again.predict_proba(P), model.predict_proba(P))
    assert not hasattr(clone(model), "ratio_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_s_checks():
    check_estimator(PriorShiftCorrector(), on_skip=None)


def test_a_large_power_does_not_overflow():
    P = np.array([[0.9, 0.1], [0.2, 0.8]])
    model = PriorShiftCorrector([0.9, 0.1], "uniform", tau=1e4).fit(P, [0, 1])
    np.testing.assert_allclose(model.predict_proba(P), [[0, 1], [0, 1]], atol=1e-12)
    squared = PriorShiftCorrector([0.9, 0.1], "uniform", tau=2.0).fit(P, [0, 1])
    weighted = P * np.array([5 / 9, 5.0]) ** 2
    np.testing.assert_allclose(
        squared.predict_proba(P), weighted / weighted.sum(axis=1, keepdims=True), rtol=1e-12
    )
