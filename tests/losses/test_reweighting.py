"""Weights of rows: values, limits, and how they join a loss."""

import copy
import io
import math
import pickle

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses import (
    KLDRO,
    AUCMarginLoss,
    BaseReweighter,
    ClassStats,
    ClassWeight,
    ClusterLikelihood,
    CrossEntropyLoss,
    Deferred,
    EffectiveNumber,
    FocalLoss,
    InfluenceBalanced,
    LogitAdjustedLoss,
    LossBased,
    LossContext,
    Reweighted,
    functional,
    get_loss,
    get_reweighter,
)

EXACT = {"rtol": 1e-10, "atol": 1e-10}
GOLDEN = {"rtol": 0, "atol": 1e-6}
Z = torch.tensor([[2, 1, -1], [0.5, 2.5, 0], [-1, 0, 3], [1, -0.5, 0.2]], dtype=torch.float64)
Y = torch.tensor([0, 1, 2, 1])
CE = functional.cross_entropy(Z, Y)
SHAPES = ("linupper", "quadratic", "extremes", "upper")


def of_counts(*counts, **more):
    return ClassStats(np.array(counts, dtype=np.float64), sum(counts), **more)


def wide(values):
    return torch.tensor(values, dtype=torch.float64)


def some(n, k=3, seed=0):
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(n, k, generator=rng, dtype=torch.float64)
    return z, torch.randint(k, (n,), generator=rng)


def batch_of(z=Z, y=Y, **given):
    return LossContext(z, y, **given)


# Class weights --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        (ClassWeight(), (0.383333, 3.833333, 7.666667)),
        (EffectiveNumber(0.999, "sum_k"), (0.101203, 0.967876, 1.930921)),
        (EffectiveNumber(0.999), (0.395141, 3.779011, 7.539164)),
    ],
)
def test_golden_class_weights(weighting, expected):
    found = weighting.class_factors(of_counts(100, 10, 5))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_effective_numbers_of_the_paper_and_their_limits():
    stats = of_counts(5000, 500, 50)
    paper = EffectiveNumber(normalize="sum_k").class_factors(stats)
    np.testing.assert_allclose(paper, (0.0341, 0.2752, 2.6907), atol=5e-5)
    np.testing.assert_array_equal(EffectiveNumber(0.0).class_factors(stats), 1.0)
    inverse = ClassWeight().class_factors(stats)
    np.testing.assert_allclose(EffectiveNumber(1.0).class_factors(stats), inverse, rtol=1e-14)
    # The float next to 1 - 1e-9 has 7 digits of the distance to 1, and the error is n (1 - beta).
    near = EffectiveNumber(1 - 1e-9).class_factors(of_counts(5, 3, 1))
    np.testing.assert_allclose(near, ClassWeight().class_factors(of_counts(5, 3, 1)), rtol=1e-8)
    assert np.all(np.diff(EffectiveNumber(0.99).class_factors(stats)) > 0)


def test_effective_numbers_by_the_number_of_rows():
    stats = of_counts(70, 20, 10)
    auto, given = EffectiveNumber("auto", "none"), EffectiveNumber(0.99, "none")
    np.testing.assert_allclose(auto.class_factors(stats), given.class_factors(stats), rtol=1e-12)
    n = np.array([70, 20, 10])
    np.testing.assert_allclose(given.class_factors(stats), 0.01 / (1 - 0.99**n), rtol=1e-12)
    assert EffectiveNumber("auto").class_factors(of_counts(1)) == 1.0


@pytest.mark.parametrize("weighting", [EffectiveNumber(), EffectiveNumber(0.0), ClassWeight()])
def test_a_class_without_rows_weighs_as_one_with_a_single_one(weighting):
    none = type(weighting)(normalize="none").class_factors(of_counts(9, 0, 1))
    assert none[1] == none[2]
    assert np.isfinite(weighting.class_factors(of_counts(9, 0, 1))).all()
    inverse = ClassWeight().class_factors(of_counts(9, 0, 1))
    np.testing.assert_allclose(EffectiveNumber(1.0).class_factors(of_counts(9, 0, 1)), inverse)


