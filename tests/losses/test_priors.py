"""Losses that know the class shares: values, limits, and what their minimisers are."""

import copy
import pickle

import numpy as np
import pytest
import torch
from scipy.special import softmax

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.losses import (
    BalancedSoftmaxLoss,
    ClassStats,
    ClassWeight,
    CrossEntropyLoss,
    EqualizedLoss,
    EqualizedV2Loss,
    LDAMLoss,
    LogitAdjustedLoss,
    LossContext,
    Reweighted,
    SeesawLoss,
    VectorScalingLoss,
    functional,
    get_loss,
)

Z = torch.tensor([[2, 1, -1], [0.5, 2.5, 0], [-1, 0, 3], [1, -0.5, 0.2]], dtype=torch.float64)
Y = torch.tensor([0, 1, 2, 1])
COUNTS = (100, 10, 5)
S = torch.tensor([1.2, -0.7, 0.3, -2, 0.8, -0.1], dtype=torch.float64)
T = torch.tensor([1, 0, 1, 0, 0, 0])
MULTI = torch.tensor([[1.0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=torch.float64)
X = torch.tensor([[1, -2, 0.5], [-1, 0.3, -3], [2, -0.4, -1]], dtype=torch.float64)
MULTI_COUNTS = (40.0, 10.0, 5.0)

SOFTMAX = [
    LogitAdjustedLoss(),
    BalancedSoftmaxLoss(),
    VectorScalingLoss(),
    VectorScalingLoss(scale=30.0),
    LDAMLoss(),
    SeesawLoss(),
    SeesawLoss(online=True),
]
ONE_VS_REST = [EqualizedLoss(threshold=0.2), EqualizedV2Loss()]
LABELS = [LogitAdjustedLoss(), BalancedSoftmaxLoss(), LDAMLoss(), *ONE_VS_REST]


def of_counts(counts, **more):
    counts = np.array(counts, dtype=np.float64)
    more.setdefault("task", "binary" if len(counts) == 2 else "multiclass")
    return ClassStats(counts, int(counts.sum()), **more)


def of_labels(counts=MULTI_COUNTS, n=50, **more):
    return ClassStats(np.array(counts, dtype=np.float64), n, "multilabel", **more)


def ready(loss, stats=None):
    loss = copy.deepcopy(loss)
    loss.setup(of_counts(COUNTS) if stats is None else stats)
    return loss


def items(loss, z=Z, y=Y, **given):
    return loss.per_item(LossContext(z, y, **given))


def same(a, b, atol=1e-10):
    torch.testing.assert_close(a, torch.as_tensor(b, dtype=a.dtype), rtol=0, atol=atol)


# Golden values.


@pytest.mark.parametrize(
    ("loss", "values"),
    [
        (LogitAdjustedLoss(), (0.038526, 0.873131, 0.382460, 3.846391)),
        (BalancedSoftmaxLoss(), (0.038526, 0.873131, 0.382460, 3.846391)),
        (VectorScalingLoss(), (0.026489, 1.766868, 1.324188, 3.600623)),
        (LDAMLoss(scale=1.0), (0.424659, 0.285971, 0.106414, 2.387867)),
        (SeesawLoss(), (0.060942, 0.167615, 0.065884, 4.561295)),
    ],
)
def test_golden_values(loss, values):
    same(items(ready(loss)), values, atol=1e-6)


def test_margins_of_a_long_tail():
    loss = ready(LDAMLoss(), of_counts((5000, 500, 50)))
    same(loss.margins, (0.1581, 0.2812, 0.5), atol=5e-5)
    taken = loss.margins[Y, None] * torch.nn.functional.one_hot(Y, 3)
    same(items(loss), functional.cross_entropy(30 * (Z - taken), Y))
    constant = ready(LDAMLoss(constant=3.0), of_counts((81, 16, 0)))
    same(constant.margins, (1.0, 1.5, 3.0))


# Identities and limits.


@pytest.mark.parametrize(
    "loss",
    [
        LogitAdjustedLoss(tau=0.0),
        VectorScalingLoss(gamma=0.0, tau=0.0),
        LDAMLoss(max_margin=0.0, scale=1.0),
        LDAMLoss(constant=0.0, scale=1.0),
        SeesawLoss(p=0.0, q=0.0),
    ],
)
def test_limit_is_cross_entropy(loss):
    same(items(ready(loss)), functional.cross_entropy(Z, Y))
    two = ready(loss, of_counts((30, 4)))
    same(items(two, S, T), functional.binary_cross_entropy(S, T))


@pytest.mark.parametrize(
    "loss", [LogitAdjustedLoss(), BalancedSoftmaxLoss(), VectorScalingLoss(), SeesawLoss(q=0.0)]
)
def test_equal_counts_are_cross_entropy(loss):
    same(items(ready(loss, of_counts((7, 7, 7)))), functional.cross_entropy(Z, Y))
    # So are batches with equal shares, whatever the table's counts; VS keeps its factors.
    balanced = of_counts(COUNTS).sampled(np.full(3, 1 / 3))
    if not isinstance(loss, VectorScalingLoss):
        same(items(ready(loss, balanced)), functional.cross_entropy(Z, Y))


def test_vector_scaling_without_factors_is_logit_adjustment():
    for tau in (0.5, 1.0, 1.25):
        plain = ready(LogitAdjustedLoss(tau=tau))
        same(items(ready(VectorScalingLoss(gamma=0.0, tau=tau))), items(plain))
    two = of_counts((30, 4))
    for scale in (1.0, 30.0):
        loss = ready(VectorScalingLoss(gamma=0.0, scale=scale), two)
        adjusted = items(ready(LogitAdjustedLoss(), two), scale * S, T)
        same(items(loss, S, T), adjusted)
        same(items(loss, functional.columns_of(S), T), adjusted, atol=1e-8)  # of softplus


def test_binary_vector_scaling_divides_by_the_own_class():
    loss = ready(VectorScalingLoss(gamma=0.5, scale=2.0), of_counts((36, 4)))
    shift, divisor = np.log(4 / 36), {0: 1.0, 1: 3.0}
    expected = [
        np.log1p(np.exp(-(2 * t - 1) * (2.0 * s / divisor[t] + shift)))
        for s, t in zip(S.tolist(), T.tolist(), strict=True)
    ]
    same(items(loss, S, T), expected)


def test_balanced_softmax_adds_log_counts():
    counts = torch.tensor(COUNTS)
    same(functional.balanced_softmax(Z, Y, counts), items(ready(BalancedSoftmaxLoss())))
    same(functional.balanced_softmax(Z, Y, counts * 1000), items(ready(BalancedSoftmaxLoss())))
    none = functional.balanced_softmax(Z, Y, torch.tensor([100, 10, 0]))
    same(none, functional.cross_entropy(Z + torch.tensor([100, 10, 0.5]).log(), Y), atol=1e-6)


@pytest.mark.parametrize("loss", [LogitAdjustedLoss(), BalancedSoftmaxLoss(), LDAMLoss()])
def test_one_score_equals_two_columns(loss):
    two = ready(loss, of_counts((30, 4)))
    same(items(two, S, T), items(two, functional.columns_of(S), T))
    shifted = functional.columns_of(S) + torch.randn(6, 1, dtype=torch.float64)
    same(items(two, S, T), items(two, shifted, T))


def test_seesaw_written_out():
    loss, z = ready(SeesawLoss(p=0.7, q=1.5)), 4 * Z
    p = z.softmax(1)
    assert p.gather(1, Y[:, None]).min() < 5e-3  # below the least divisor
    for i, y in enumerate(Y.tolist()):
        total = 0.0
        for k in range(3):
            m = min(1.0, COUNTS[k] / COUNTS[y]) ** 0.7
            c = max(1.0, float(p[i, k]) / max(float(p[i, y]), 1e-2)) ** 1.5
            total += np.exp(float(z[i, k])) * (1.0 if k == y else m * c)
        assert items(loss, z)[i].item() == pytest.approx(np.log(total) - float(z[i, y]), abs=1e-10)


def test_seesaw_factors_carry_no_gradient():
    z = Z.clone().requires_grad_()
    items(ready(SeesawLoss()), z).sum().backward()
    with torch.no_grad():  # the same factors as constants
        log_p = Z.log_softmax(1)
        own = Y[:, None]
        level = torch.tensor(COUNTS, dtype=torch.float64).log()
        factor = 0.8 * (level - level[own]).clamp_max(0)
        factor = factor + 2 * (log_p - log_p.gather(1, own).clamp_min(np.log(0.01))).clamp_min(0)
        factor.scatter_(1, own, 0.0)
        slope = (Z + factor).softmax(1) - torch.nn.functional.one_hot(Y, 3)
    same(z.grad, slope)


def test_seesaw_online_comes_to_the_counts_of_the_table():
    y = torch.tensor([0] * 20 + [1] * 5 + [2])
    online = ready(SeesawLoss(online=True), ClassStats.from_labels(y))
    first = items(online, Z[:1], y[:1])
    # One row seen, half a row assumed of each class that was not.
    same(first, functional.seesaw(Z[:1], y[:1], torch.tensor([1.0, 0.5, 0.5]).log()), atol=1e-6)
    items(online, torch.zeros(25, 3, dtype=torch.float64), y[1:])
    before = online.seen.clone()
    same(before, (20.0, 5.0, 1.0))
    known = ready(SeesawLoss(), ClassStats.from_labels(y))
    same(items(online, training=False), items(known))
    same(online.seen, before)
    # A row of weight 2 counts as two rows.
    items(online, Z, Y, sample_weight=torch.tensor([2.0, 0, 1, 1]))
    same(online.seen - before, (2.0, 1.0, 1.0))


# Several labels a row.


@pytest.mark.parametrize("loss", [LogitAdjustedLoss(), BalancedSoftmaxLoss()])
def test_labels_are_adjusted_by_their_odds(loss):
    odds = torch.tensor([40 / 10, 10 / 40, 5 / 45], dtype=torch.float64)
    expected = functional.binary_cross_entropy(X + odds.log(), MULTI)
    same(items(ready(loss, of_labels()), X, MULTI), expected)


def test_labels_with_margins():
    loss = ready(LDAMLoss(scale=1.0, constant=3.0), of_labels((16.0, 81.0, 0.0), n=100))
    margins = torch.tensor([1.5, 1.0, 3.0], dtype=torch.float64)
    expected = functional.binary_cross_entropy(X - margins * MULTI, MULTI)
    same(items(loss, X, MULTI), expected)
    scaled = ready(LDAMLoss(scale=30.0), of_labels())
    same(scaled.margins.max(), 0.5)
    expected = functional.binary_cross_entropy(30 * (X - scaled.margins * MULTI), MULTI)
    same(items(scaled, X, MULTI), expected)


@pytest.mark.parametrize("loss", LABELS, ids=repr)
@pytest.mark.parametrize("missing", [-1.0, float("nan")])
def test_a_missing_label_counts_for_nothing(loss, missing):
    y = MULTI.clone()
    y[1, 2] = missing
    z = X.clone().requires_grad_()
    mine = ready(loss, of_labels())
    found = items(mine, z, y)
    found.sum().backward()
    assert found[1, 2] == 0
    assert z.grad[1, 2] == 0
    full = ready(loss, of_labels())
    same(found.detach().flatten()[:5], items(full, X, MULTI).flatten()[:5])
    if isinstance(loss, EqualizedV2Loss):
        gone = torch.sigmoid(X[1, 2])
        same(full.negative - mine.negative, torch.tensor([0.0, 0.0, gone]))


@pytest.mark.parametrize(
    "counts", [(0.0, 50.0, 1.0), (0.0, 0.0, 0.0)], ids=["none, all, one", "none"]
)
@pytest.mark.parametrize("loss", LABELS, ids=repr)
def test_a_label_of_no_row_or_of_all(loss, counts):
    stats = of_labels(counts)
    mine = ready(loss, stats)
    assert items(mine, X, MULTI).isfinite().all()
    prior = mine.induced_prior(stats)
    assert np.isfinite(prior).all()
    assert ((prior >= 0) & (prior <= 1)).all()


# Equalization.


def test_equalized_by_hand():
    loss = ready(EqualizedLoss(threshold=0.05, ignored=1.0))  # the last class is rare
    plain = functional.binary_cross_entropy(Z, torch.nn.functional.one_hot(Y, 3))
    w = torch.tensor([[1, 1, 0], [1, 1, 0], [1, 1, 1], [1, 1, 0]])
    same(items(loss), (plain * w).sum(dim=1))
    same(loss.eval_item(LossContext(Z, Y)), plain.sum(dim=1))
    partly = ready(EqualizedLoss(threshold=0.05, ignored=0.9))
    same(items(partly), (plain * w.double().clamp_min(0.1)).sum(dim=1))


@pytest.mark.parametrize("loss", [EqualizedLoss(threshold=0.0), EqualizedLoss(ignored=0.0)])
def test_equalized_without_rare_classes_is_plain(loss):
    own = torch.nn.functional.one_hot(Y, 3)
    same(items(ready(loss)), functional.binary_cross_entropy(Z, own).sum(dim=1))
    expected = functional.binary_cross_entropy(X, MULTI)
    same(items(ready(loss, of_labels()), X, MULTI), expected)


def test_equalized_default_threshold():
    same(ready(EqualizedLoss(), of_counts((965, 33, 2))).negative, (1.0, 0.1, 0.1))
    same(ready(EqualizedLoss(), of_counts((964, 34, 2))).negative, (1.0, 1.0, 0.1))


def test_equalized_spares_nobody_in_balanced_batches():
    even = of_counts((965, 33, 2)).sampled(np.full(3, 1 / 3))
    assert ready(EqualizedLoss(), even).negative.tolist() == [1.0, 1.0, 1.0]


def test_equalized_leaves_a_rare_class_unbounded_where_all_is_ignored():
    """The reason why `ignored` is not 1: without background nothing says no."""
    slopes = {}
    for ignored in (0.9, 1.0):
        loss = ready(EqualizedLoss(threshold=0.05, ignored=ignored))
        z = torch.full((1, 3), 6.0, dtype=torch.float64).requires_grad_()
        weights = torch.tensor(COUNTS, dtype=torch.float64)
        loss(z.expand(3, 3), torch.arange(3), sample_weight=weights).backward()
        slopes[ignored] = float(z.grad[0, 2])
    assert slopes[1.0] < 0 < slopes[0.9]  # descent raises the output for every row


def test_equalized_v2_by_hand():
    loss = ready(EqualizedV2Loss(), of_labels())
    up = down = torch.ones(3, dtype=torch.float64)
    pos = neg = torch.zeros(3, dtype=torch.float64)
    for z in (X, 2 * X - 1, -X):
        plain = functional.binary_cross_entropy(z, MULTI)
        w = up * MULTI + down * (1 - MULTI)
        same(items(loss, z, MULTI), plain * w)
        size = (z.sigmoid() - MULTI).abs() * w
        pos, neg = pos + (size * MULTI).sum(0), neg + (size * (1 - MULTI)).sum(0)
        same(loss.positive, pos)
        same(loss.negative, neg)
        down = torch.sigmoid(12 * (pos / neg - 0.8))
        up = 1 + 4 * (1 - down)


def test_equalized_v2_begins_as_plain_cross_entropy_and_sums_true_gradients():
    loss = ready(EqualizedV2Loss())
    z = Z.clone().requires_grad_()
    found = items(loss, z, Y)
    labels = torch.nn.functional.one_hot(Y, 3)
    same(found.detach(), functional.binary_cross_entropy(Z, labels).sum(dim=1))
    found.sum().backward()
    same(loss.positive, (z.grad.abs() * labels).sum(dim=0))
    same(loss.negative, (z.grad.abs() * (1 - labels)).sum(dim=0))


def test_equalized_v2_weights_the_rare_label_up():
    up, down = functional.gradient_balance(torch.tensor([9.0, 0.1]), torch.tensor([1.0, 3.0]))
    assert up[0] == 1
    assert down[0] == 1
    assert up[1] > 4.99
    assert down[1] < 0.001


# What the minimisers are: tables of logits for known p(y | x), solved exactly.

P_X = np.array([0.4, 0.3, 0.2, 0.1])
P_Y_X = np.array([[0.9, 0.08, 0.02], [0.7, 0.1, 0.2], [0.5, 0.45, 0.05], [0.3, 0.1, 0.6]])
PI = P_X @ P_Y_X


def minimiser(loss, joint, start=None, shape=(4, 3)):
    """Logits for each cell that minimise the mean loss under a joint table of x and y."""
    z = torch.zeros(shape, dtype=torch.float64) if start is None else start
    z = z.clone().requires_grad_()
    cell, y = (torch.as_tensor(each.ravel()) for each in np.indices(joint.shape))
    v = torch.as_tensor(joint.ravel())
    solver = torch.optim.LBFGS(
        [z], max_iter=2000, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        solver.zero_grad()
        value = loss(z[cell], y, sample_weight=v)
        value.backward()
        return value

    solver.step(closure)
    return z.detach().numpy()


def stats_of(joint, **more):
    return of_counts(1e6 * joint.sum(axis=0), **more)


def normal(p):
    return p / p.sum(axis=-1, keepdims=True)


JOINT = P_X[:, None] * P_Y_X


@pytest.mark.parametrize(
    "loss", [LogitAdjustedLoss(), BalancedSoftmaxLoss(), VectorScalingLoss(gamma=0.0)]
)
def test_log_shares_lead_back_to_the_posterior(loss):
    loss = ready(loss, stats_of(JOINT))
    z = minimiser(loss, JOINT)
    np.testing.assert_allclose(softmax(z, axis=1), normal(P_Y_X / PI), atol=1e-6)
    np.testing.assert_allclose(softmax(z + np.log(PI), axis=1), P_Y_X, atol=1e-6)


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 1.5])
def test_induced_prior_leads_back_to_the_posterior(tau):
    stats = stats_of(JOINT)
    loss = ready(LogitAdjustedLoss(tau=tau), stats)
    z = minimiser(loss, JOINT)
    shift = np.log(PI) - np.log(loss.induced_prior(stats))
    np.testing.assert_allclose(softmax(z + shift, axis=1), P_Y_X, atol=1e-6)


def test_vector_scaling_has_its_posterior_in_the_divided_logits():
    loss = ready(VectorScalingLoss(gamma=0.3), stats_of(JOINT))
    z = minimiser(loss, JOINT)
    d = loss.divisors.numpy()
    np.testing.assert_allclose(softmax(z / d, axis=1), normal(P_Y_X / PI), atol=1e-6)
    assert np.abs(softmax(z, axis=1) - normal(P_Y_X / PI)).max() > 0.01
    # What the docstring says of it: a multiple of D changes nothing, and D z sums to 0 still.
    y = torch.tensor([0, 1, 2, 0])
    moved = torch.as_tensor(z + 0.7 * d)
    same(items(loss, torch.as_tensor(z), y), items(loss, moved, y))
    np.testing.assert_allclose(z @ d, 0, atol=1e-6)


BALANCED = JOINT / PI / 3  # batches with equal class shares
POWER = JOINT * PI**-0.5 / (PI**0.5).sum()  # half way


@pytest.mark.parametrize("loss", [LogitAdjustedLoss(), BalancedSoftmaxLoss()])
def test_balanced_batches_with_the_shares_of_the_table_correct_twice(loss):
    """The trap: the minimiser is p / pi^2, unless a loss is told what batches are made of."""
    table = stats_of(JOINT)
    twice = ready(loss, table)
    z = minimiser(twice, BALANCED)
    np.testing.assert_allclose(softmax(z, axis=1), normal(P_Y_X / PI**2), atol=1e-6)
    told = ready(loss, table.sampled(np.full(3, 1 / 3)))
    z = minimiser(told, BALANCED)
    np.testing.assert_allclose(softmax(z, axis=1), normal(P_Y_X / PI), atol=1e-6)
    np.testing.assert_allclose(softmax(z + np.log(PI), axis=1), P_Y_X, atol=1e-6)
    # The two give different predictions, so the trap is no matter of taste.
    assert (normal(P_Y_X / PI**2).argmax(1) != normal(P_Y_X / PI).argmax(1)).any()


def test_batches_that_are_balanced_half_way_are_corrected_half_way():
    shares = POWER.sum(axis=0)
    loss = ready(LogitAdjustedLoss(), stats_of(JOINT).sampled(shares))
    z = minimiser(loss, POWER)
    np.testing.assert_allclose(softmax(z + np.log(PI), axis=1), P_Y_X, atol=1e-6)


def test_class_weights_and_shares_combine():
    stats = stats_of(JOINT)
    loss = ready(Reweighted(BalancedSoftmaxLoss(), ClassWeight("sqrt")), stats)
    z = minimiser(loss, JOINT)
    prior = loss.induced_prior(stats)
    np.testing.assert_allclose(prior, normal(PI**-0.5), atol=1e-12)
    np.testing.assert_allclose(softmax(z + np.log(PI / prior), axis=1), P_Y_X, atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [LogitAdjustedLoss(tau=0.5), BalancedSoftmaxLoss(), EqualizedLoss(threshold=0.2)],
    ids=repr,
)
@pytest.mark.parametrize("effective", [None, (0.5, 0.3, 0.05)])
def test_odds_of_labels_lead_back_to_the_posterior(loss, effective):
    shares = np.array([0.8, 0.2, 0.1])
    stats = of_labels(1e5 * shares, n=100_000)
    if effective is not None:
        stats = stats.sampled(np.array(effective))
    loss = ready(loss, stats)
    p = np.array([0.6, 0.35, 0.02])  # p(label | x) in the batches
    z = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS(
        [z], max_iter=500, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    v = torch.stack([torch.as_tensor(1 - p), torch.as_tensor(p)])

    def closure():
        solver.zero_grad()
        labels = torch.tensor([[0.0] * 3, [1.0] * 3], dtype=torch.float64)
        value = (v * items(loss, z.expand(2, 3), labels)).sum()
        value.backward()
        return value

    solver.step(closure)
    q, e = loss.induced_prior(stats), stats.effective_priors
    logit = z.detach().numpy()[0] + np.log(e / (1 - e)) - np.log(q / (1 - q))
    np.testing.assert_allclose(1 / (1 + np.exp(-logit)), p, atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropyLoss(),
        LogitAdjustedLoss(tau=0.3),
        VectorScalingLoss(tau=0.4),
        SeesawLoss(q=0.0),
        SeesawLoss(p=0.5, q=0.0),
    ],
    ids=repr,
)
def test_induced_prior_is_the_answer_where_features_say_nothing(loss):
    stats = stats_of(JOINT)
    loss = ready(loss, stats)
    z = minimiser(loss, PI[None, :], shape=(1, 3))
    np.testing.assert_allclose(loss.induced_prior(stats), softmax(z[0]), atol=1e-6)


@pytest.mark.parametrize("p", [0.0, 0.8])
@pytest.mark.parametrize("q", [1.0, 2.0])
def test_induced_prior_of_seesaw_with_compensation(p, q):
    """Factors answer to the outputs: the loss has no minimiser there but a point of rest."""
    stats = stats_of(JOINT)
    loss = ready(SeesawLoss(p=p, q=q), stats)
    prior = loss.induced_prior(stats)
    z = torch.tensor(np.log(prior)[None, :], requires_grad=True)
    loss(z.expand(3, 3), torch.arange(3), sample_weight=torch.as_tensor(PI)).backward()
    np.testing.assert_allclose(z.grad, 0, atol=1e-8)
    assert prior.argsort().tolist() == PI.argsort().tolist()


@pytest.mark.parametrize("counts", [(10**6, 1000, 1, 0), tuple(range(1, 200))])
@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST, VectorScalingLoss(tau=0.3)], ids=repr)
def test_induced_prior_sums_to_one(loss, counts):
    stats = of_counts(counts)
    prior = ready(loss, stats).induced_prior(stats)
    assert prior.shape == (len(counts),)
    assert prior.sum() == pytest.approx(1)
    assert (prior > 0).all()


