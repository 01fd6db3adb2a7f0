"""Losses made of losses: one after the other, several at once, of each class, at worst inputs."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from imbkit.exceptions import InvalidParameterError
from imbkit.losses import (
    KLDRO,
    Adversarial,
    AnyLoss,
    AsymmetricLoss,
    AUCMarginLoss,
    ClassStats,
    ClassWeight,
    ClusterLikelihood,
    ConfusionAwareLoss,
    CrossEntropyLoss,
    DeferredLoss,
    FocalLoss,
    LDAMLoss,
    LogitAdjustedLoss,
    LossContext,
    OneVsRest,
    OrthogonalProjectionLoss,
    Poly1Loss,
    Reweighted,
    SumLoss,
    WeightedCoxLoss,
    ZLoss,
    functional,
)
from imbkit.losses._perturbation import worst_inputs

EXACT = {"rtol": 1e-10, "atol": 1e-10}
STATS = ClassStats(np.array([100.0, 10.0, 5.0]), 115)


def some(n=6, k=3, seed=0):
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(n, k, generator=rng, dtype=torch.float64)
    return z, torch.arange(n) % k


def ready(loss, stats=STATS):
    loss.setup(stats)
    return loss


# One after the other --------------------------------------------------------------------------


def test_the_second_loss_takes_over():
    z, y = some()
    loss = ready(DeferredLoss(CrossEntropyLoss(), FocalLoss(), start=0.8))
    first, then = CrossEntropyLoss()(z, y), FocalLoss()(z, y)
    for epoch, expected in ((0, first), (159, first), (160, then), (199, then)):
        assert_close(loss(z, y, epoch=epoch, max_epochs=200), expected, **EXACT)
        asked = loss(z, y, epoch=epoch, max_epochs=200, training=False)
        assert_close(asked, expected, **EXACT)


def test_losses_of_different_levels_take_turns():
    s, t = some(8, 1)[0][:, 0], torch.tensor([0, 1] * 4)
    v = torch.arange(8.0, dtype=torch.float64)
    auc = AUCMarginLoss()
    loss = ready(
        DeferredLoss(CrossEntropyLoss(), auc, start=0.5), ClassStats(np.array([4.0, 4.0]), 8)
    )
    assert (loss.level, loss.link) == ("batch", auc.link)
    assert loss.needs == auc.needs | {"epoch"}
    early = loss(s, t, sample_weight=v, max_epochs=2)
    assert_close(early, CrossEntropyLoss()(s, t, sample_weight=v), **EXACT)
    assert_close(loss(s, t, epoch=1, max_epochs=2), auc(s, t), **EXACT)


def test_ldam_whose_weights_come_late():
    z, y = some()
    ldam = LDAMLoss(scale=7.0)
    loss = ready(DeferredLoss(ldam, Reweighted(ldam, ClassWeight())))
    assert loss.scale == 7.0
    assert "cosine_head" in loss.needs
    plain = ready(LDAMLoss(scale=7.0))
    weights = torch.from_numpy(ClassWeight().class_factors(STATS))
    batch = LossContext(z, y, epoch=9, max_epochs=10)
    assert_close(loss.per_item(batch), weights[y] * plain.per_item(batch), **EXACT)
    np.testing.assert_allclose(loss.induced_prior(STATS), 1 / 3)
    assert getattr(SumLoss([(1, CrossEntropyLoss())]), "scale", 1.0) == 1.0


class PairLoss(CrossEntropyLoss):
    """A loss of whole batches of two classes."""

    tasks = frozenset({"binary"})
    level = "batch"

    def per_item(self, batch):
        assert batch.head_weight is None or len(batch.head_weight) == 1
        return batch.target.double().mean() + 0 * batch.logits.sum()


# Several at once ------------------------------------------------------------------------------


def test_sum_of_losses_of_rows():
    z, y = some()
    loss = SumLoss([(2.0, CrossEntropyLoss()), (-0.5, FocalLoss())])
    batch = LossContext(z, y)
    expected = 2 * functional.cross_entropy(z, y) - 0.5 * functional.focal(z, y)
    assert_close(loss.per_item(batch), expected, **EXACT)
    assert loss.level == "sample"
    assert torch.autograd.gradcheck(lambda z: loss(z, y), (z.requires_grad_(),))
    # And it can be weighted, as any loss of rows.
    both = ready(Reweighted(loss, ClassWeight()))
    weights = torch.from_numpy(ClassWeight().class_factors(STATS))
    assert_close(both.per_item(batch), weights[y] * expected, **EXACT)


def test_sum_with_a_loss_of_batches_is_one():
    z, y = some()
    e = some(6, 4, seed=1)[0]
    aux = OrthogonalProjectionLoss()
    loss = SumLoss([(1.0, CrossEntropyLoss()), (0.3, aux)])
    assert (loss.level, loss.link) == ("batch", "softmax")
    assert loss.needs == aux.needs
    batch = LossContext(z, y, embedding=e)
    expected = CrossEntropyLoss().value(batch) + 0.3 * aux.value(batch)
    assert_close(loss.value(batch), expected, **EXACT)
    v = torch.arange(6.0, dtype=torch.float64)
    found = SumLoss([(2.0, CrossEntropyLoss()), (1.0, PairLoss())])(z, y % 2, sample_weight=v)
    expected = 2 * CrossEntropyLoss()(z, y % 2, sample_weight=v) + (y % 2).double().mean()
    assert_close(found, expected, **EXACT)
    with pytest.raises(InvalidParameterError, match="embedding"):
        loss(z, y)


def test_sum_of_losses_of_labels():
    z = some()[0]
    Y = torch.tensor(np.eye(3)[[0, 1, 2, 0, 1, 1]])
    terms = [(1.0, FocalLoss()), (0.5, AsymmetricLoss())]
    loss = SumLoss(terms)
    batch = LossContext(z, Y)
    expected = FocalLoss().per_item(batch) + 0.5 * AsymmetricLoss().per_item(batch)
    found = loss.per_item(batch)
    assert_close(found, expected, **EXACT)
    assert found.shape == (6, 3)
    assert loss.terms[1][0] == 0.5
    assert loss.tasks == FocalLoss.tasks & AsymmetricLoss.tasks


def test_parts_are_told_everything():
    z, y = some(30)
    clusters = Reweighted(CrossEntropyLoss(), ClusterLikelihood())
    memory = ConfusionAwareLoss()
    loss = ready(SumLoss([(1.0, DeferredLoss(clusters, clusters)), (0.1, memory)]))
    loss.see(np.arange(30.0))
    assert len(clusters.reweighter[0].row_weights) == 30
    assert loss.needs == {"counts", "epoch", "index", "memory"}
    before = copy.deepcopy(loss.state_dict())
    batch = LossContext(z, y, index=torch.arange(30))
    first = loss.value(batch)
    assert any(not torch.equal(v, before[k]) for k, v in loss.state_dict().items())
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert_close(other.value(batch), copy.deepcopy(loss).value(batch), rtol=0, atol=0)
    kept = copy.deepcopy(loss.state_dict())
    loss.value(batch.changed(training=False))
    assert all(torch.equal(v, kept[k]) for k, v in loss.state_dict().items())
    loss.setup(STATS)
    loss.see(np.arange(30.0))
    assert_close(loss.value(batch), first, rtol=0, atol=0)


class Projected(CrossEntropyLoss):
    """Counts how often it is projected."""

    tasks = frozenset({"binary", "multiclass"})

    def __init__(self):
        super().__init__()
        self.times = 0

    def project(self):
        self.times += 1


def test_every_loss_is_projected():
    parts = [Projected() for _ in range(5)]
    weights = KLDRO()
    loss = SumLoss(
        [
            (1.0, DeferredLoss(parts[0], Reweighted(parts[1], weights))),
            (1.0, Adversarial(parts[2])),
            (1.0, OneVsRest(parts[3])),
            (1.0, parts[4]),
        ]
    )
    loss.project()
    assert [each.times for each in parts] == [1] * 5
    own = ready(OneVsRest(Projected()))
    own.project()
    assert [each.times for each in own.each] == [1] * 3


# Each class against the rest ------------------------------------------------------------------


def one_vs_all(z, y, item):
    return sum(item(z[:, k], (y == k).long()) for k in range(z.shape[1]))


def test_each_class_against_the_rest():
    z, y = some()
    batch = LossContext(z, y)
    expected = one_vs_all(z, y, functional.binary_cross_entropy)
    for base in (FocalLoss(gamma=0.0), CrossEntropyLoss(), Poly1Loss(0.0)):
        for loss in (OneVsRest(base), ready(OneVsRest(base))):
            assert_close(loss.per_item(batch), expected, **EXACT)
            assert_close(loss.eval_item(batch), expected, **EXACT)
            assert (loss.level, loss.link) == ("sample", "sigmoid")
    # The authors of class-balanced focal loss take focal loss of each class, times one weight.
    loss = ready(Reweighted(OneVsRest(FocalLoss()), ClassWeight()))
    weights = torch.from_numpy(ClassWeight().class_factors(STATS))
    expected = weights[y] * one_vs_all(z, y, functional.binary_focal)
    assert_close(loss.per_item(batch), expected, **EXACT)
    assert torch.autograd.gradcheck(lambda z: loss(z, y), (z.requires_grad_(),))


def test_two_classes_by_one_score_or_two():
    s, y = some(5, 1)[0][:, 0], torch.tensor([0, 1, 1, 0, 1])
    stats = ClassStats(np.array([4.0, 1.0]), 5, "binary")
    for base in (FocalLoss(), CrossEntropyLoss(), LogitAdjustedLoss()):
        loss = ready(OneVsRest(base), stats)
        found = loss.per_item(LossContext(s, y))
        two = loss.per_item(LossContext(torch.stack([-s, s], 1), y))
        assert_close(found, two, **EXACT)
    # Turned round, each of the two problems is the other.
    found = OneVsRest(FocalLoss()).per_item(LossContext(s, y))
    assert_close(found, 2 * functional.binary_focal(s, y), **EXACT)


class Shares(CrossEntropyLoss):
    """Of two classes alone: what it was told of them, and its own memory."""

    tasks = frozenset({"binary"})
    needs = frozenset({"counts", "memory"})

    def setup(self, stats):
        super().setup(stats)
        self._keep("seen", 0.0)

    def per_item(self, batch):
        self.seen = self.seen + batch.target.sum()
        return self.stats.counts[1] * super().per_item(batch)

    def induced_prior(self, stats):
        return stats.effective_priors**0.5 / (stats.effective_priors**0.5).sum()


def test_each_class_has_its_own_counts_and_memory():
    z, _ = some()
    y = torch.tensor([0, 0, 0, 1, 1, 2])
    stats = STATS.sampled(np.array([0.5, 0.3, 0.2]))
    loss = ready(OneVsRest(Shares()), stats)
    batch = LossContext(z, y, head_weight=torch.arange(6.0).view(3, 2), head_bias=torch.ones(3))
    found = loss.per_item(batch)
    each = [
        n * functional.binary_cross_entropy(z[:, k], (y == k).long())
        for k, n in enumerate(STATS.counts)
    ]
    assert_close(found, sum(each), **EXACT)
    assert [one.seen.item() for one in loss.each] == [3, 2, 1]
    told = [one.stats for one in loss.each]
    assert [one.counts.tolist() for one in told] == [[15, 100], [105, 10], [110, 5]]
    np.testing.assert_allclose([one.effective_priors[1] for one in told], [0.5, 0.3, 0.2])
    q = np.array([0.5, 0.3, 0.2])
    roots = q**0.5 / (q**0.5 + (1 - q) ** 0.5)
    np.testing.assert_allclose(loss.induced_prior(stats), roots / roots.sum())
    loss.setup(stats)
    assert [one.seen.item() for one in loss.each] == [0, 0, 0]
    with pytest.raises(InvalidParameterError, match="setup"):
        OneVsRest(Shares())(z, y)


def test_losses_of_batches_are_averaged_over_the_classes_that_are_there():
    y = torch.tensor([0, 0, 0, 2])
    loss = OneVsRest(PairLoss())
    assert loss.level == "batch"
    z = torch.zeros(4, 3, dtype=torch.float64)
    assert_close(loss(z, y), torch.tensor(0.5, dtype=torch.float64))  # (3/4 + 1/4) / 2
    loss(z, y, head_weight=torch.zeros(3, 2))
    assert_close(loss(z[:1], y[:1]), torch.tensor(1.0, dtype=torch.float64))


@pytest.mark.parametrize("base", [AnyLoss(), AUCMarginLoss(), AsymmetricLoss()], ids=repr)
def test_losses_of_labels_serve_classes(base):
    z, y = some(12)
    z.requires_grad_()
    loss = ready(OneVsRest(base))
    value = loss(z, y)
    (gradient,) = torch.autograd.grad(value, z)
    assert value.ndim == 0
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
    assert loss.link == ("score" if base.link == "score" else "sigmoid")
    np.testing.assert_allclose(loss.induced_prior(STATS).sum(), 1.0)
    hot = nn.functional.one_hot(y, 3)
    direct = ready(copy.deepcopy(base), ClassStats.from_labels(np.eye(3)[[0] * 100 + [1] * 10]))
    assert_close(value, direct(z, hot), **EXACT)


# Worst inputs ---------------------------------------------------------------------------------


class Body(nn.Module):
    """A linear layer after dropout and normalisation, with embedding if asked for."""

    def __init__(self, embed=False):
        super().__init__()
        self.norm, self.drop = nn.BatchNorm1d(4), nn.Dropout(0.5)
        self.head = nn.Linear(4, 3)
        self.embed = embed
        self.modes = []
        self.double()

    def forward(self, inputs):
        X = inputs["X"] if isinstance(inputs, dict) else inputs
        self.modes.append((self.training, self.head.weight.requires_grad))
        e = self.drop(self.norm(X))
        return (self.head(e), e) if self.embed else self.head(e)


def linear(weight):
    weight = torch.as_tensor(weight, dtype=torch.float64)
    model = nn.Linear(weight.shape[1], weight.shape[0], bias=False).double()
    model.weight.data = weight
    return model


W = [[1.0, -2.0, 0.5], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_worst_rows_of_a_linear_model_are_known(norm):
    model = linear(W)
    X, _ = some(7)
    y = torch.arange(7) % 2
    loss = Adversarial(CrossEntropyLoss(), eps=0.3, norm=norm, share=1.0)
    batch = LossContext(model(X), y, model=model, inputs=X)
    slope = (torch.tensor(W[1]) - torch.tensor(W[0])).double()  # of the log-odds of class 1
    reach = slope.abs().sum() if norm == "linf" else slope.norm()
    odds = X @ slope + (1 - 2 * y.double()) * 0.3 * reach
    assert_close(loss.per_item(batch), functional.binary_cross_entropy(odds, y), **EXACT)
    half = Adversarial(CrossEntropyLoss(), eps=0.3, norm=norm)
    mean = (loss.per_item(batch) + CrossEntropyLoss().per_item(batch)) / 2
    assert_close(half.per_item(batch), mean, **EXACT)
    assert_close(loss.eval_item(batch), CrossEntropyLoss().per_item(batch), **EXACT)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("step", [None, 5.0, 1e-3])
def test_rows_stay_near_and_other_columns_as_they_are(norm, step):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    X, _ = some(20)
    y = torch.arange(20) % 2
    codes = torch.arange(20)
    mapped = lambda inputs: model(inputs["X"])
    batch = LossContext(model(X), y, model=mapped, inputs={"X": X, "codes": codes})
    losses = lambda tried: functional.cross_entropy(tried.logits, tried.target)
    found = worst_inputs(batch, losses, eps=0.2, steps=5, norm=norm, step=step, columns=[0, 2])
    assert found["codes"] is codes
    moved = found["X"] - X
    assert not found["X"].requires_grad
    assert (moved[:, 1] == 0).all()
    size = moved.abs().amax(1) if norm == "linf" else moved.norm(dim=1)
    assert (size <= 0.2 + 1e-12).all()
    assert (size > 0).all()
    after = functional.cross_entropy(model(found["X"]), y)
    assert (after > functional.cross_entropy(model(X), y)).double().mean() > 0.9
    tensor = worst_inputs(
        LossContext(model(X), y, model=model, inputs=X),
        losses,
        eps=0.2,
        steps=5,
        norm=norm,
        step=step,
        columns=(0, 2),
    )
    assert_close(tensor, found["X"], rtol=0, atol=0)


@pytest.mark.parametrize("embed", [False, True])
def test_the_model_does_not_notice_the_search(embed):
    torch.manual_seed(0)
    model = Body(embed)
    model.norm.weight.requires_grad_(False)
    model.drop.eval()
    X = some(6, 4)[0].requires_grad_()
    y = torch.arange(6) % 3
    out = model(X)
    z, e = out if embed else (out, None)
    running = model.norm.running_mean.clone()
    random = torch.get_rng_state()
    model.modes.clear()
    loss = Adversarial(CrossEntropyLoss(), steps=3, share=0.5)
    with torch.no_grad():
        loss.value(LossContext(z, y, embedding=e, model=model, inputs=X))
    assert model.modes == [(False, False)] * 3 + [(True, True)]
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert not model.norm.weight.requires_grad
    assert model.head.weight.requires_grad
    assert all(p.grad is None for p in model.parameters())
    assert X.grad is None
    assert torch.equal(random, torch.get_rng_state())  # the dropout is switched off here
    assert not torch.equal(running, model.norm.running_mean)  # by the last pass
    value = loss.value(LossContext(z, y, embedding=e, model=model, inputs=X))
    value.backward()
    assert model.head.weight.grad.abs().sum() > 0


def test_the_model_is_as_before_even_after_an_error():
    model = Body()
    X = torch.zeros(2, 4, dtype=torch.float64)

    def fails(tried):
        raise ZeroDivisionError

    batch = LossContext(model(X), torch.tensor([0, 1]), model=model.forward, inputs=X)
    with pytest.raises(ZeroDivisionError):
        worst_inputs(batch, fails, eps=1.0, steps=1)
    assert model.training
    assert model.head.weight.requires_grad
    assert model.modes[-1] == (False, False)  # found through the bound method


def test_embedding_is_that_of_the_moved_rows():
    torch.manual_seed(0)
    model = Body(embed=True).eval()
    X, y = some(6, 4)[0], torch.arange(6) % 3
    z, e = model(X)
    aux = OrthogonalProjectionLoss()
    loss = Adversarial(SumLoss([(1.0, CrossEntropyLoss()), (1.0, aux)]), share=1.0)
    found = loss.value(LossContext(z, y, embedding=e, model=model, inputs=X))
    plain = loss.base.value(LossContext(z, y, embedding=e))
    assert found > plain
    model.embed = False
    with pytest.raises(InvalidParameterError, match="embedding"):
        loss.value(LossContext(z, y, embedding=e, model=model, inputs=X))


@pytest.mark.parametrize("given", [{"eps": 0.0}, {"share": 0.0}])
def test_no_move_is_the_loss_itself(given):
    model = linear(W)
    X, y = some(4)[0], torch.tensor([0, 1, 1, 0])
    batch = LossContext(model(X), y, model=model, inputs=X)
    found = Adversarial(FocalLoss(), **given).per_item(batch)
    assert_close(found, FocalLoss().per_item(batch), rtol=0, atol=0)


def test_worst_rows_and_the_worst_mix_of_them():
    model = linear(W)
    X, y = some(6)[0], torch.arange(6) % 2
    batch = LossContext(model(X), y, model=model, inputs=X)
    inner = Adversarial(CrossEntropyLoss(), share=1.0)
    loss = Reweighted(inner, KLDRO(0.5))
    losses = inner.per_item(batch)
    weights = functional.kl_dro_weights(losses, temperature=0.5)
    assert_close(loss.value(batch), (weights * losses).mean(), **EXACT)


def test_search_keeps_the_memory_of_the_loss():
    model = linear(W)
    X, y = some(6)[0], torch.arange(6) % 2
    stats = ClassStats(np.array([5.0, 5.0]), 10)
    loss = ready(Adversarial(ConfusionAwareLoss(momentum=0.5), share=1.0, steps=3), stats)
    batch = LossContext(model(X), y, model=model, inputs=X)
    once = ready(ConfusionAwareLoss(momentum=0.5), stats)
    moved = worst_inputs(batch, loss._at, eps=0.1, steps=3)
    loss.value(batch)
    once.value(batch.changed(logits=model(moved)))
    for name, value in once.state_dict().items():
        assert_close(loss.base.state_dict()[name], value)


def test_what_worst_rows_need():
    model = linear(W)
    X, y = some(4)[0], torch.tensor([0, 1, 1, 0])
    loss = Adversarial(CrossEntropyLoss(), columns=[0, 3])
    given = {"model": model, "inputs": X}
    with pytest.raises(InvalidParameterError, match="model= and inputs="):
        loss(model(X), y)
    with pytest.raises(InvalidParameterError, match="the 3 columns"):
        loss(model(X), y, **given)
    loss = Adversarial(CrossEntropyLoss())
    for bad in ({"Z": X}, X.long(), [X]):
        with pytest.raises(InvalidParameterError, match="under 'X'"):
            loss(model(X), y, model=model, inputs=bad)
    with pytest.raises(InvalidParameterError, match="hand gradients on"):
        loss(model(X), y, model=lambda X: model(X).detach(), inputs=X)


def test_halves_and_single_rows():
    model = nn.Linear(3, 2).to(torch.bfloat16)
    X = torch.ones(1, 3, dtype=torch.bfloat16)
    value = Adversarial(CrossEntropyLoss())(model(X), torch.tensor([1]), model=model, inputs=X)
    assert value.dtype == torch.float32
    value.backward()
    assert model.weight.grad.isfinite().all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DeferredLoss(CrossEntropyLoss(), KLDRO()), "then must be a loss"),
        (lambda: DeferredLoss("ce", CrossEntropyLoss()), "get_loss"),
        (lambda: DeferredLoss(CrossEntropyLoss(), FocalLoss(), start=-0.1), "start must be"),
        (lambda: SumLoss([]), "terms must be pairs"),
        (lambda: SumLoss([CrossEntropyLoss()]), "terms must be pairs"),
        (lambda: SumLoss([(CrossEntropyLoss(), 1.0)]), "coefficient must be"),
        (lambda: SumLoss([(1.0, nn.CrossEntropyLoss())]), "get_loss"),
        (lambda: SumLoss([(1.0, WeightedCoxLoss()), (1.0, FocalLoss())]), "in common"),
        (lambda: OneVsRest(ZLoss()), "two classes or several labels"),
        (lambda: OneVsRest(KLDRO()), "loss must be a loss"),
        (lambda: Adversarial(None), "base must be a loss"),
        (lambda: Adversarial(CrossEntropyLoss(), eps=-1), "eps must be"),
        (lambda: Adversarial(CrossEntropyLoss(), steps=0), "steps must be"),
        (lambda: Adversarial(CrossEntropyLoss(), steps=2.5), "whole number"),
        (lambda: Adversarial(CrossEntropyLoss(), norm="l1"), "norm must be"),
        (lambda: Adversarial(CrossEntropyLoss(), step=0), "step must be"),
        (lambda: Adversarial(CrossEntropyLoss(), share=2), "share must be"),
        (lambda: Adversarial(CrossEntropyLoss(), columns=["a"]), "positions of columns"),
    ],
)
def test_bad_parameters(make, said):
    with pytest.raises(InvalidParameterError, match=said):
        make()