def test_effective_numbers_of_labels():
    Y = np.array([[1, 0], [0, 0], [0, 1], [0, 1]])
    stats = ClassStats.from_labels(Y)
    weighting = EffectiveNumber(beta=1.0, normalize="none")
    weighting.setup(stats)
    assert weighting.class_factors(stats) is None
    found = weighting.weights(batch_of(torch.zeros(4, 2), torch.tensor(Y)), torch.zeros(4, 2))
    assert_close(found, wide([[1, 1 / 2], [1 / 3, 1 / 2], [1 / 3, 1 / 2], [1 / 3, 1 / 2]]))
    # Weights of the mean row are 1 for each label by itself.
    mean = EffectiveNumber(beta=0.9)
    mean.setup(stats)
    found = mean.weights(batch_of(torch.zeros(4, 2), torch.tensor(Y)), torch.zeros(4, 2))
    assert_close(found.mean(0), wide([1.0, 1.0]))


def test_effective_numbers_are_finite_for_any_count():
    counts = torch.tensor([0.0, 1.0, 1e3, 1e12])
    for beta in (0.0, 1e-300, 0.5, 1 - 1e-16, 1.0):
        found = functional.effective_number_weights(counts, beta=beta)
        assert found.isfinite().all()
        assert (found > 0).all()
        assert (found <= 1 + 1e-12).all()


# Deferred -------------------------------------------------------------------------------------


def test_deferred_weights_begin_when_the_share_is_over():
    stats = of_counts(5000, 500, 50)
    weighting = Deferred(EffectiveNumber(0.9999, "sum_k"), start=0.8)
    weighting.setup(stats)
    for epoch, expected in ((0, (1, 1, 1)), (159, (1, 1, 1)), (160, (0.0341, 0.2752, 2.6907))):
        batch = batch_of(Z[:3], Y[:3], epoch=epoch, max_epochs=200)
        found = weighting.weights(batch, CE[:3])
        assert_close(found, wide(expected), rtol=0, atol=5e-5)


@pytest.mark.parametrize("epochs", [1, 3, 10, 100, 1000])
@pytest.mark.parametrize("start", [0.0, 0.1, 0.55, 0.7, 0.8, 0.9, 1.0])
def test_deferred_weights_begin_on_the_very_epoch(start, epochs):
    weighting = Deferred(ClassWeight(np.full(3, 2.0)), start=start)
    weighting.setup(of_counts(1, 1, 1))
    begun = [
        weighting.weights(batch_of(epoch=e, max_epochs=epochs), CE)[0].item() == 2
        for e in range(epochs)
    ]
    assert begun == [e >= math.ceil(round(start * epochs, 6)) for e in range(epochs)]


def test_deferred_weights_by_default():
    drw = get_reweighter("drw")
    assert isinstance(drw.reweighter, EffectiveNumber)
    assert (drw.reweighter.beta, drw.start) == (0.9999, 0.8)
    assert drw.needs == {"counts", "epoch"}
    assert not drw.of_losses
    stats = of_counts(90, 10)
    expected = EffectiveNumber().class_factors(stats)
    np.testing.assert_array_equal(drw.class_factors(stats), expected)
    assert Deferred(start=1.0).class_factors(stats) is None
    assert Deferred(KLDRO()).of_losses
    assert get_reweighter(drw, start=0.5).start == 0.5


# Clusters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.5, 1.0, 5.0])
def test_likelihood_weights(gamma):
    shares = torch.linspace(0, 1, 11, dtype=torch.float64)
    weights = functional.cluster_likelihood_weights(shares, gamma=gamma)
    assert_close(weights[[0, -1]], wide([1.0, 0.5]), **EXACT)
    assert (weights.diff() < 0).all()
    plain = functional.cluster_likelihood_weights(shares, gamma=gamma, eta=0.0)
    assert_close(plain, (1 - shares) ** gamma, **EXACT)


def blobs(sizes, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), 4)) * 50
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return centres[labels] + rng.normal(size=(len(labels), 4)), labels


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_found_whatever_rows_they_begin_with(seed):
    sizes = (300, 60, 30, 10)
    X, labels = blobs(sizes, seed)
    order = np.random.default_rng(seed).permutation(len(X))
    weighting = ClusterLikelihood(gamma=2.0, n_clusters=4, random_state=seed)
    weighting.see(X[order])
    shares = np.array(sizes)[labels[order]] / 400
    expected = torch.from_numpy((1 + (1 - shares) ** 2) / 2)
    assert_close(weighting.row_weights, expected)
    index = torch.tensor([5, 0, 399])
    found = weighting.weights(batch_of(Z[:3], Y[:3], index=index), CE[:3])
    assert_close(found, expected[index])