def test_balanced_softmax_is_made_for_equal_shares():
    stats = of_counts(COUNTS)
    loss = ready(BalancedSoftmaxLoss(), stats)
    np.testing.assert_allclose(loss.induced_prior(stats), np.full(3, 1 / 3))
    even = stats.sampled(np.array([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(loss.induced_prior(even), np.full(3, 1 / 3))
    np.testing.assert_allclose(loss.induced_prior(of_labels()), np.full(3, 1 / 2))


# Conduct.


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_gradients(loss):
    loss = ready(loss)
    if getattr(loss, "q", 0):  # its factors are constants by definition
        loss.q = 0.0
    z = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    z.requires_grad_()
    loss.setup(of_counts((50, 20, 4, 2)))

    def frozen(z):
        fresh = copy.deepcopy(loss)  # buffers must not move between evaluations
        return fresh.per_item(LossContext(z, torch.tensor([3, 0, 1])))

    assert torch.autograd.gradcheck(frozen, z)


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_extreme_logits_in_float32(loss, size):
    z = (size * torch.tensor([[1.0, -1, 0], [-1, 1, 1], [0, 0, -1]])).requires_grad_()
    value = ready(loss)(z, torch.tensor([1, 1, 2]))
    value.backward()
    assert value.dtype == torch.float32
    assert value.isfinite()
    assert z.grad.isfinite().all()
    if loss in LABELS:
        z = z.detach().requires_grad_()
        value = ready(loss, of_labels())(z, MULTI.float())
        value.backward()
        assert value.isfinite()
        assert z.grad.isfinite().all()


@pytest.mark.parametrize("y", [[0], [2], [0, 0, 0], [1, 2]], ids=str)
@pytest.mark.parametrize("counts", [COUNTS, (9, 1, 0), (0, 0, 5)], ids=str)
@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_small_batches_and_small_classes(loss, counts, y):
    z = torch.linspace(-2, 2, 3 * len(y)).reshape(-1, 3).requires_grad_()
    value = ready(loss, of_counts(counts))(z, torch.tensor(y))
    value.backward()
    assert value.isfinite()
    assert value >= 0
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_rows_and_classes_in_another_order(loss):
    rows = torch.tensor([2, 0, 3, 1])
    same(items(ready(loss), Z[rows], Y[rows]), items(ready(loss))[rows])
    classes = torch.tensor([2, 0, 1])
    place = classes.argsort()
    other = ready(loss, of_counts([COUNTS[k] for k in classes]))
    same(items(other, Z[:, classes], place[Y]), items(ready(loss)))


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_a_row_of_double_weight_is_two_rows(loss):
    one, two = ready(loss), ready(loss)
    v = torch.tensor([2.0, 1, 1, 1], dtype=torch.float64)
    again = torch.tensor([0, 0, 1, 2, 3])
    for _ in range(2):  # what is remembered must agree, too
        same(one(Z, Y, sample_weight=v), two(Z[again], Y[again]))


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_evaluation_is_plain_and_changes_nothing(loss):
    loss = ready(loss)
    loss(Z, Y)
    before = copy.deepcopy(loss.state_dict())
    items(loss, training=False)
    loss.eval()
    scale = getattr(loss, "scale", 1.0)
    if loss.link == "sigmoid":
        labels = torch.nn.functional.one_hot(Y, 3)
        plain = functional.binary_cross_entropy(Z, labels).sum(dim=1)
    else:
        plain = functional.cross_entropy(scale * Z, Y)
    same(loss(Z, Y), plain.mean())
    for name, value in loss.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_state_copies_and_setup(loss):
    fresh, used = ready(loss), ready(loss)
    first = used(Z, Y)
    used(2 * Z, Y)
    for other in (copy.deepcopy(used), pickle.loads(pickle.dumps(used))):
        same(copy.deepcopy(used)(Z, Y), other(Z, Y))
    loaded = ready(loss, of_counts((1, 2, 3)))
    loaded.load_state_dict(used.state_dict())
    same(loaded(Z, Y), copy.deepcopy(used)(Z, Y))
    used.setup(of_counts((3, 3, 9)))
    used.setup(of_counts(COUNTS))
    same(used(Z, Y), first)
    for name, value in fresh.state_dict().items():
        assert value.dtype == torch.float64, name


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_bfloat16_is_computed_in_float32(loss):
    value = ready(loss)(Z.bfloat16(), Y)
    assert value.dtype == torch.float32
    same(value.double(), ready(loss)(Z.bfloat16().double(), Y), atol=1e-4)


# Bad input.


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_counts_are_asked_for(loss):
    with pytest.raises(InvalidParameterError, match="call setup"):
        copy.deepcopy(loss)(Z, Y)


@pytest.mark.parametrize("loss", [*SOFTMAX, *ONE_VS_REST], ids=repr)
def test_labels_where_classes_were_counted(loss):
    refusal = "a column for each label after class positions|one class position a row"
    with pytest.raises(DataError, match=refusal):
        ready(loss)(X, MULTI)
    if loss in LABELS:
        with pytest.raises(DataError, match="class positions after a column for each label"):
            ready(loss, of_labels())(Z, Y)


@pytest.mark.parametrize("loss", ONE_VS_REST, ids=repr)
def test_one_output_where_each_class_needs_one(loss):
    with pytest.raises(DataError, match="a column for each class"):
        ready(loss, of_counts((9, 1)))(S, T)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("logit_adjusted", {"tau": -1.0}),
        ("vector_scaling", {"gamma": -0.1}),
        ("vector_scaling", {"tau": float("nan")}),
        ("vector_scaling", {"scale": 0.0}),
        ("ldam", {"max_margin": -0.5}),
        ("ldam", {"scale": 0}),
        ("ldam", {"constant": "3"}),
        ("seesaw", {"p": -1}),
        ("seesaw", {"q": None}),
        ("seesaw", {"online": "yes"}),
        ("equalized", {"threshold": 1.5}),
        ("equalized", {"ignored": 1.1}),
        ("equalized_v2", {"gamma": -1}),
        ("equalized_v2", {"mu": True}),
        ("equalized_v2", {"alpha": -4}),
    ],
)
def test_parameters_are_checked(name, params):
    with pytest.raises(InvalidParameterError, match=next(iter(params))):
        get_loss(name, **params)


def test_a_cosine_head_is_needed_for_a_scale_only():
    for cls in (LDAMLoss, VectorScalingLoss):
        assert "cosine_head" in cls(scale=30.0).needs
        assert cls(scale=30.0).link == "cosine"
        assert "cosine_head" not in cls(scale=1.0).needs
        assert cls(scale=1.0).link == "softmax"
    assert "memory" in SeesawLoss(online=True).needs
    assert "memory" not in SeesawLoss().needs


def test_margins_warn_of_balanced_batches():
    with pytest.warns(ImbkitWarning, match="both favour rare classes"):
        LDAMLoss().setup(of_counts(COUNTS).sampled(np.full(3, 1 / 3)))
    LDAMLoss().setup(of_counts(COUNTS))


def test_short_names():
    for name, cls in {
        "la": LogitAdjustedLoss,
        "bsm": BalancedSoftmaxLoss,
        "balanced-softmax": BalancedSoftmaxLoss,
        "vs": VectorScalingLoss,
        "eql": EqualizedLoss,
        "eqlv2": EqualizedV2Loss,
    }.items():
        assert type(get_loss(name)) is cls
    assert get_loss(BalancedSoftmaxLoss()).tau == 1.0
