"""Losses of cosines, of pairs of embeddings and of the confusion matrix."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch

from imbkit.exceptions import InvalidParameterError
from imbkit.losses import (
    ClassStats,
    ConfusionAwareLoss,
    LossContext,
    MultiSimilarityLoss,
    NormalizedSoftmaxLoss,
    OrthogonalProjectionLoss,
    SFaceLoss,
    UNPGLoss,
    functional,
    get_loss,
)

E4 = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]], dtype=torch.float64)
Y4 = torch.tensor([0, 0, 1, 1])
Z = torch.tensor([[2.0, 1, -1], [0.5, 2.5, 0], [-1, 0, 3], [1, -0.5, 0.2]], dtype=torch.float64)
Y = torch.tensor([0, 1, 2, 1])
COUNTS = ClassStats.from_labels([0] * 100 + [1] * 10 + [2] * 5)


def random_batch(n=12, k=3, d=5, seed=0):
    draw = torch.Generator().manual_seed(seed)
    e = torch.randn(n, d, generator=draw, dtype=torch.float64)
    w = torch.randn(k, d, generator=draw, dtype=torch.float64)
    y = torch.randint(k, (n,), generator=draw)
    y[:k] = torch.arange(k)
    return functional.cosines(e, w), e, y


def ready(loss):
    loss.setup(COUNTS)
    return loss


EVERY = [
    OrthogonalProjectionLoss(),
    OrthogonalProjectionLoss(gamma=2.0, absolute=False),
    NormalizedSoftmaxLoss(),
    NormalizedSoftmaxLoss("cosface"),
    NormalizedSoftmaxLoss("arcface", scale=64.0),
    SFaceLoss(),
    UNPGLoss(),
    UNPGLoss("arcface"),
    MultiSimilarityLoss(),
    MultiSimilarityLoss(epsilon=None),
    ConfusionAwareLoss(),
]
every = pytest.mark.parametrize("loss", EVERY, ids=repr)


# --- golden values and identities


def test_orthogonal_projection_golden_value():
    assert OrthogonalProjectionLoss()(E4, Y4, embedding=E4).item() == pytest.approx(0.2, abs=1e-6)


def test_orthogonal_projection_of_orthonormal_and_of_collapsed_classes():
    y = torch.tensor([0, 0, 1, 1, 2, 2])
    loss = OrthogonalProjectionLoss(gamma=0.7)
    assert loss(Z[:1].expand(6, 3), y, embedding=torch.eye(3)[y]).item() == 0.0
    one = torch.ones(6, 4, dtype=torch.float64)
    found = loss(Z[:1].expand(6, 3), y, embedding=one).item()
    assert found == pytest.approx(0.7, abs=1e-10)


def test_orthogonal_projection_does_not_see_lengths_and_takes_the_sign_as_asked():
    z, e, y = random_batch()
    loss = OrthogonalProjectionLoss()
    scaled = e * torch.linspace(0.1, 90, len(e), dtype=e.dtype)[:, None]
    assert loss(z, y, embedding=scaled).item() == pytest.approx(
        loss(z, y, embedding=e).item(), abs=1e-10
    )
    e, y = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), torch.tensor([0, 1])
    assert OrthogonalProjectionLoss(gamma=1.0)(e, y, embedding=e).item() == 1.0
    assert OrthogonalProjectionLoss(gamma=1.0, absolute=False)(e, y, embedding=e).item() == -1.0


def test_orthogonal_projection_without_pairs_of_a_kind():
    e = torch.tensor([[1.0, 0.0], [0.6, 0.8]], requires_grad=True)
    loss = OrthogonalProjectionLoss(gamma=1.0)
    assert loss(e, torch.tensor([0, 1]), embedding=e).item() == pytest.approx(0.6)
    assert loss(e, torch.tensor([1, 1]), embedding=e).item() == pytest.approx(0.4)
    assert loss(e[:1], torch.tensor([1]), embedding=e[:1]).item() == 0.0


def test_orthogonal_projection_by_hand():
    _, e, y = random_batch(7)
    f = (e / e.norm(dim=1, keepdim=True)).numpy()
    pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
    same = np.mean([f[i] @ f[j] for i, j in pairs if y[i] == y[j]])
    other = np.mean([f[i] @ f[j] for i, j in pairs if y[i] != y[j]])
    assert other < 0
    found = OrthogonalProjectionLoss(gamma=0.5)(e, y, embedding=e).item()
    assert found == pytest.approx(1 - same - 0.5 * other, abs=1e-10)
    found = OrthogonalProjectionLoss(gamma=0.5, absolute=False)(e, y, embedding=e).item()
    assert found == pytest.approx(1 - same + 0.5 * other, abs=1e-10)


@pytest.mark.parametrize("kind", ["cosface", "arcface"])
def test_no_margin_is_the_normalized_softmax(kind):
    z, _, y = random_batch()
    plain = NormalizedSoftmaxLoss()
    found = NormalizedSoftmaxLoss(kind, margin=0.0)(z, y)
    assert found.item() == pytest.approx(plain(z, y).item(), abs=1e-10)
    expected = torch.nn.functional.cross_entropy(20.0 * z, y)
    assert plain(z, y).item() == pytest.approx(expected.item(), abs=1e-10)


def test_margins_by_hand():
    c, y = torch.tensor([[0.3, -0.2]], dtype=torch.float64), torch.tensor([0])
    cosface = functional.cosine_margin(c, y, margin=0.35, kind="cosface")
    assert cosface[0].tolist() == pytest.approx([-0.05, -0.2], abs=1e-12)
    arcface = functional.cosine_margin(c, y, margin=0.5, kind="arcface")
    assert arcface[0].tolist() == pytest.approx([math.cos(math.acos(0.3) + 0.5), -0.2], abs=1e-12)
    default = NormalizedSoftmaxLoss("arcface", scale=1.0)(c, y)
    assert default.item() == pytest.approx(functional.cross_entropy(arcface, y).item(), abs=1e-12)


def test_an_angle_with_its_margin_falls_on_past_pi():
    # Evenly spaced angles: the cosine itself is steep at its ends.
    c = torch.linspace(3.14, 0.01, 400, dtype=torch.float64).cos()[:, None].expand(-1, 2)
    y = torch.zeros(400, dtype=torch.int64)
    moved = functional.cosine_margin(c, y, margin=1.0, kind="arcface")[:, 0]
    step = moved.diff()
    assert (step > 0).all()
    assert step.max() < 0.01  # no jump
    assert moved[0] < -1.4


def test_two_cosines_may_be_one_difference():
    s, y = torch.tensor([0.4, -0.7, 0.1], dtype=torch.float64), torch.tensor([1, 1, 0])
    two = torch.stack([torch.zeros_like(s), s], dim=1)
    for loss in (NormalizedSoftmaxLoss(), NormalizedSoftmaxLoss("cosface"), SFaceLoss()):
        assert loss(s, y).item() == pytest.approx(loss(two, y).item(), abs=1e-10)


def test_validation_has_no_margin():
    z, e, y = random_batch()
    for loss in (NormalizedSoftmaxLoss("cosface"), SFaceLoss(scale=20.0), UNPGLoss(scale=20.0)):
        found = loss(z, y, embedding=e, training=False)
        expected = NormalizedSoftmaxLoss()(z, y)
        assert found.item() == pytest.approx(expected.item(), abs=1e-10)


def test_sface_slopes_are_its_sigmoids():
    z, _, y = random_batch(6)
    z = z.detach().requires_grad_()
    loss = SFaceLoss(scale=3.0, slope=7.0, intra=0.9, inter=1.1)
    loss.per_item(LossContext(z, y)).sum().backward()
    angle = torch.acos(z.detach())
    expected = 3.0 * torch.sigmoid(-7.0 * (angle - 1.1))
    own = torch.arange(6), y
    expected[own] = -3.0 * torch.sigmoid(7.0 * (angle[own] - 0.9))
    assert torch.allclose(z.grad, expected, atol=1e-10, rtol=0)


def test_sface_pull_is_half_gone_at_its_angle():
    c = torch.tensor([[math.cos(0.8), math.cos(1.23)]], dtype=torch.float64, requires_grad=True)
    SFaceLoss(scale=1.0)(c, torch.tensor([0])).backward()
    assert c.grad[0].tolist() == pytest.approx([-0.5, 0.5], abs=1e-10)


@pytest.mark.parametrize("kind", ["none", "cosface", "arcface"])
def test_unpg_is_at_least_its_margin_loss_and_the_same_without_pairs(kind):
    for seed in range(5):
        z, e, y = random_batch(seed=seed)
        plain = NormalizedSoftmaxLoss(kind, scale=30.0)
        found = UNPGLoss(kind)(z, y, embedding=e)
        assert found.item() >= plain(z, y).item()
        alone = torch.ones_like(y)
        assert UNPGLoss(kind)(z, alone, embedding=e).item() == pytest.approx(
            plain(z, alone).item(), abs=1e-10
        )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("whisker", [0.0, 0.4])
def test_unpg_by_hand(seed, whisker):
    z, e, y = random_batch(9, seed=seed)
    f = (e / e.norm(dim=1, keepdim=True)).numpy()
    extra = np.array([f[i] @ f[j] for i in range(9) for j in range(i) if y[i] != y[j]])
    low, high = np.quantile(extra, [0.25, 0.75])
    reach = whisker * (high - low)
    inside = extra[(extra >= low - reach) & (extra <= high + reach)]
    assert 0 < len(inside) < len(extra)
    expected = []
    for c, own in zip(z.numpy(), y.tolist(), strict=True):
        c = c.copy()
        c[own] -= 0.35
        every = np.exp(30.0 * np.concatenate([c, inside]))
        expected.append(-math.log(every[own] / every.sum()))
    found = UNPGLoss(whisker=whisker)(z, y, embedding=e).item()
    assert found == pytest.approx(np.mean(expected), abs=1e-10)


def test_multi_similarity_golden_value():
    loss = MultiSimilarityLoss(alpha=2.0, beta=50.0, base=0.5, epsilon=None)
    assert loss(E4, Y4, embedding=E4).item() == pytest.approx(0.268811, abs=1e-6)


@pytest.mark.parametrize("epsilon", [None, 0.1, 0.0, 5.0])
def test_multi_similarity_by_hand(epsilon):
    _, e, y = random_batch(8)
    f = (e / e.norm(dim=1, keepdim=True)).numpy()
    total = 0.0
    for i in range(8):
        same = [f[i] @ f[j] for j in range(8) if j != i and y[j] == y[i]]
        other = [f[i] @ f[j] for j in range(8) if y[j] != y[i]]
        if epsilon is not None:
            pairs = same, other
            same = [c for c in pairs[0] if pairs[1] and c < max(pairs[1]) + epsilon]
            other = [c for c in pairs[1] if pairs[0] and c > min(pairs[0]) - epsilon]
        total += math.log(1 + sum(math.exp(-2 * (c - 0.4)) for c in same)) / 2
        total += math.log(1 + sum(math.exp(9 * (c - 0.4)) for c in other)) / 9
    loss = MultiSimilarityLoss(2.0, 9.0, 0.4, epsilon)
    assert loss(e, y, embedding=e).item() == pytest.approx(total / 8, abs=1e-10)


@pytest.mark.parametrize("epsilon", [None, 0.1])
def test_pair_weights_are_the_sizes_of_derivatives(epsilon):
    _, e, y = random_batch(8)
    loss = MultiSimilarityLoss(2.0, 9.0, 0.4, epsilon)
    weights = loss.pair_weights(e, y)
    # The same formula with cosines as free numbers, one anchor at a time.
    f = functional.unit_rows(e)
    s = (f @ f.T).requires_grad_()
    same = (y[:, None] == y) & ~torch.eye(8, dtype=torch.bool)
    other = y[:, None] != y
    if epsilon is not None:
        least = torch.where(same, s.detach(), 9.0).amin(1, keepdim=True)
        most = torch.where(other, s.detach(), -9.0).amax(1, keepdim=True)
        same = same & (s < most + epsilon)
        other = other & (s > least - epsilon)
    near = (same * torch.exp(-2 * (s - 0.4))).sum(1)
    far = (other * torch.exp(9 * (s - 0.4))).sum(1)
    value = torch.log1p(near) / 2 + torch.log1p(far) / 9
    value.sum().backward()
    assert torch.allclose(weights, s.grad.abs(), atol=1e-10, rtol=0)
    assert not weights.requires_grad
    assert value.mean().item() == pytest.approx(loss(e, y, embedding=e).item(), abs=1e-10)


def test_confusion_golden_value():
    loss = ready(ConfusionAwareLoss())
    assert loss(Z, Y).item() == pytest.approx(0.308210, abs=1e-6)


def test_confusion_columns_sum_to_less_than_one_and_vanish_when_perfect():
    z = torch.randn(200, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.arange(200) % 4
    m = functional.soft_confusion(10 * z, y)
    assert (m.sum(0) < 1).all()
    assert (m >= 0).all()
    assert m.diagonal().abs().max() == 0
    perfect = 100.0 * torch.nn.functional.one_hot(y, 4).double()
    loss = ConfusionAwareLoss()
    loss.setup(ClassStats.from_labels(y))
    assert loss(perfect, y).item() == pytest.approx(0.0, abs=1e-10)


def test_confusion_by_hand():
    m = np.zeros((3, 3))
    for j in range(3):
        rows = [i for i in range(4) if Y[i] == j]
        for i in rows:
            z = Z[i].numpy()
            p = np.exp(z / 2) / np.exp(z / 2).sum()
            for k in range(3):
                if k != j:
                    m[k, j] += p[k] / (1 + math.exp(z[j] - z[k])) / len(rows)
    found = functional.soft_confusion(Z, Y, temperature=2.0)
    assert np.allclose(found.numpy(), m, atol=1e-12)
    w = 1 / np.sqrt(np.array([100, 10, 5]) / 115 + 0.2)
    loss = ready(ConfusionAwareLoss(temperature=2.0))
    expected = np.linalg.norm(m * (w / w.mean()), 2)
    assert loss(Z, Y).item() == pytest.approx(expected, abs=1e-10)


def test_the_sigmoids_of_the_confusion_carry_no_slope():
    z = Z.clone().requires_grad_()
    functional.soft_confusion(z, Y)[2, 1].backward()
    rows, p = [1, 3], Z.softmax(1)
    beaten = torch.sigmoid(Z[rows, 2] - Z[rows, 1])
    expected = torch.zeros_like(Z)
    expected[rows] = -beaten[:, None] * p[rows, 2:] * p[rows] / 2
    expected[rows, 2] += beaten * p[rows, 2] / 2
    assert torch.allclose(z.grad, expected, atol=1e-12)


def test_confusion_runs_and_keeps_the_columns_of_absent_classes():
    loss = ready(ConfusionAwareLoss(momentum=0.8))
    loss(Z, Y)
    first = loss.confusion.clone()
    assert torch.allclose(first, functional.soft_confusion(Z, Y), atol=1e-12)
    later = -Z[:2]
    loss(later, Y[:2])
    own = functional.soft_confusion(later, Y[:2])
    assert torch.allclose(loss.confusion[:, :2], 0.8 * first[:, :2] + 0.2 * own[:, :2])
    assert torch.equal(loss.confusion[:, 2], first[:, 2])


def test_the_slope_of_the_confusion_carries_what_the_momentum_leaves():
    slopes = []
    for momentum in (0.0, 0.75):
        z = Z.clone().requires_grad_()
        ready(ConfusionAwareLoss(momentum=momentum))(z, Y).backward()
        slopes.append(z.grad)
    assert slopes[0].abs().max() > 0.01
    assert torch.allclose(slopes[1], 0.25 * slopes[0], atol=1e-12)


def test_confusion_is_forgotten_by_setup_and_left_alone_by_validation():
    loss = ready(ConfusionAwareLoss())
    loss(Z, Y)
    before = loss.confusion.clone()
    assert loss(-Z, Y, training=False).item() == pytest.approx(
        ready(ConfusionAwareLoss())(-Z, Y).item(), abs=1e-12
    )
    loss.eval()
    loss(-Z, Y)
    loss.per_item(LossContext(-Z, Y, training=False))
    assert torch.equal(loss.confusion, before)
    loss.setup(COUNTS)
    assert loss.confusion.abs().max() == 0
    assert loss.seen.abs().max() == 0


def test_confusion_travels():
    loss = ready(ConfusionAwareLoss())
    loss(Z, Y)
    other = ready(ConfusionAwareLoss())
    other.load_state_dict(loss.state_dict())
    copies = [other, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    expected = loss(-Z, Y).item()
    assert [each(-Z, Y).item() for each in copies] == [expected] * 3


def test_a_large_confusion_is_iterated_to_the_same_norm(monkeypatch):
    m = torch.rand(40, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    exact, slow = m.clone().requires_grad_(), m.clone().requires_grad_()
    functional.spectral_norm(exact).backward()
    monkeypatch.setattr("imbkit.losses.functional._confusion._SMALL", 8)
    found = functional.spectral_norm(slow)
    found.backward()
    assert found.item() == pytest.approx(torch.linalg.matrix_norm(m, 2).item(), abs=1e-10)
    assert torch.allclose(slow.grad, exact.grad, atol=1e-8)
    assert functional.spectral_norm(torch.zeros(9, 9)).item() == 0
    assert math.isnan(functional.spectral_norm(torch.full((3, 3), math.nan)).item())


# --- what every loss must stand


@every
def test_rows_may_come_in_any_order(loss):
    z, e, y = random_batch(20)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(3))
    one = ready(loss)(z, y, embedding=e)
    two = ready(loss)(z[order], y[order], embedding=e[order])
    assert one.item() == pytest.approx(two.item(), abs=1e-10)


@every
@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_value_and_slope_are_finite(loss, size):
    z, e, y = random_batch(8)
    z, e = (size * z).float().requires_grad_(), (size * e).float().requires_grad_()
    value = ready(loss)(z, y, embedding=e)
    value.backward()
    assert torch.isfinite(value)
    for grad in (z.grad, e.grad):
        assert grad is None or torch.isfinite(grad).all()


@every
@pytest.mark.parametrize("c", [1.0, -1.0])
def test_value_and_slope_are_finite_at_the_ends_of_the_cosine(loss, c):
    z = torch.full((4, 3), c, requires_grad=True)
    e = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])[[0, 1, 0, 0]].requires_grad_()
    value = ready(loss)(z, torch.tensor([0, 1, 0, 2]), embedding=e)
    value.backward()
    assert torch.isfinite(value)
    for grad in (z.grad, e.grad):
        assert grad is None or torch.isfinite(grad).all()


@every
@pytest.mark.parametrize("y", [[0], [1, 1, 1], [0, 2]], ids=str)
def test_small_batches_and_absent_classes(loss, y):
    z, e, _ = random_batch(len(y) + 3)
    z = z[: len(y)].clone().requires_grad_()
    e = e[: len(y)].clone().requires_grad_()
    value = ready(loss)(z, torch.tensor(y), embedding=e)
    value.backward()
    assert torch.isfinite(value)
    for grad in (z.grad, e.grad):
        assert grad is None or torch.isfinite(grad).all()


@every
def test_a_row_of_weight_zero_is_not_there(loss):
    z, e, y = random_batch(10)
    z, e = z.requires_grad_(), e.requires_grad_()
    v = torch.ones(10, dtype=torch.float64)
    v[[2, 7]] = 0.0
    kept = v > 0
    value = ready(loss)(z, y, embedding=e, sample_weight=v)
    without = ready(loss)(z[kept], y[kept], embedding=e[kept])
    assert value.item() == pytest.approx(without.item(), abs=1e-10)
    v[:] = 0.0
    nothing = ready(loss)(z, y, embedding=e, sample_weight=v)
    assert nothing.item() == 0.0


@pytest.mark.parametrize("loss", [each for each in EVERY if each.level == "sample"], ids=repr)
def test_a_doubled_weight_is_a_repeated_row(loss):
    z, _, y = random_batch(6)
    v = torch.tensor([1.0, 2, 1, 1, 1, 1], dtype=torch.float64)
    twice = torch.tensor([0, 1, 1, 2, 3, 4, 5])
    found = loss(z, y, sample_weight=v)
    assert found.item() == pytest.approx(loss(z[twice], y[twice]).item(), abs=1e-10)


@every
def test_half_precision_is_computed_in_float32(loss):
    z, e, y = random_batch(8)
    z, e = z.bfloat16(), e.bfloat16()
    half = ready(loss)(z, y, embedding=e)
    assert half.dtype == torch.float32
    assert half.item() == ready(loss)(z.float(), y, embedding=e.float()).item()


@pytest.mark.parametrize(
    "loss",
    [each for each in EVERY if not isinstance(each, SFaceLoss | ConfusionAwareLoss)],
    ids=repr,
)
def test_slopes_are_those_of_the_value(loss):
    z, e, y = random_batch(5, d=4, seed=2)
    z, e = z.requires_grad_(), e.requires_grad_()
    assert torch.autograd.gradcheck(lambda z, e: loss(z, y, embedding=e), (z, e))


@every
def test_copies_give_the_same(loss):
    z, e, y = random_batch(8)
    expected = ready(loss)(z, y, embedding=e).item()
    for other in (copy.deepcopy(ready(loss)), pickle.loads(pickle.dumps(ready(loss)))):
        assert other(z, y, embedding=e).item() == expected


@pytest.mark.parametrize("name", ["orthogonal_projection", "unpg", "multi_similarity"])
def test_an_embedding_is_asked_for(name):
    with pytest.raises(InvalidParameterError, match="embedding"):
        get_loss(name)(E4, Y4)


def test_counts_are_asked_for():
    with pytest.raises(InvalidParameterError, match="setup"):
        ConfusionAwareLoss()(Z, Y)


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (OrthogonalProjectionLoss, {"gamma": -1.0}),
        (OrthogonalProjectionLoss, {"absolute": "yes"}),
        (NormalizedSoftmaxLoss, {"margin_kind": "cosine"}),
        (NormalizedSoftmaxLoss, {"margin_kind": "arcface", "margin": 4.0}),
        (NormalizedSoftmaxLoss, {"scale": 0.0}),
        (SFaceLoss, {"slope": 0.0}),
        (SFaceLoss, {"intra": 4.0}),
        (UNPGLoss, {"whisker": -0.1}),
        (MultiSimilarityLoss, {"alpha": 0.0}),
        (MultiSimilarityLoss, {"base": 2.0}),
        (ConfusionAwareLoss, {"momentum": 1.0}),
        (ConfusionAwareLoss, {"offset": 0.0}),
    ],
)
def test_bad_parameters_are_refused(cls, params):
    with pytest.raises(InvalidParameterError, match=next(reversed(params))):
        cls(**params)