def test_clusters_do_not_depend_on_units_and_bear_missing_numbers():
    X, _ = blobs((50, 10, 5))
    first, second, third = (ClusterLikelihood(n_clusters=3) for _ in range(3))
    first.see(X)
    second.see(np.column_stack([X * [1e6, 1, 1e-6, 3] + 7e8, np.full(65, 0.1)]))
    assert_close(first.row_weights, second.row_weights)
    holes = X.copy()
    holes[::7, 0] = np.nan
    third.see(np.column_stack([holes, np.full(65, np.nan)]).astype(np.float32))
    assert third.row_weights.isfinite().all()
    assert third.row_weights.shape == (65,)
    same = ClusterLikelihood(n_clusters=3)
    same.see(X)
    assert_close(first.row_weights, same.row_weights, rtol=0, atol=0)


@pytest.mark.parametrize("rows", [np.zeros((4, 2)), np.ones((1, 3)), np.full((3, 1), np.nan)])
def test_rows_that_are_alike_are_one_cluster(rows):
    weighting = ClusterLikelihood()
    weighting.see(rows)
    assert_close(weighting.row_weights, torch.full((len(rows),), 0.5, dtype=torch.float64))


def test_fewer_rows_than_clusters_and_rows_of_more_dimensions():
    weighting = ClusterLikelihood(gamma=1.0)
    weighting.see(np.array([0.0, 5.0, 5.0]))
    assert_close(weighting.row_weights, wide([5 / 6, 4 / 6, 4 / 6]))
    weighting.see(np.zeros((5, 2, 2)))
    assert weighting.row_weights.shape == (5,)
    spread = ClusterLikelihood(gamma=1.0, spread=True)
    spread.see(np.array([0.0, 5.0, 5.0]))
    assert_close(spread.row_weights, wide([3 / 4, 1 / 2, 1 / 2]))


def test_many_rows_are_clustered_from_some_of_them(monkeypatch):
    monkeypatch.setattr("imbkit.losses._cluster_likelihood._ENOUGH", 100)
    X, labels = blobs((600, 300, 100))
    weighting = ClusterLikelihood(gamma=1.0, n_clusters=3)
    weighting.see(X)
    shares = np.array([0.6, 0.3, 0.1])[labels]
    assert_close(weighting.row_weights, torch.from_numpy(1 - shares / 2))


def test_clusters_need_the_training_rows():
    weighting = ClusterLikelihood()
    batch = batch_of(index=torch.arange(4))
    with pytest.raises(InvalidParameterError, match="training rows"):
        weighting.weights(batch, CE)
    weighting.see(np.arange(4.0))
    assert weighting.weights(batch, CE).shape == (4,)
    with pytest.raises(InvalidParameterError, match="positions"):
        weighting.weights(batch_of(), CE)
    weighting.setup(of_counts(2, 2))  # forgets them
    with pytest.raises(InvalidParameterError, match="see"):
        weighting.weights(batch, CE)
    for bad in (np.array([[np.inf], [0.0]]), np.empty((0, 3)), np.empty((3, 0))):
        with pytest.raises(DataError, match="training rows"):
            weighting.see(bad)
    loss = Reweighted(CrossEntropyLoss(), Deferred(ClusterLikelihood(), start=0.0))
    loss.see(np.arange(4.0))
    assert loss.value(batch) > 0
    with pytest.raises(InvalidParameterError, match="index="):
        loss(Z, Y)


# Influence ------------------------------------------------------------------------------------


def test_influence_is_the_gradient_of_the_last_layer():
    z, y = some(6)
    e = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = functional.influence_weights(z, y, e, alpha=1.0)
    for i in range(6):
        W = torch.zeros(3, 5, dtype=torch.float64, requires_grad=True)
        functional.cross_entropy((z[i] + W @ e[i])[None], y[i : i + 1]).sum().backward()
        assert_close(1 / found[i] - 1e-3, W.grad.abs().sum(), **EXACT)
    two, t = z[:, :2], y % 2
    one = functional.influence_weights(two[:, 1] - two[:, 0], t, e)
    assert_close(one, functional.influence_weights(two, t, e), **EXACT)


