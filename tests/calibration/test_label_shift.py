"""Class shares of unlabelled rows on arrays: certified optima, exact cases, rates and noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from imbkit.calibration import ScalingCalibrator, _mlls
from imbkit.calibration._label_shift import METHODS, bbse, estimate_shift, learn_source
from imbkit.calibration._mlls import mlls, mlls_draws
from imbkit.calibration._moments import confusion, moments
from imbkit.calibration._nonnegative import lowest_nonnegative
from imbkit.calibration._rlls import rlls, rlls_penalty


def posterior(X, source, sep):
    """Class probabilities of rows of unit Gaussians around `sep` times the unit vectors."""
    joint = source * np.exp(sep * (X - X.max(axis=1, keepdims=True)))
    return joint / joint.sum(axis=1, keepdims=True)


def draw(n_rows, shares, rng, sep=2.0):
    """Rows and their classes, every class present."""
    n_classes = len(shares)
    y = np.append(np.arange(n_classes), rng.choice(n_classes, n_rows - n_classes, p=shares))
    X = rng.normal(size=(n_rows, n_classes))
    X[np.arange(n_rows), y] += sep
    return X, y


def made(n_source, n_target, source, target, seed=0, sep=2.0):
    """Calibrated probabilities of a source with labels and of a target."""
    rng = np.random.default_rng(seed)
    X, y = draw(n_source, source, rng, sep)
    T, _ = draw(n_target, target, rng, sep)
    return posterior(X, source, sep), y, posterior(T, source, sep)


def log_likelihood(prior, P, source, weight=None, alpha=None):
    logs = np.log(P @ (prior / source))
    weight = np.ones(len(P)) if weight is None else weight
    extra = np.zeros(len(source)) if alpha is None else np.asarray(alpha) - 1.0
    more = np.sum(extra[extra > 0] * np.log((prior / source)[extra > 0]))
    return (weight @ logs + more) / (weight.sum() + extra.sum())


def plain_em(P, source, n_steps=20_000):
    prior = source.copy()
    for _ in range(n_steps):
        new = P * (prior / source)
        new = (new / new.sum(axis=1, keepdims=True)).mean(axis=0)
        if np.abs(new - prior).max() < 1e-15:
            break
        prior = new
    return new


def check_kkt(found, P, source, weight=None, alpha=None, tol=1e-7):
    """The conditions of Karush, Kuhn and Tucker, computed apart from the code under test."""
    weight = np.ones(len(P)) if weight is None else weight
    extra = np.zeros(len(source)) if alpha is None else np.asarray(alpha) - 1.0
    slope = P.T @ (weight / (P @ (found.prior / source))) / source
    held = extra > 0
    slope[held] += extra[held] / found.prior[held]
    slope /= weight.sum() + extra.sum()
    assert found.prior.min() >= 0
    assert found.prior.sum() == pytest.approx(1, abs=1e-12)
    assert slope.max() <= 1 + tol
    inside = found.prior > 1e-6
    np.testing.assert_allclose(slope[inside], 1, atol=max(tol, 1e-7))
    assert found.converged


SOURCES = {
    "two": (np.array([0.9, 0.1]), np.array([0.6, 0.4])),
    "three": (np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.2, 0.6])),
    "five": (np.array([0.4, 0.3, 0.15, 0.1, 0.05]), np.array([0.05, 0.1, 0.2, 0.3, 0.35])),
}


# --- the quadratic program -----------------------------------------------------------------


@given(st.integers(1, 8), st.integers(0, 10_000))
def test_the_quadratic_program_equals_nnls(size, seed):
    rng = np.random.default_rng(seed)
    # Columns of very different sizes, as rare classes have.
    A = rng.normal(size=(size + 2, size)) * 10.0 ** rng.uniform(-4, 0, size)
    b = rng.normal(size=size + 2)
    x = lowest_nonnegative(A.T @ A, -A.T @ b, np.zeros(size))
    best, distance = nnls(A, b)
    assert x.min() >= 0
    assert np.linalg.norm(A @ x - b) <= distance * (1 + 1e-9)
    np.testing.assert_allclose(A @ x, A @ best, atol=1e-7)


def test_of_many_solutions_the_near_one_is_taken():
    flat = np.array([[1.0, 1.0], [1.0, 1.0]])
    for near in ([0.75, 0.25], [0.1, 0.9]):
        x = lowest_nonnegative(flat, -np.ones(2), np.array(near))
        np.testing.assert_allclose(x, near, atol=1e-2)
        assert x.sum() == pytest.approx(1)


# --- maximum likelihood --------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("n_rows", [7, 60, 3000])
def test_the_likelihood_is_at_its_maximum(name, n_rows):
    source, target = SOURCES[name]
    _, _, P = made(50, n_rows, source, target, seed=n_rows)
    found = mlls(P, source)
    check_kkt(found, P, source)
    assert found.n_iter <= 20
    assert found.value == pytest.approx(log_likelihood(found.prior, P, source), abs=1e-13)
    np.testing.assert_allclose(found.prior, plain_em(P, source), atol=1e-6)


@pytest.mark.filterwarnings("ignore:Values in x were outside bounds:RuntimeWarning")
@pytest.mark.parametrize("alpha", [None, [1.0, 3.0, 2.0]])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_independent_solver_finds_the_same_shares(alpha, weighted):
    source, target = SOURCES["three"]
    for seed in range(3):
        _, _, P = made(50, 200, source, target, seed=seed)
        weight = np.random.default_rng(seed).exponential(size=200) if weighted else None
        array = None if alpha is None else np.array(alpha)
        found = mlls(P, source, weight=weight, alpha=array)
        check_kkt(found, P, source, weight, alpha)
        best = minimize(
            lambda q, P=P, w=weight: -log_likelihood(q, P, source, w, alpha),
            source,
            method="SLSQP",
            bounds=[(1e-9, 1)] * 3,
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert found.value >= -best.fun - 1e-12
        np.testing.assert_allclose(found.prior, best.x, atol=2e-5)


def test_a_class_that_is_not_there_gets_nothing():
    P = np.array([[0.7, 0.2, 0.1], [0.3, 0.65, 0.05], [0.5, 0.45, 0.05]] * 20)
    source = np.array([0.4, 0.3, 0.3])
    found = mlls(P, source)
    assert found.prior[2] == 0
    check_kkt(found, P, source)
    alone = mlls(P[:, :2], source[:2])
    np.testing.assert_allclose(found.prior[:2], alone.prior, atol=1e-7)


def test_the_value_never_falls():
    source, target = SOURCES["five"]
    for sep in (0.3, 2.0):
        _, _, P = made(50, 300, source, target, sep=sep)
        values = [mlls(P, source, max_iter=k).value for k in range(2, 12)]
        assert np.diff(values).min() > -1e-14
        assert values[0] > log_likelihood(source, P, source)


def test_too_few_steps_are_told():
    source, target = SOURCES["five"]
    _, _, P = made(50, 300, source, target, sep=0.5)
    found = mlls(P, source, max_iter=2)
    assert not found.converged
    best = mlls(P, source).value
    assert found.value < best <= found.value + found.gap


@pytest.mark.parametrize("sep", [0.0, 0.05])
def test_classes_that_look_alike_do_not_harm(sep):
    source, target = SOURCES["three"]
    _, _, P = made(50, 400, source, target, sep=sep)
    found = mlls(P, source)
    check_kkt(found, P, source, tol=1e-6)
    if not sep:
        np.testing.assert_allclose(found.prior, source, atol=1e-12)


def test_integer_weights_are_repeated_rows():
    source, target = SOURCES["three"]
    _, _, P = made(50, 100, source, target)
    weight = np.random.default_rng(0).integers(0, 4, size=100)
    one = mlls(P, source, weight=weight.astype(float)).prior
    np.testing.assert_allclose(one, mlls(np.repeat(P, weight, axis=0), source).prior, atol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_noise_of_the_slope_is_that_of_its_rows(weighted):
    source, target = SOURCES["three"]
    _, _, P = made(50, 300, source, target)
    weight = np.random.default_rng(0).exponential(size=300) if weighted else None
    found = mlls(P, source, weight=weight)
    slope = P / (P @ (found.prior / source))[:, None]
    share = np.full(300, 1 / 300) if weight is None else weight / weight.sum()
    centred = (slope - share @ slope) * share[:, None]
    np.testing.assert_allclose(found.noise, centred.T @ centred, atol=1e-15)
    np.testing.assert_allclose(found.curvature, slope.T @ (slope * share[:, None]), atol=1e-13)


def test_a_dirichlet_prior_is_further_rows():
    source, target = SOURCES["three"]
    _, _, P = made(50, 40, source, target)
    alpha = np.array([4.0, 1.0, 2.0])
    more = np.concatenate([P, np.eye(3)[[0, 0, 0, 2]]])
    mode = mlls(P, source, alpha=alpha).prior
    np.testing.assert_allclose(mode, mlls(more, source).prior, atol=1e-9)
    np.testing.assert_allclose(mlls(P, source, alpha=alpha * 1e9).prior, alpha / 7, atol=1e-6)


def test_blocks_and_single_precision_change_nothing(monkeypatch):
    source, target = SOURCES["five"]
    _, _, P = made(50, 1001, source, target)
    weight = np.random.default_rng(1).exponential(size=1001)
    whole = mlls(P, source, weight=weight)
    monkeypatch.setattr(_mlls, "_BLOCK", 60)
    parts = mlls(P, source, weight=weight)
    np.testing.assert_allclose(parts.prior, whole.prior, atol=1e-12)
    np.testing.assert_allclose(parts.noise, whole.noise, atol=1e-15)
    single = mlls(P.astype(np.float32), source, weight=weight)
    np.testing.assert_allclose(single.prior, whole.prior, atol=1e-6)


# --- by the confusion matrix ---------------------------------------------------------------


@given(st.integers(2, 6), st.integers(0, 10_000))
def test_bbse_inverts_what_it_is_given(n_classes, seed):
    rng = np.random.default_rng(seed)
    rates = rng.dirichlet(np.ones(n_classes), size=n_classes).T / 2 + np.eye(n_classes) / 2
    source, target = rng.dirichlet(np.ones(n_classes) * 2, size=2)
    weights = bbse(rates * source, rates @ target)
    np.testing.assert_allclose(weights * source, target, atol=1e-9)


def test_bbse_clips_and_stays_near_one_where_nothing_is_known():
    assert bbse(np.diag([0.5, 0.5]), np.array([1.2, -0.2])).tolist() == [2.4, 0.0]
    # The third class is never predicted, and its rows are predicted like those of the second.
    rates = np.array([[0.9, 0.2, 0.2], [0.1, 0.8, 0.8], [0.0, 0.0, 0.0]])
    joint = rates * np.array([0.5, 0.4, 0.1])
    np.testing.assert_allclose(bbse(joint, joint.sum(axis=1)), 1)
    moved = bbse(joint, np.array([0.4, 0.6, 0.0]))
    np.testing.assert_allclose(joint @ moved, [0.4, 0.6, 0.0])
    assert moved[1] > moved[2] > 1


def test_confusion_and_its_noise_are_means_over_rows():
    P, y, _ = made(200, 10, *SOURCES["three"], seed=2)
    weight = np.random.default_rng(0).exponential(size=200)
    for hard in (True, False):
        feature = np.eye(3)[P.argmax(axis=1)] if hard else P
        found = confusion(P, y, weight, hard=hard)
        joint = feature.T @ (np.eye(3)[y] * weight[:, None]) / weight.sum()
        np.testing.assert_allclose(found.joint, joint)
        np.testing.assert_allclose(found.rates.sum(axis=0), 1)
        for code in range(3):
            own, share = feature[y == code], weight[y == code] / weight[y == code].sum()
            centred = (own - share @ own) * share[:, None]
            np.testing.assert_allclose(found.noise[code], centred.T @ centred, atol=1e-15)
        np.testing.assert_allclose(moments(P, None, hard=hard)[0], feature.mean(axis=0))
        expected = np.cov(feature.T, bias=True) / 200
        np.testing.assert_allclose(moments(P, None, hard=hard)[1], expected, atol=1e-15)
    # Without room for the noise, its bound: attained by labels, passed by no probability.
    prior = np.array([0.2, 0.5, 0.3])
    for hard in (True, False):
        full = confusion(P, y, None, hard=hard)
        bound = full._replace(noise=None).noise_at(prior)
        least = np.linalg.eigvalsh(bound - full.noise_at(prior))[0]
        assert least > -1e-15
        if hard:
            np.testing.assert_allclose(bound, full.noise_at(prior), atol=1e-15)
    many = np.random.default_rng(0).dirichlet(np.ones(12), size=100)
    assert confusion(many, np.arange(100) % 12, None, hard=False).noise is None


def rlls_objective(theta, joint, target, penalty):
    b = target - joint.sum(axis=1)
    return np.linalg.norm(joint @ theta - b) + penalty * np.linalg.norm(theta)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.filterwarnings("ignore:Initial guess is not within")
def test_rlls_equals_brute_force(n_classes):
    rng = np.random.default_rng(n_classes)
    kinds = set()
    for trial in range(30):
        rates = rng.dirichlet(np.ones(n_classes), size=n_classes).T / 2 + np.eye(n_classes) / 2
        joint = rates * rng.dirichlet(np.ones(n_classes) * 2)
        target = rng.dirichlet(np.ones(n_classes) * (0.3, 3.0)[trial % 2])
        penalty = 10.0 ** rng.uniform(-4, 0)
        ours = rlls(joint, target, penalty)
        assert ours.min() >= 0
        bounds = [(-1, None)] * n_classes
        best = np.inf
        for start in (np.full(n_classes, 0.1), ours - 0.99):
            for method in ("SLSQP", "Nelder-Mead"):
                found = minimize(
                    rlls_objective, start, (joint, target, penalty), method, bounds=bounds
                )
                best = min(best, found.fun)
        value = rlls_objective(ours - 1, joint, target, penalty)
        assert value <= best + 1e-12
        near = rlls_objective(
            np.maximum(ours - 1 + 1e-4 * rng.normal(size=n_classes), -1), joint, target, penalty
        )
        assert value <= near + 1e-15
        rest = np.linalg.norm(joint @ ours - target)
        kinds.add("none" if (ours == 1).all() else "exact" if rest < 1e-9 else "between")
        kinds.add("bound" if (ours == 0).any() else "inside")
    assert kinds == {"none", "exact", "between", "bound", "inside"}


def test_rlls_becomes_bbse_or_nothing_at_its_limits():
    rng = np.random.default_rng(4)
    for _ in range(20):
        rates = rng.dirichlet(np.ones(4), size=4).T / 2 + np.eye(4) / 2
        source, target = rng.dirichlet(np.ones(4) * 5, size=2)
        joint, mean = rates * source, rates @ target
        for penalty in (0.0, 1e-9):
            np.testing.assert_allclose(rlls(joint, mean, penalty), bbse(joint, mean), atol=1e-7)
        assert (rlls(joint, mean, 10.0) == 1).all()
        gram = joint.T @ joint + 0.1 * np.eye(4)
        squared = 1 + np.linalg.solve(gram, joint.T @ (mean - joint.sum(axis=1)))
        np.testing.assert_allclose(rlls(joint, mean, 0.1, squared=True), squared, atol=1e-12)
    # No weights fit: the constrained least squares, which clipping the inverse is not.
    joint = np.array([[0.45, 0.1], [0.05, 0.4]])
    mean = np.array([0.95, 0.05])
    expected = nnls(joint, mean)[0]
    np.testing.assert_allclose(rlls(joint, mean, 1e-9), expected, atol=1e-6)
    assert expected[1] == 0


def test_the_penalty_falls_with_the_rows():
    # By hand: 3 * 0.01 * (2 log 400 / 300 + sqrt(2 log 400 / 100)), where 400 = 2 * 10 / 0.05.
    expected = 0.03 * (2 * np.log(400) / 300 + np.sqrt(2 * np.log(400) / 100))
    assert rlls_penalty(10, 100) == pytest.approx(expected, rel=1e-14)
    assert rlls_penalty(10, 1e9) < 1e-5


# --- all methods ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOURCES)
def test_a_perfect_classifier_gives_the_exact_shares(method, name):
    source, target = SOURCES[name]
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(len(source)), (2000 * source).astype(int))
    perfect = np.eye(len(source))
    codes = rng.choice(len(source), 500, p=target)
    found = estimate_shift(learn_source(method, perfect[y], y, None), perfect[codes], n_draws=400)
    counts = np.bincount(codes, minlength=len(source)) / 500
    # The penalty of rlls keeps it from what it could fit exactly, unless it is small enough.
    np.testing.assert_allclose(found.prior, counts, atol=1e-9 if method != "rlls" else 0.01)
    if method != "rlls":
        sd = np.sqrt(counts * (1 - counts) / 500)
        np.testing.assert_allclose(found.draws.std(axis=0), sd, rtol=0.2)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_the_classes_does_not_matter(method):
    P, y, T = made(2000, 1000, *SOURCES["five"], seed=3)
    order = np.array([3, 0, 4, 2, 1])
    rank = np.argsort(order)
    one = estimate_shift(learn_source(method, P, y, None), T)
    other = estimate_shift(learn_source(method, P[:, order], rank[y], None), T[:, order])
    np.testing.assert_allclose(other.prior, one.prior[order], atol=1e-9)
    plain = learn_source(method, P, y, None).prior
    assert np.abs(one.prior / plain - 1).max() > 0.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SOURCES)
def test_no_shift_is_found_where_there_is_none(method, name):
    source, _ = SOURCES[name]
    P, y, T = made(3000, 3000, source, source, seed=5)
    learnt = learn_source(method, P, y, None)
    found = estimate_shift(learnt, T, n_draws=400)
    errors = found.draws.std(axis=0) / learnt.prior
    assert (np.abs(found.prior / learnt.prior - 1) < 3 * errors).all()
    # The very same rows: nothing at all is found.
    same = estimate_shift(learnt, P)
    np.testing.assert_allclose(same.prior, learnt.prior, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_the_error_falls_with_the_root_of_the_rows(method):
    """Slope of the log error by the log of n, over Dirichlet shifts: -1/2 within 0.12."""
    source = np.array([0.5, 0.3, 0.2])
    sizes, errors = np.array([300, 1200, 4800]), []
    for n_rows in sizes:
        own = []
        for seed in range(40):
            target = np.random.default_rng(seed).dirichlet(np.ones(3) * 2)
            P, y, T = made(n_rows, n_rows, source, target, seed=1000 + seed)
            found = estimate_shift(learn_source(method, P, y, None), T)
            own.append(np.sum((found.prior - target) ** 2))
        errors.append(np.sqrt(np.mean(own)))
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert abs(slope + 0.5) < 0.12
    assert errors[-1] < 0.02


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["three"])
def test_the_draws_spread_like_a_bootstrap_of_the_rows(method, name):
    source, target = SOURCES[name]
    P, y, T = made(1500, 800, source, target, seed=8)
    learnt = learn_source(method, P, y, None)
    rng = np.random.default_rng(0)
    groups = [np.flatnonzero(y == code) for code in range(len(source))]
    again = []
    for _ in range(250):
        target_rows = T[rng.integers(len(T), size=len(T))]
        if method != "mlls":
            rows = np.concatenate([rng.choice(group, group.size) for group in groups])
            learnt_again = learn_source(method, P[rows], y[rows], None)
        else:
            learnt_again = learnt
        again.append(estimate_shift(learnt_again, target_rows).prior)
    if method == "mlls":
        best = mlls(T, learnt.prior)
        draws = mlls_draws(best, learnt.prior, best.noise, 2000, rng)
    else:
        draws = estimate_shift(learnt, T, n_draws=2000, rng=rng).draws
    np.testing.assert_allclose(draws.sum(axis=1), 1)
    np.testing.assert_allclose(draws.std(axis=0), np.std(again, axis=0), rtol=0.15)
    np.testing.assert_allclose(draws.mean(axis=0), np.mean(again, axis=0), atol=0.01)


@pytest.mark.parametrize("method", ["mlls", "bbse"])
def test_intervals_cover_at_about_their_level(method):
    """120 samples; a count of a level of 0.9 is off by 0.09 with probability 0.001."""
    source, target = np.array([0.6, 0.25, 0.15]), np.array([0.2, 0.3, 0.5])
    hits = 0
    for seed in range(120):
        P, y, T = made(800, 500, source, target, seed)
        P, T = (
            ScalingCalibrator("bias_corrected").fit(P, y).predict_proba(each) for each in (P, T)
        )
        rng = np.random.default_rng(seed)
        found = estimate_shift(learn_source(method, P, y, None), T, n_draws=150, rng=rng)
        low, high = np.quantile(found.draws, (0.05, 0.95), axis=0)
        hits += int(low[2] <= target[2] <= high[2])
    assert 0.81 <= hits / 120 <= 0.98


def test_few_held_out_rows_widen_the_interval_of_the_likelihood():
    source, target = SOURCES["two"]
    widths = []
    for n_source in (300, 30_000):
        P, y, T = made(n_source, 3000, source, target, seed=1)
        found = estimate_shift(learn_source("mlls", P, y, None), T, n_draws=500)
        widths.append(found.draws.std(axis=0)[0])
    best = mlls(T, source)
    alone = mlls_draws(best, source, best.noise, 500, np.random.default_rng(0)).std(axis=0)[0]
    assert widths[0] > 1.5 * widths[1]
    assert widths[1] == pytest.approx(alone, rel=0.15)


def test_the_rows_kept_stand_for_all(monkeypatch):
    P, y, _ = made(6000, 500, *SOURCES["three"], seed=1)
    weight = np.random.default_rng(0).exponential(size=6000)
    ratio = SOURCES["three"][1] / SOURCES["three"][0]
    for own in (None, weight):
        every = learn_source("mlls", P, y, own).held_out
        monkeypatch.setattr("imbkit.calibration._label_shift._KEPT", 500)
        some = learn_source("mlls", P, y, own).held_out
        monkeypatch.undo()
        assert len(some.codes) <= 1500 < len(every.codes)
        np.testing.assert_allclose(some.scale.sum(), every.scale.sum())
        whole, part = np.diag(every.noise_at(ratio)), np.diag(some.noise_at(ratio))
        np.testing.assert_allclose(part, whole, rtol=0.25)
