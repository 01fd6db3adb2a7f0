"""Shapes of the loss of single rows: focal, poly-1, comp-sum, LDR-KL, ALDR-KL, z-loss."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses import (
    ALDRKLLoss,
    BaseLoss,
    ClassStats,
    ClassWeight,
    CompSumLoss,
    CrossEntropyLoss,
    FocalLoss,
    LDRKLLoss,
    LossContext,
    Poly1Loss,
    Reweighted,
    ZLoss,
    functional,
    get_loss,
    loss_names,
)

Z = torch.tensor([[2, 1, -1], [0.5, 2.5, 0], [-1, 0, 3], [1, -0.5, 0.2]], dtype=torch.float64)
Y = torch.tensor([0, 1, 2, 1])
EXACT = {"atol": 1e-10, "rtol": 1e-10}
GOLDEN = [
    (FocalLoss(2.0), [0.030294, 0.006275, 0.000268, 1.512676]),
    (Poly1Loss(1.0), [0.643628, 0.375325, 0.129644, 2.880881]),
    (CompSumLoss(0.0), [0.417667, 0.217420, 0.068103, 6.495442]),
    (CompSumLoss(1.0), [0.349012, 0.196734, 0.065884, 2.014295]),
    (CompSumLoss(1.7), [0.309649, 0.183789, 0.064388, 1.079798]),
    (CompSumLoss(2.0), [0.294615, 0.178591, 0.063760, 0.866586]),
    (LDRKLLoss(1.0, 0.1), [-0.719085, -0.883270, -1.026045, 1.002905]),
    (LDRKLLoss(10.0, 0.1), [-1.194614, -1.378887, -2.126486, 0.821322]),
    (ALDRKLLoss(10.0, 2.0, 0.1, memory=False), [-1.194500, -1.378817, -2.126014, 0.821332]),
    (ZLoss(1.0, 1.0), [0.659220, 0.517553, 0.524015, 2.302061]),
]
ROWS = [loss for loss, _ in GOLDEN] + [
    FocalLoss(0.5),
    Poly1Loss(-1.0, 1.5),
    LDRKLLoss(0.01),
    LDRKLLoss(10.0, 0.1, "softplus_mean"),
    ALDRKLLoss(0.1, 1.05, memory=False, normalize="abs_mean"),
    ZLoss(10.0, 0.2),
]


def named(losses):
    return [pytest.param(loss, id=repr(loss)) for loss in losses]


def items(loss, z=Z, y=Y, **given):
    return loss.per_item(LossContext(z, y, **given))


def some(n=40, k=4, seed=0, spread=3.0):
    source = torch.Generator().manual_seed(seed)
    z = spread * torch.randn(n, k, generator=source, dtype=torch.float64)
    return z, torch.randint(k, (n,), generator=source)


def violations(z, y, c):
    d = z - z.gather(1, y[:, None]) + c
    d[torch.arange(len(y)), y] = 0.0
    return d


# Golden values ------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "wanted"), [pytest.param(*p, id=repr(p[0])) for p in GOLDEN])
def test_golden_values(loss, wanted):
    wanted = torch.tensor(wanted, dtype=torch.float64)
    assert_close(items(loss), wanted, atol=1e-6, rtol=0)
    assert_close(loss(Z, Y), wanted.mean(), atol=1e-6, rtol=0)


def test_golden_values_of_the_binary_focal_loss():
    s = torch.tensor([1.2, -0.7, 0.3, -2, 0.8, -0.1], dtype=torch.float64)
    t = torch.tensor([1, 0, 1, 0, 0, 0])
    wanted = [0.003527, 0.033293, 0.025098, 0.001353, 0.418140, 0.109054]
    for logits in (s, functional.columns_of(s)):
        given = items(FocalLoss(2.0, 0.25), logits, t)
        assert_close(given, torch.tensor(wanted, dtype=torch.float64), atol=1e-6, rtol=0)
    several = items(FocalLoss(2.0, 0.25), s.reshape(2, 3), t.reshape(2, 3))
    assert_close(several.flatten(), torch.tensor(wanted, dtype=torch.float64), atol=1e-6, rtol=0)


def test_golden_temperatures():
    start = torch.full((4,), 10.0, dtype=torch.float64)
    lam = functional.adapted_temperature(Z, Y, start, lam0=10.0, alpha=2.0, c=0.1, steps=5)
    wanted = torch.tensor([9.967692, 9.974670, 9.934017, 9.990287], dtype=torch.float64)
    assert_close(lam, wanted, atol=1e-6, rtol=0)


# What holds of all of them -------------------------------------------------------------------


@pytest.mark.parametrize("loss", named(ROWS))
def test_gradient(loss):
    z, y = some(3)
    assert torch.autograd.gradcheck(
        lambda z: items(_fixed(loss, z.detach(), y), z, y), z.requires_grad_()
    )


def _fixed(loss, z, y):
    """The loss with temperatures held, through which it lets no gradient flow."""
    if not isinstance(loss, ALDRKLLoss):
        return loss
    lam = loss._adapted(loss._scaled(LossContext(z, y)), y, z.new_full((len(z),), loss.lam0), 5)
    held = copy.copy(loss)
    held._adapted = lambda *_: lam
    return held


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
@pytest.mark.parametrize("loss", named([*ROWS, CompSumLoss(0.5), CompSumLoss(0.999)]))
def test_finite_for_any_logits(loss, size):
    z, y = some(30, spread=1.0)
    for scores in (z.sign() * size, z * size, torch.full_like(z, -size)):
        scores = scores.float().requires_grad_()
        value = items(loss, scores, y)
        assert value.isfinite().all()
        (slope,) = torch.autograd.grad(value.sum(), scores)
        assert slope.isfinite().all()
        assert slope.square().isfinite().all(), "an optimizer squares it"


@pytest.mark.parametrize("loss", named(ROWS))
def test_rows_stand_for_themselves(loss):
    z, y = some()
    whole = items(loss, z, y)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(1))
    assert_close(items(loss, z[order], y[order]), whole[order], **EXACT)
    assert_close(items(loss, z[:1], y[:1]), whole[:1], **EXACT)
    one_class = y == 2
    assert_close(items(loss, z[one_class], y[one_class]), whole[one_class], **EXACT)


@pytest.mark.parametrize("loss", named(ROWS))
def test_no_class_is_special(loss):
    z, y = some()
    moved = torch.tensor([2, 0, 3, 1])  # class k is called moved[k]
    assert_close(items(loss, z[:, moved.argsort()], moved[y]), items(loss, z, y), **EXACT)


@pytest.mark.parametrize("loss", named(ROWS))
def test_a_weight_of_two_is_the_row_twice(loss):
    z, y = some(6)
    weights = torch.tensor([2.0, 1, 1, 0, 1, 1], dtype=torch.float64)
    rows = [0, 0, 1, 2, 4, 5]
    assert_close(loss(z, y, sample_weight=weights), loss(z[rows], y[rows]), **EXACT)


@pytest.mark.parametrize("loss", named(ROWS))
def test_half_precision_is_computed_in_float32(loss):
    z, y = some(spread=1.0)
    half = z.bfloat16()
    assert_close(loss(half, y), loss(half.float(), y))
    assert items(loss, z.float(), y).dtype == torch.float32
    assert items(loss, z, y).dtype == torch.float64


@pytest.mark.parametrize("loss", named(ROWS))
def test_copies_are_the_same_loss(loss):
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert_close(items(other), items(loss), atol=0, rtol=0)
        other.load_state_dict(loss.state_dict())
    assert set(loss_names()) >= {loss.names[0]}
    assert repr(get_loss(loss.names[0])) == repr(type(loss)())


@pytest.mark.parametrize(
    "loss",
    named(
        [
            FocalLoss(2.0),
            Poly1Loss(1.0, 0.5),
            LDRKLLoss(c=0.0),
            LDRKLLoss(3.0),
            ALDRKLLoss(memory=False),
        ]
    )
    + named([CompSumLoss(tau) for tau in (0.0, 0.5, 1.0, 1.7, 2.0, 3.0)]),
)
def test_one_score_or_two_for_two_classes(loss):
    z, y = some(40, 2)
    assert_close(items(loss, z[:, 1] - z[:, 0], y), items(loss, z, y), **EXACT)


# Focal and poly-1 ----------------------------------------------------------------------------


def test_focal_of_power_0_is_cross_entropy():
    z, y = some()
    assert_close(items(FocalLoss(0.0), z, y), items(CrossEntropyLoss(), z, y), **EXACT)
    s, t = z[:, 0], y % 2
    assert_close(items(FocalLoss(0.0), s, t), functional.binary_cross_entropy(s, t), **EXACT)


def test_focal_against_its_formula():
    z, y = some()
    p = z.softmax(1).gather(1, y[:, None])[:, 0]
    assert_close(items(FocalLoss(1.5), z, y), -((1 - p) ** 1.5) * p.log(), **EXACT)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_poly1_adds_a_term_to_its_base(gamma):
    z, y = some()
    base = items(FocalLoss(gamma), z, y)
    assert_close(items(Poly1Loss(0.0, gamma), z, y), base, **EXACT)
    p = z.softmax(1).gather(1, y[:, None])[:, 0]
    added = 0.7 * (1 - p) ** (gamma + 1)
    assert_close(items(Poly1Loss(0.7, gamma), z, y), base + added, **EXACT)


# Comp-sum ------------------------------------------------------------------------------------


def test_comp_sum_of_the_sum_of_exponentials():
    z, y = some()
    lead = torch.exp(z - z.gather(1, y[:, None]))
    total = lead.sum(1) - 1
    assert_close(items(CompSumLoss(0.0), z, y), total, atol=1e-10, rtol=1e-10)
    for tau in (0.5, 1.7, 3.0):
        wanted = ((1 + total) ** (1 - tau) - 1) / (1 - tau)
        assert_close(items(CompSumLoss(tau), z, y), wanted, **EXACT)


def test_comp_sum_holds_the_usual_losses():
    z, y = some()
    p = z.softmax(1).gather(1, y[:, None])[:, 0]
    assert_close(items(CompSumLoss(1.0), z, y), items(CrossEntropyLoss(), z, y), **EXACT)
    assert_close(items(CompSumLoss(1.7), z, y), (1 - p**0.7) / 0.7, **EXACT)
    assert_close(items(CompSumLoss(2.0), z, y), 1 - p, **EXACT)


@pytest.mark.parametrize("away", [1e-6, -1e-6, 1e-9, 1e-13])
def test_comp_sum_is_continuous_at_cross_entropy(away):
    z, y = some()
    ce = items(CrossEntropyLoss(), z, y)
    # The next term of the series; where it is lost among the digits, nothing may be left.
    wanted = ce - away / 2 * ce**2
    assert_close(items(CompSumLoss(1 + away), z, y), wanted, atol=1e-9, rtol=1e-15)
    assert abs(away) < 1e-7 or (wanted - ce).abs().max() > 1e-6


def test_comp_sum_goes_on_straight_where_it_would_overflow():
    s = torch.tensor([39.0, 41.0, 42.0, 5000.0], dtype=torch.float64).requires_grad_()
    loss = items(CompSumLoss(0.0), s, torch.zeros(4, dtype=torch.int64))
    (slope,) = torch.autograd.grad(loss.sum(), s)
    assert_close(loss[0], s[0].exp().detach(), **EXACT)
    steep = torch.full((3,), math.exp(40.0), dtype=torch.float64)
    assert_close(slope[1:], steep, **EXACT)
    assert_close((loss[2] - loss[1]).detach(), steep[0], rtol=1e-9, atol=0)


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 1.7])
def test_scale_of_comp_sum_leads_to_probabilities(tau):
    shares = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    z = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    loss = CompSumLoss(tau)
    found = _least(lambda: (shares * items(loss, z.expand(3, 3), torch.arange(3))).sum(), z)
    assert_close((loss.scale * found).softmax(0), shares, atol=1e-5, rtol=0)


@pytest.mark.parametrize("lam", [0.5, 1.0, 10.0])
def test_scale_of_ldr_kl_leads_to_probabilities(lam):
    shares = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    z = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    loss = LDRKLLoss(lam, c=0.0)
    found = _least(lambda: (shares * items(loss, z.expand(3, 3), torch.arange(3))).sum(), z)
    assert_close((loss.scale * found).softmax(0), shares, atol=1e-5, rtol=0)


def _least(value, z):
    """Where a smooth function of three logits is least."""
    optimizer = torch.optim.LBFGS(
        [z],
        max_iter=300,
        tolerance_grad=1e-12,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def step():
        optimizer.zero_grad()
        loss = value()
        loss.backward()
        return loss

    optimizer.step(step)
    return z.detach()


def test_names_of_comp_sum():
    assert get_loss("gce").tau == 1.7
    assert get_loss("gce", tau=1.5).tau == 1.5
    assert get_loss("mae").tau == 2.0
    assert isinstance(get_loss("comp-sum", tau=0.5), CompSumLoss)
    assert {"gce", "mae", "comp_sum"} <= set(loss_names())


# LDR-KL --------------------------------------------------------------------------------------


def test_ldr_kl_is_cross_entropy_at_a_temperature():
    z, y = some()
    ce = items(CrossEntropyLoss(), z, y)
    assert_close(items(LDRKLLoss(1.0, 0.0), z, y), ce - math.log(4), **EXACT)
    for lam in (0.1, 10.0):
        wanted = lam * (items(CrossEntropyLoss(), z / lam, y) - math.log(4))
        assert_close(items(LDRKLLoss(lam, 0.0), z, y), wanted, **EXACT)


@pytest.mark.parametrize("c", [0.0, 0.1])
def test_ldr_kl_between_the_largest_violation_and_the_mean(c):
    z, y = some()
    d = violations(z, y, c)
    coldest = items(LDRKLLoss(1e-6, c), z, y)
    assert_close(coldest, d.amax(1), atol=1.4e-6, rtol=0)  # lam log K
    hot = functional.ldr_kl(z, y, lam=1e-11, c=c)
    assert_close(hot, d.amax(1), **EXACT)
    assert_close(items(LDRKLLoss(1e13, c), z, y), d.mean(1), **EXACT)


def test_ldr_kl_loses_no_digits_at_large_temperatures():
    z, y = some()
    for lam in (1e3, 1e6):
        exact = items(LDRKLLoss(lam), z, y)
        assert_close(items(LDRKLLoss(lam), z.float(), y).double(), exact, atol=1e-5, rtol=1e-5)


def test_ldr_kl_is_symmetric_at_large_temperatures():
    z, _ = some(5)
    every = torch.stack([items(LDRKLLoss(1e13, 0.0), z, torch.full((5,), k)) for k in range(4)])
    assert_close(every.sum(0), torch.zeros(5, dtype=torch.float64), **EXACT)


def test_ldr_kl_is_the_worst_mix():
    z, y = some(10)
    lam, c = 0.8, 0.1
    d = violations(z, y, c)

    def worth(q):
        return (q * d).sum(1) - lam * ((q * q.log()).sum(1) + math.log(4))

    best = (d / lam).softmax(1)
    value = items(LDRKLLoss(lam, c), z, y)
    assert_close(value, worth(best), **EXACT)
    source = torch.Generator().manual_seed(3)
    for _ in range(20):
        noise = torch.randn(best.shape, generator=source, dtype=torch.float64)
        other = (best.log() + 0.3 * noise).softmax(1)
        assert (worth(other) < value).all()


def test_rows_of_logits_at_one_size():
    z, _ = some(6)
    soft = torch.nn.functional.softplus(z)
    wanted = soft / soft.mean(1, keepdim=True)
    assert_close(functional.row_scaled(z, "softplus_mean"), wanted, **EXACT)
    wanted = z / z.abs().mean(1, keepdim=True)
    assert_close(functional.row_scaled(z, "abs_mean"), wanted, **EXACT)
    assert functional.row_scaled(z, None) is z
    # All of softplus(z) is 0 in float32, and the largest logit leads still.
    low = functional.row_scaled(torch.tensor([[-500.0, -501.0, -1e4]]), "softplus_mean")
    wanted = 3 * torch.tensor([[0.0, -1.0, -1e4]]).softmax(1)
    assert_close(low, wanted)


def test_ldr_kl_of_the_authors_is_bounded():
    z, y = some(50, spread=1e3)
    value = items(LDRKLLoss(10.0, 0.1, "softplus_mean"), z, y)
    assert value.abs().max() < 4.2  # entries from 0 to 4, margin 0.1
    d = violations(functional.row_scaled(z, "softplus_mean"), y, 0.1)
    wanted = 10 * (torch.logsumexp(d / 10, 1) - math.log(4))
    assert_close(value, wanted, **EXACT)


# ALDR-KL -------------------------------------------------------------------------------------


def at_fixed_point(z, y, lam0, alpha, c=0.1):
    start = z.new_full((len(z),), lam0)
    return functional.adapted_temperature(z, y, start, lam0=lam0, alpha=alpha, c=c, steps=500)


@pytest.mark.parametrize(("lam0", "alpha"), [(1.0, 2.0), (10.0, 2.0), (0.3, 3.0)])
def test_temperatures_are_where_the_loss_is_largest(lam0, alpha):
    z, y = some(10)
    lam = at_fixed_point(z, y, lam0, alpha).requires_grad_()
    assert (lam <= lam0).all()
    assert (lam >= lam0 * (1 - 1 / alpha) - 1e-12).all()
    value = functional.aldr_kl(z, y, lam, lam0=lam0, alpha=alpha)
    (slope,) = torch.autograd.grad(value.sum(), lam)
    assert_close(slope, torch.zeros_like(slope), **EXACT)
    for away in (0.97, 1.03):
        other = functional.aldr_kl(z, y, away * lam.detach(), lam0=lam0, alpha=alpha)
        assert (other < value).all()


def test_temperatures_carry_no_gradient():
    z, y = some(5)
    z.requires_grad_()
    lam = functional.adapted_temperature(z, y, z.new_ones(5), steps=2)
    assert not lam.requires_grad


def test_an_unclear_row_keeps_the_largest_temperature():
    z = torch.tensor([[0.0, 0, 0], [5, 0, 0]], dtype=torch.float64)
    lam = at_fixed_point(z, torch.tensor([0, 0]), 2.0, 2.0, c=0.0)
    assert_close(lam[0].item(), 2.0, **EXACT)
    assert lam[1] < 1.7


def test_aldr_kl_at_a_prohibitive_cost_is_ldr_kl():
    z, y = some()
    for lam0 in (0.5, 10.0):
        wanted = items(LDRKLLoss(lam0), z, y)
        given = items(ALDRKLLoss(lam0, 1e12, memory=False), z, y)
        assert_close(given, wanted, **EXACT)


def test_aldr_kl_without_memory_takes_five_steps():
    z, y = some(8)
    lam = functional.adapted_temperature(z, y, z.new_ones(8), steps=5)
    given = items(ALDRKLLoss(memory=False), z, y)
    assert_close(given, functional.aldr_kl(z, y, lam), **EXACT)
    assert ALDRKLLoss(4.0).scale == 0.25
    assert ALDRKLLoss(4.0, normalize="abs_mean").scale == 1.0


def test_aldr_kl_remembers_a_temperature_for_each_row():
    z, y = some(8)
    loss = ALDRKLLoss(2.0)
    assert loss.needs == {"index", "n_train", "memory"}
    with pytest.raises(InvalidParameterError, match="needs the position of each row"):
        loss(z, y)
    with pytest.raises(InvalidParameterError, match="call setup"):
        loss(z, y, index=torch.arange(8))
    loss.setup(ClassStats.from_labels(y.tolist() * 2, n_classes=4))
    assert_close(loss.lam, torch.full((16,), 2.0, dtype=torch.float64))
    index = torch.tensor([3, 1, 2, 0, 9, 11, 15, 14])
    kept = z.new_full((8,), 2.0)
    for _ in range(4):
        kept = functional.adapted_temperature(z, y, kept, lam0=2.0)
        wanted = functional.aldr_kl(z, y, kept, lam0=2.0)
        assert_close(items(loss, z, y, index=index), wanted, **EXACT)
        assert_close(loss.lam[index], kept, **EXACT)
    assert (loss.lam[[4, 5, 6, 7, 8, 10, 12, 13]] == 2.0).all()


def test_aldr_kl_changes_nothing_where_nothing_is_learned():
    z, y = some(8)
    loss = ALDRKLLoss(2.0)
    loss.setup(ClassStats.from_labels(y.numpy(), n_classes=4))
    index = torch.arange(8)
    items(loss, z, y, index=index)
    before = loss.lam.clone()
    given = items(loss, z, y, index=index, training=False)
    assert_close(given, items(ALDRKLLoss(2.0, memory=False), z, y), **EXACT)
    loss.eval()(z, y, index=index)
    assert torch.equal(loss.lam, before)


def test_memory_of_aldr_kl_is_saved_copied_and_forgotten():
    z, y = some(8)
    stats = ClassStats.from_labels(y.numpy(), n_classes=4)
    loss, other = ALDRKLLoss(2.0), ALDRKLLoss(2.0)
    loss.setup(stats)
    items(loss, z, y, index=torch.arange(8))
    other.setup(stats)
    other.load_state_dict(loss.state_dict())
    copies = [other, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    for each in copies:
        assert torch.equal(each.lam, loss.lam)
        items(each, z, y, index=torch.arange(8))
        assert not torch.equal(each.lam, loss.lam)
    loss.setup(stats)
    assert (loss.lam == 2.0).all()
    with pytest.raises(DataError, match="index must be from 0 to 7"):
        items(loss, z, y, index=torch.arange(1, 9))


# Z-loss --------------------------------------------------------------------------------------


def test_z_loss_against_its_formula():
    z, y = some()
    zeta = (z - z.mean(1, keepdim=True)) / z.std(1, correction=0, keepdim=True)
    assert_close(functional.z_scores(z), zeta, **EXACT)
    own = zeta.gather(1, y[:, None])[:, 0]
    for a, b in ((1.0, 1.0), (10.0, 0.2), (50.0, -1.0)):
        wanted = torch.log1p(torch.exp(a * (b - own))) / a
        assert_close(items(ZLoss(a, b), z, y), wanted, **EXACT)


def test_z_loss_knows_neither_scale_nor_shift():
    z, y = some()
    for c, d in ((1e-3, 5.0), (100.0, -7.0)):
        assert_close(items(ZLoss(), c * z + d, y), items(ZLoss(), z, y), **EXACT)


def test_gradient_of_z_loss_stands_across():
    z, y = some()
    z.requires_grad_()
    (slope,) = torch.autograd.grad(items(ZLoss(), z, y).sum(), z)
    nothing = torch.zeros(len(y), dtype=torch.float64)
    assert slope.abs().amax(1).min() > 1e-4
    assert_close(slope.sum(1), nothing, **EXACT)
    assert_close((slope * z).sum(1).detach(), nothing, **EXACT)


def test_z_scores_of_two_are_all_the_same_so_that_two_classes_are_refused():
    pair = functional.z_scores(torch.tensor([[0.3, 2.0], [5.0, -1.0]]))
    assert_close(pair, torch.tensor([[-1.0, 1.0], [1.0, -1.0]]))
    with pytest.raises(InvalidParameterError, match="three classes or more.*Got 2 classes"):
        ZLoss().setup(ClassStats.from_labels([0, 1]))
    for z in (torch.zeros(2), torch.zeros(2, 2)):
        with pytest.raises(InvalidParameterError, match="three classes or more"):
            ZLoss()(z, torch.tensor([0, 1]))


def test_largest_z_score():
    k = 9
    z = torch.zeros(1, k, dtype=torch.float64)
    z[0, 4] = 1.0
    assert_close(functional.z_scores(z)[0, 4].item(), math.sqrt(k - 1), **EXACT)


# Parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Poly1Loss(-1.1), "eps1 must be a finite number at least -1"),
        (lambda: Poly1Loss(gamma=-1), "gamma must be"),
        (lambda: CompSumLoss(-0.1), "tau must be"),
        (lambda: CompSumLoss("1"), "tau must be"),
        (lambda: LDRKLLoss(0.0), "lam must be a finite number at least 1e-06"),
        (lambda: LDRKLLoss(c=-1), "c must be"),
        (lambda: LDRKLLoss(normalize="softplus"), "Did you mean 'softplus_mean'"),
        (lambda: ALDRKLLoss(alpha=1.0), "alpha must be a finite number above 1"),
        (lambda: ALDRKLLoss(lam0=math.nan), "lam0 must be"),
        (lambda: ALDRKLLoss(memory="yes"), "memory must be"),
        (lambda: ZLoss(a=0.0), "a must be a finite number above 0"),
        (lambda: ZLoss(b=math.inf), "b must be"),
    ],
)
def test_parameters_are_checked(make, match):
    with pytest.raises(InvalidParameterError, match=match):
        make()


@pytest.mark.parametrize("cls", [Poly1Loss, CompSumLoss, LDRKLLoss, ALDRKLLoss, ZLoss])
def test_cards(cls):
    assert issubclass(cls, BaseLoss)
    for case in cls.card.cases:
        loss = cls(**case)
        assert {name: getattr(loss, name) for name in case} == dict(case)


def test_class_weights_multiply_them():
    stats = ClassStats(np.array([100.0, 10.0, 5.0]), 115)
    loss = Reweighted(CompSumLoss(), ClassWeight())
    loss.setup(stats)
    weights = torch.as_tensor(ClassWeight().class_factors(stats))
    assert_close(items(loss), weights[Y] * items(CompSumLoss()), **EXACT)