def test_influence_of_labels_leaves_missing_ones_out():
    z, _ = some(4)
    Y = wide([[1, 0, -1], [0, 1, 1], [np.nan, 1, 0], [0, 0, 0]])
    e = torch.ones(4, 2, dtype=torch.float64)
    found = functional.influence_weights(z, Y, e, alpha=1.0)
    for i in range(4):
        W = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
        known = Y[i] >= 0
        s = (z[i] + W @ e[i])[known]
        functional.binary_cross_entropy(s, Y[i][known]).sum().backward()
        assert_close(1 / found[i] - 1e-3, W.grad.abs().sum(), **EXACT)


def test_influence_weights_begin_in_the_middle_and_are_bounded():
    weighting = InfluenceBalanced()
    e = torch.ones(4, 2)
    early = weighting.weights(batch_of(embedding=e, epoch=4, max_epochs=10), CE)
    assert_close(early, torch.ones_like(CE))
    late = weighting.weights(batch_of(embedding=e, epoch=5, max_epochs=10), CE)
    assert late[2] > late[0] > late[3]  # the better predicted, the more
    sure = torch.tensor([[1e4, 0.0]])
    found = functional.influence_weights(sure, torch.tensor([0]), torch.zeros(1, 2))
    assert_close(found, torch.tensor([1e6]))
    with pytest.raises(InvalidParameterError, match="embedding"):
        weighting.weights(batch_of(), CE)


# Losses ---------------------------------------------------------------------------------------


def test_golden_loss_based_weights():
    found = functional.loss_based_weights(CE)
    assert_close(found / 4, wide([0.215712, 0.184497, 0.161309, 0.438482]), **GOLDEN)


def test_golden_kl_dro():
    expected = wide([0.126593, 0.108712, 0.095378, 0.669318])
    assert_close(functional.kl_dro_weights(CE) / 4, expected, **GOLDEN)
    assert_close(functional.kl_dro_value(CE), wide(1.029497), **GOLDEN)


def test_shapes_of_losses():
    losses = wide([3.0, 4.0, 5.0, 6.0, 7.0])  # h = -1, -1/2, 0, 1/2, 1
    score = {
        "linupper": (0, 0.5, 1, 1, 1),
        "quadratic": (0, 0.75, 1, 0.75, 0),
        "extremes": (1, 0.5, 0, 0.5, 1),
        "upper": (0, 0.25, 0.5, 0.75, 1),
    }
    for shape in SHAPES:
        found = functional.loss_based_weights(losses, shape=shape)
        assert_close(found, 5 * wide(score[shape]).softmax(0), **EXACT)
        double = functional.loss_based_weights(losses, shape=shape, delta=2.0, temperature=2.0)
        if shape == "quadratic":
            found = functional.loss_based_weights(losses, shape=shape, temperature=2.0)
        assert_close(double, found, **EXACT)
        assert_close(
            functional.loss_based_weights(losses * 8 - 3, shape=shape),
            double * 0 + 5 * wide(score[shape]).softmax(0),
            **EXACT,
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_weights_by_losses_are_one_in_the_mean_and_even_where_nothing_differs(shape):
    losses = functional.cross_entropy(*some(50))
    found = functional.loss_based_weights(losses, shape=shape, temperature=0.4)
    assert_close(found.mean(), wide(1.0), **EXACT)
    flat = functional.loss_based_weights(losses, shape=shape, temperature=1e9)
    assert_close(flat, torch.ones_like(flat), rtol=0, atol=1e-8)
    for same in (torch.full((5,), 3.0), torch.tensor([0.7])):
        assert_close(functional.loss_based_weights(same, shape=shape), torch.ones_like(same))


def test_loss_based_weights_wait():
    weighting = LossBased(start=0.1)
    for epoch, even in ((0, True), (9, True), (10, False)):
        found = weighting.weights(batch_of(epoch=epoch, max_epochs=100), CE)
        assert torch.equal(found, torch.ones_like(CE)) == even


def test_worst_case_lies_between_the_mean_and_the_largest():
    losses = functional.cross_entropy(*some(20)).requires_grad_()
    value = functional.kl_dro_value(losses, temperature=0.7)
    weights = functional.kl_dro_weights(losses, temperature=0.7)
    w = weights / 20
    price = (w * (w * 20).log()).sum()
    assert_close(value, (w * losses).sum() - 0.7 * price, **EXACT)  # dual is primal
    (gradient,) = torch.autograd.grad(value, losses)
    assert_close(gradient, w, **EXACT)
    for other in (torch.full((20,), 0.05, dtype=torch.float64), losses.detach().softmax(0)):
        worse = (other * losses).sum() - 0.7 * (other * (other * 20).log()).sum()
        assert worse < value
    far = functional.kl_dro_value(losses, temperature=1e8)
    assert_close(far, losses.mean(), rtol=0, atol=1e-7)
    near = functional.kl_dro_value(losses, temperature=1e-6)
    assert_close(near, losses.max(), rtol=0, atol=1e-5)
    assert torch.autograd.gradcheck(functional.kl_dro_value, (losses,))


def test_weighted_loss_has_the_gradient_of_the_worst_case():
    z, y = some(12)
    z.requires_grad_()
    loss = Reweighted(CrossEntropyLoss(), KLDRO(0.5))
    (found,) = torch.autograd.grad(loss(z, y), z)
    value = functional.kl_dro_value(functional.cross_entropy(z, y), temperature=0.5)
    assert_close(found, torch.autograd.grad(value, z)[0], **EXACT)


def by_class(losses, y, temperature):
    present = y.unique()
    means = torch.stack([losses[y == k].mean() for k in present])
    return temperature * ((means / temperature).logsumexp(0) - math.log(len(present)))


@pytest.mark.parametrize("held", [3, 5])  # a class may be missing
def test_worst_mix_of_classes(held):
    z, y = some(15)
    z = torch.cat([z, torch.zeros(15, held - 3)], 1).requires_grad_()
    loss = Reweighted(CrossEntropyLoss(), KLDRO(0.5, unit="class"))
    (found,) = torch.autograd.grad(loss(z, y), z)
    value = by_class(functional.cross_entropy(z, y), y, 0.5)
    assert_close(found, torch.autograd.grad(value, z)[0], **EXACT)
    even = KLDRO(1e9, unit="class").weights(batch_of(z, y), CE.new_ones(15))
    counts = torch.bincount(y).double()
    assert_close(even, 15 / (len(y.unique()) * counts[y]), rtol=1e-7, atol=0)
    single = KLDRO(unit="class").weights(batch_of(z[:1, 0], y[:1] * 0), CE[:1])
    assert_close(single, wide([1.0]))
    with pytest.raises(DataError, match="one class a row"):
        KLDRO(unit="class").weights(batch_of(z, torch.zeros(15, 3)), CE.new_ones(15))


def test_running_mean_of_the_worst_case():
    weighting = KLDRO(temperature=0.5, momentum=0.1)
    first, second = CE, CE.flip(0) + 1
    mean = (first / 0.5).exp().mean()
    assert_close(weighting.weights(batch_of(), first), (first / 0.5).exp() / mean, **EXACT)
    mean = 0.9 * mean + 0.1 * (second / 0.5).exp().mean()
    found = weighting.weights(batch_of(), second)
    assert_close(found, (second / 0.5).exp() / mean, **EXACT)
    assert_close(weighting.log_mean, mean.log(), **EXACT)
    asked = weighting.weights(batch_of(training=False), first)
    assert_close(asked, (first / 0.5).exp() / mean, **EXACT)
    assert_close(weighting.log_mean, mean.log(), **EXACT)  # and is as it was
    weighting.setup(of_counts(1, 1))
    assert torch.isneginf(weighting.log_mean)
    alone = weighting.weights(batch_of(training=False), second)
    assert_close(alone, functional.kl_dro_weights(second, temperature=0.5), **EXACT)
    own = KLDRO(0.5, momentum=1.0)
    for losses in (first, second):
        expected = functional.kl_dro_weights(losses, temperature=0.5)
        assert_close(own.weights(batch_of(), losses), expected, **EXACT)
    classes = KLDRO(0.5, unit="class", momentum=1.0)
    expected = KLDRO(0.5, unit="class").weights(batch_of(), CE)
    assert_close(classes.weights(batch_of(), CE), expected, **EXACT)


def test_running_mean_keeps_weights_finite():
    weighting = KLDRO(momentum=0.1)
    weighting.weights(batch_of(), torch.zeros(4))
    for training in (False, True):
        found = weighting.weights(batch_of(training=training), torch.tensor([0, 1e4, 5.0, 50.0]))
        assert found.isfinite().all()


@pytest.mark.parametrize("temperature", [1e-30, 1e-3, 1.0, 1e30])
def test_weights_are_finite_for_any_losses(temperature):
    for losses in (torch.tensor([0.0, 1e-6, 50.0, 1e4]), torch.zeros(3), torch.tensor([1e30, 0])):
        for shape in SHAPES:
            found = functional.loss_based_weights(losses, shape=shape, temperature=temperature)
            assert found.isfinite().all()
        assert functional.kl_dro_weights(losses, temperature=temperature).isfinite().all()
        assert functional.kl_dro_value(losses, temperature=temperature).isfinite()


# How they join a loss -------------------------------------------------------------------------


def every():
    """A weighting of each kind."""
    return [
        ClassWeight(),
        EffectiveNumber(),
        Deferred(start=0.0),
        ClusterLikelihood(n_clusters=3),
        InfluenceBalanced(alpha=1.0, start=0.0),
        *(LossBased(shape, start=0.0) for shape in SHAPES),
        KLDRO(),
        KLDRO(unit="class"),
        KLDRO(0.5, momentum=0.1),
    ]


@pytest.fixture(params=every(), ids=lambda each: repr(each).replace("\n", ""))
def weighting(request):
    return request.param


def weighted(weighting, base=None, **more):
    """A weighted loss of a copy, ready for the batch of `full`."""
    loss = Reweighted(base or CrossEntropyLoss(), copy.deepcopy(weighting), **more)
    loss.setup(of_counts(100, 10, 5))
    loss.see(np.arange(30.0) ** 2)
    return loss


def full(n=8, dtype=torch.float64, **more):
    z, y = some(n)
    e = torch.randn(n, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    more.setdefault("index", torch.arange(n))
    return batch_of(z.to(dtype), y, embedding=e.to(dtype), epoch=1, max_epochs=2, **more)


def taken(batch, rows):
    rows = torch.as_tensor(rows)
    names = ("logits", "target", "embedding", "index", "sample_weight")
    fields = {name: getattr(batch, name) for name in names}
    return batch.changed(**{k: v[rows] for k, v in fields.items() if v is not None})


def test_weights_are_of_rows_without_a_gradient(weighting):
    batch = full()
    batch.logits.requires_grad_()
    batch.embedding.requires_grad_()
    loss = weighted(weighting)
    items = functional.cross_entropy(batch.logits, batch.target)
    w = weighted(weighting).reweighter[0].weights(batch, items.detach())
    assert w.shape == (8,)
    assert not w.requires_grad
    assert (w >= 0).all()
    (found,) = torch.autograd.grad(loss.value(batch), batch.logits)
    (expected,) = torch.autograd.grad((w * items).mean(), batch.logits)
    assert_close(found, expected, **EXACT)


@pytest.mark.parametrize("normalize", ["mean", "batch"])
def test_a_row_of_weight_two_is_two_rows(weighting, normalize):
    loss = weighted(weighting, normalize=normalize)
    v = wide([1, 2, 0, 3, 1, 1, 0, 2])
    rows = np.repeat(np.arange(8), v.long())
    once = copy.deepcopy(loss).value(full(sample_weight=v))
    assert_close(once, copy.deepcopy(loss).value(taken(full(), rows)), **EXACT)
    order = np.random.default_rng(0).permutation(8)
    batch = full(sample_weight=v)
    mixed = copy.deepcopy(loss).value(taken(batch, order))
    assert_close(once, mixed, **EXACT)
    nothing = copy.deepcopy(loss).value(full(sample_weight=torch.zeros(8)))
    assert nothing == 0


def test_rows_without_weight_do_not_disturb_whatever_their_loss(weighting):
    loss = weighted(weighting)
    batch = full(sample_weight=wide([1] * 7 + [0]))
    batch.logits[7] = 0
    batch.logits[7, batch.target[7]] = -1e4
    found = copy.deepcopy(loss).value(batch)
    assert_close(found, copy.deepcopy(loss).value(taken(batch, range(7))), **EXACT)


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_weighted_losses_are_finite_in_float32(weighting, size):
    signs = torch.tensor([[1.0, -1, 0], [-1, 1, 1], [0, 0, 0], [1, 1, -1]])
    for rows in (range(4), [0]):
        z = (size * signs[list(rows)]).requires_grad_()
        batch = taken(full(), list(rows)).changed(logits=z)
        value = weighted(weighting).value(batch)
        (gradient,) = torch.autograd.grad(value, z)
        assert value.isfinite()
        assert gradient.isfinite().all()
        assert value.dtype == torch.float32


def test_halves_are_computed_as_floats(weighting):
    loss = weighted(weighting)
    batch = full(dtype=torch.bfloat16)
    value = copy.deepcopy(loss).value(batch)
    wider = batch.changed(logits=batch.logits.float(), embedding=batch.embedding.float())
    assert value.dtype == torch.float32
    assert_close(value, copy.deepcopy(loss).value(wider))


def test_state_survives_copies_and_what_is_not_learned_from(weighting):
    loss = weighted(weighting)
    loss.value(full())
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    random = torch.get_rng_state()
    quiet = full(training=False)
    assert loss.value(quiet) == functional.cross_entropy(quiet.logits, quiet.target).mean()
    loss.per_item(quiet)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(before[name], now) for name, now in loss.state_dict().items())
    expected = loss.per_item(quiet)
    stored = io.BytesIO()
    torch.save(loss.state_dict(), stored)
    stored.seek(0)
    loaded = weighted(weighting)
    loaded.load_state_dict(torch.load(stored, weights_only=True))
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), loaded):
        assert_close(other.per_item(quiet), expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    # Classes are no units of rows with several labels.
    "weighting",
    [each for each in every() if getattr(each, "unit", "") != "class"],
    ids=lambda each: repr(each).replace("\n", ""),
)
def test_weights_of_rows_hold_for_all_their_labels(weighting):
    Y = np.array([[1, 0], [0, 0], [0, 1], [0, 1]])
    weighting = copy.deepcopy(weighting)
    weighting.setup(ClassStats.from_labels(Y))
    weighting.see(np.arange(4.0))
    z = some(4, 2)[0]
    batch = taken(full(), range(4)).changed(logits=z, target=torch.tensor(Y))
    items = FocalLoss().per_item(batch)
    w = copy.deepcopy(weighting).weights(batch, items)
    found = Reweighted(FocalLoss(), weighting).per_item(batch)
    assert_close(found, items * (w[:, None] if w.ndim == 1 else w), **EXACT)


# Reweighted -----------------------------------------------------------------------------------


class Seen(BaseReweighter):
    """Twice the loss; remembers what it was shown."""

    of_losses = True

    def weights(self, batch, items):
        self.shown = items
        return 2 * items


def test_weights_multiply_and_those_of_losses_come_last():
    double = ClassWeight(np.array([2.0, 3.0, 5.0]))
    again = ClassWeight(np.array([1.0, 10.0, 100.0]))
    factors = wide([2.0, 30.0, 500.0])[Y]
    for order, given in (("after", [Seen(), double, again]), ("before", [double, Seen(), again])):
        loss = Reweighted(CrossEntropyLoss(), given, order=order)
        loss.setup(of_counts(100, 10, 5))
        seen = factors * CE if order == "after" else CE
        assert_close(loss.per_item(batch_of()), 2 * seen * factors * CE, **EXACT)
        shown = next(each for each in given if isinstance(each, Seen)).shown
        assert_close(shown, seen, **EXACT)
        assert list(loss.reweighter) == given


def test_two_weightings_of_losses_see_one_another_in_order():
    loss = Reweighted(CrossEntropyLoss(), [Seen(), Seen()])
    assert_close(loss.per_item(batch_of()), 2 * CE * 2 * (2 * CE * CE) * CE, **EXACT)
    loss = Reweighted(CrossEntropyLoss(), [Seen(), Seen()], order="before")
    assert_close(loss.per_item(batch_of()), 4 * CE**3, **EXACT)


@pytest.mark.parametrize("weights", [(2.0, 3.0, 5.0), (0.0, 1.0, 1e-3)])
def test_divided_by_weights_as_torch_does(weights):
    torch_loss = torch.nn.CrossEntropyLoss(weight=wide(weights))
    batch = Reweighted(CrossEntropyLoss(), ClassWeight(weights), normalize="batch")
    batch.setup(of_counts(100, 10, 5))
    assert_close(batch(Z, Y), torch_loss(Z, Y), **EXACT)
    mean = Reweighted(CrossEntropyLoss(), ClassWeight(weights))
    mean.setup(of_counts(100, 10, 5))
    assert_close(mean(Z, Y), (wide(weights)[Y] * CE).mean(), **EXACT)


def test_weights_of_nothing_give_nothing():
    loss = Reweighted(CrossEntropyLoss(), ClassWeight((0.0, 1.0, 1.0)), normalize="batch")
    loss.setup(of_counts(100, 10, 5))
    z = Z[:1].clone().requires_grad_()
    value = loss(z, Y[:1])
    value.backward()
    assert value == 0
    assert (z.grad == 0).all()


def test_positive_weight_of_labels():
    s, t = wide([1.2, -0.7, 0.3]), torch.tensor([1, 0, 1])
    loss = Reweighted(CrossEntropyLoss(), ClassWeight((1.0, 7.0)))
    loss.setup(of_counts(7, 1))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        s, t.double(), pos_weight=wide(7.0)
    )
    assert_close(loss(s, t), expected, **EXACT)


def test_shares_that_weights_induce():
    stats = of_counts(80, 15, 5)
    shares = Reweighted(CrossEntropyLoss(), ClassWeight()).induced_prior(stats)
    np.testing.assert_allclose(shares, 1 / 3)
    both = Reweighted(CrossEntropyLoss(), [ClassWeight("sqrt"), ClassWeight("sqrt"), KLDRO()])
    np.testing.assert_allclose(both.induced_prior(stats), 1 / 3)
    balanced = Reweighted(LogitAdjustedLoss(), EffectiveNumber(0.99)).induced_prior(stats)
    factors = EffectiveNumber(0.99).class_factors(stats)
    np.testing.assert_allclose(balanced, factors / factors.sum())
    labels = ClassStats.from_labels(np.array([[1, 1], [1, 0], [0, 0], [1, 0]]))
    found = Reweighted(FocalLoss(), ClassWeight()).induced_prior(labels)
    np.testing.assert_allclose(found, labels.priors)  # they do not sum to one


def test_what_is_weighted_says_what_it_needs():
    loss = Reweighted(LogitAdjustedLoss(), [InfluenceBalanced(), KLDRO(momentum=0.1)])
    assert loss.needs == {"counts", "embedding", "epoch", "memory"}
    assert (loss.level, loss.link, loss.tasks) == ("sample", "softmax", LogitAdjustedLoss.tasks)
    with pytest.raises(InvalidParameterError, match="embedding"):
        loss(Z, Y)


def test_a_weighted_loss_is_changed_by_its_parameters():
    loss = Reweighted(CrossEntropyLoss(), [KLDRO(), ClassWeight()])
    other = get_loss(loss, normalize="batch", order="before")
    assert (other.normalize, other.order, loss.normalize) == ("batch", "before", "mean")
    assert [type(each) for each in other.reweighter] == [KLDRO, ClassWeight]
    preset = get_loss("cb_focal")
    preset.setup(of_counts(100, 10, 5))
    factors = torch.from_numpy(EffectiveNumber().class_factors(of_counts(100, 10, 5)))
    expected = (factors[Y] * functional.focal(Z, Y)).mean()
    assert_close(preset(Z, Y), expected, **EXACT)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: EffectiveNumber(1.1), "beta must be a finite number"),
        (lambda: EffectiveNumber("auot"), "beta must be one of"),
        (lambda: EffectiveNumber(normalize="sum"), "sum_k"),
        (lambda: Deferred(start=2), "start must be"),
        (lambda: Deferred(CrossEntropyLoss()), "DeferredLoss"),
        (lambda: ClusterLikelihood(n_clusters=0), "n_clusters must be"),
        (lambda: ClusterLikelihood(gamma=-1), "gamma must be"),
        (lambda: InfluenceBalanced(alpha=0), "alpha must be"),
        (lambda: LossBased("linuper"), "'linupper'"),
        (lambda: LossBased(temperature=0), "temperature must be"),
        (lambda: KLDRO(unit="rows"), "'row'"),
        (lambda: KLDRO(momentum=0), "momentum must be"),
        (lambda: Reweighted(AUCMarginLoss(), ClassWeight()), "whole batches"),
        (lambda: Reweighted(torch.nn.CrossEntropyLoss(), ClassWeight()), "get_loss"),
        (lambda: Reweighted(CrossEntropyLoss(), []), "reweighter must be"),
        (lambda: Reweighted(CrossEntropyLoss(), "balanced"), "get_reweighter"),
        (lambda: Reweighted(CrossEntropyLoss(), KLDRO(), order="first"), "order must be"),
    ],
)
def test_bad_parameters(make, said):
    with pytest.raises(InvalidParameterError, match=said):
        make()


def test_whole_numbers_of_clusters():
    with pytest.raises(InvalidParameterError, match="whole number"):
        ClusterLikelihood(n_clusters=2.5)
