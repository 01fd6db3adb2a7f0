"""Losses of several labels a row: identities, golden values and labels that are missing."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses import (
    AsymmetricLoss,
    ClassStats,
    ClassWeight,
    DecoupledSoftmaxLoss,
    FocalLoss,
    HybridMultilabelLoss,
    LabelClassBalancedLoss,
    LossContext,
    MultiFocalLoss,
    PUMultilabelLoss,
    Reweighted,
    SoftTopKLoss,
    functional,
    get_loss,
)

X = torch.tensor([[1, -2, 0.5], [-1, 0.3, -3], [2, -0.4, -1]], dtype=torch.float64)
Y = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 0]])
E = torch.tensor([[1.0, 0.2], [0.3, -1.0], [0.5, 0.5]], dtype=torch.float64)
TRAINING = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 0, 1], [1, 0, 0]])
TIGHT = {"atol": 1e-10, "rtol": 0}

MAKERS = {
    "asl": AsymmetricLoss,
    "asl-focus": lambda: AsymmetricLoss(gamma_pos=1.0, gamma_neg=2.0, margin=0.0),
    "mfm": MultiFocalLoss,
    "label_class_balanced": LabelClassBalancedLoss,
    "hybrid_multilabel": HybridMultilabelLoss,
    "pu_mlc": PUMultilabelLoss,
    "decoupled_softmax": lambda: DecoupledSoftmaxLoss(temperature=1.0),
    "soft_top_k": lambda: SoftTopKLoss(k=1),
    "soft_top_k-none": lambda: SoftTopKLoss(k=None),
}
BINARY = ["asl", "asl-focus", "mfm", "label_class_balanced", "hybrid_multilabel", "pu_mlc"]
WEIGHTED = [name for name in MAKERS if name != "hybrid_multilabel"]


def made(name, labels=TRAINING):
    loss = MAKERS[name]()
    loss.setup(ClassStats.from_labels(labels))
    return loss


def value(loss, z, y, **more):
    if "embedding" in loss.needs:
        more.setdefault("embedding", E.to(z)[: len(z)])
    return loss(z, y, **more)


def drawn(n=12, c=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    z = 2 * torch.randn(n, c, generator=generator, dtype=torch.float64)
    y = (torch.rand(n, c, generator=generator) < 0.4).long()
    return z, y


# --- what every one of them answers ---------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_values_and_gradients_are_finite(name, size):
    loss = made(name)
    signs = torch.tensor([[1, -1, 1], [-1, -1, 1], [1, 1, 1], [-1, 1, -1]], dtype=torch.float32)
    z = (size * signs).requires_grad_()
    y = torch.tensor([[0, 1, 1], [0, 0, 0], [1, 1, 1], [-1, 0, 1]])
    found = value(loss, z, y, embedding=torch.eye(4))
    (gradient,) = torch.autograd.grad(found, z)
    assert torch.isfinite(found)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("labels", [[[1, 0, 0]], [[0, 0, 0]], [[1, 1, 1]], [[-1, -1, -1]]])
def test_a_batch_of_one_row(name, labels):
    z = torch.tensor([[0.5, -1.0, 2.0]], requires_grad=True)
    found = value(made(name), z, torch.tensor(labels))
    found.backward()
    assert torch.isfinite(found)
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("missing", [-1.0, float("nan")])
def test_labels_that_are_missing_have_no_gradient(name, missing):
    z, y = X.clone().requires_grad_(), Y.double()
    y[1, 2] = y[0, 1] = missing
    value(made(name), z, y).backward()
    if name == "pu_mlc":  # to which they are unlabelled, as zeros are
        other = X.clone().requires_grad_()
        value(made(name), other, Y).backward()
        torch.testing.assert_close(z.grad, other.grad, **TIGHT)
    else:
        assert z.grad[1, 2] == z.grad[0, 1] == 0
        assert (z.grad != 0).any()


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "pu_mlc"])
def test_all_labels_missing(name):
    z = X.clone().requires_grad_()
    found = value(made(name), z, torch.full((3, 3), float("nan")))
    found.backward()
    assert found == 0
    assert (z.grad == 0).all()


@pytest.mark.parametrize("name", MAKERS)
def test_order_of_rows_and_of_labels(name):
    rows, columns = torch.tensor([2, 0, 1]), torch.tensor([1, 2, 0])
    y = Y.clone()
    y[0, 1] = -1
    expected = value(made(name), X, y)
    found = value(made(name), X[rows], y[rows], embedding=E[rows])
    torch.testing.assert_close(found, expected, **TIGHT)
    moved = made(name, TRAINING[:, columns.numpy()])
    torch.testing.assert_close(value(moved, X[:, columns], y[:, columns]), expected, **TIGHT)


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_weight_of_two_is_the_row_twice(name):
    rows, loss = torch.tensor([0, 0, 1, 2]), made(name)
    weighted = loss(X, Y, sample_weight=torch.tensor([2, 1, 1]))
    torch.testing.assert_close(weighted, loss(X[rows], Y[rows]), **TIGHT)


@pytest.mark.parametrize("name", MAKERS)
def test_weights_of_zero(name):
    loss = made(name)
    found = value(loss, X, Y, sample_weight=torch.zeros(3))
    assert torch.isfinite(found)


@pytest.mark.parametrize("name", MAKERS)
def test_setup_forgets_and_state_travels(name):
    loss, fresh = made(name), made(name)
    loss.setup(ClassStats.from_labels(np.eye(3, dtype=int)))
    loss.setup(ClassStats.from_labels(TRAINING))
    expected = value(fresh, X, Y)
    before = {key: each.clone() for key, each in loss.state_dict().items()}
    assert before.keys() == fresh.state_dict().keys()
    for each in (loss, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        torch.testing.assert_close(value(each, X, Y), expected, **TIGHT)
    other = made(name, np.eye(3, dtype=int))
    other.load_state_dict(fresh.state_dict())
    torch.testing.assert_close(value(other, X, Y), expected, **TIGHT)
    state = torch.random.get_rng_state()
    value(loss, X, Y, training=False)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(before[key], each) for key, each in loss.state_dict().items())


@pytest.mark.parametrize("name", MAKERS)
def test_half_precision_is_computed_in_float32(name):
    z = X.bfloat16()
    found = value(made(name), z, Y)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, value(made(name), z.float(), Y))


@pytest.mark.parametrize("name", BINARY)
def test_two_classes_are_one_label(name):
    y = torch.tensor([0, 1, 1])
    loss = made(name, np.array([0, 0, 0, 1, 1]))
    one = value(loss, X[:, 0], y)
    torch.testing.assert_close(
        value(loss, torch.stack([0.7 - X[:, 0], X[:, 0] * 0 + 0.7], 1), y), one
    )
    columns = made(name, np.array([[0], [0], [0], [1], [1]]))
    torch.testing.assert_close(value(columns, X[:, :1], y[:, None]), one, **TIGHT)


@pytest.mark.parametrize("name", MAKERS)
def test_shapes_that_do_not_fit_are_refused(name):
    with pytest.raises(DataError, match="must have a label"):
        value(made(name), X, torch.tensor([0, 1, 2]))
    with pytest.raises(DataError, match="must have a label"):
        value(made(name), X, Y[:, :2])


@pytest.mark.parametrize("name", ["mfm", "label_class_balanced", "hybrid_multilabel"])
def test_other_labels_than_counted_are_refused(name):
    with pytest.raises(DataError, match=r"set up for 3 label\(s\)\. Got 2"):
        value(made(name), X[:, :2], Y[:, :2])
    with pytest.raises(InvalidParameterError, match="labels of 0 and 1"):
        MAKERS[name]().setup(ClassStats.from_labels([0, 1, 2]))
    with pytest.raises(InvalidParameterError, match="setup"):
        value(MAKERS[name](), X, Y)


@pytest.mark.parametrize("name", MAKERS)
def test_counts_of_zero_and_of_all(name):
    labels = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 0]])
    assert torch.isfinite(value(made(name, labels), X, Y))


@pytest.mark.parametrize(
    ("loss", "wrong"),
    [
        (AsymmetricLoss, {"gamma_pos": -1}),
        (AsymmetricLoss, {"gamma_neg": float("nan")}),
        (AsymmetricLoss, {"margin": 1.5}),
        (AsymmetricLoss, {"label_smoothing": -0.1}),
        (AsymmetricLoss, {"softmax": "yes"}),
        (AsymmetricLoss, {"detach_focus": None}),
        (MultiFocalLoss, {"power": -1}),
        (LabelClassBalancedLoss, {"beta": 1.0}),
        (LabelClassBalancedLoss, {"beta": 0}),
        (LabelClassBalancedLoss, {"own": 2}),
        (LabelClassBalancedLoss, {"penalty": -1}),
        (HybridMultilabelLoss, {"correlation": -1}),
        (HybridMultilabelLoss, {"temperature": 0}),
        (PUMultilabelLoss, {"spread": 0}),
        (PUMultilabelLoss, {"gamma": "much"}),
        (DecoupledSoftmaxLoss, {"temperature": 0}),
        (SoftTopKLoss, {"k": 0}),
        (SoftTopKLoss, {"k": 1.5}),
        (SoftTopKLoss, {"k": True}),
        (SoftTopKLoss, {"sharpness": 0}),
    ],
)
def test_wrong_parameters_are_refused(loss, wrong):
    with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
        loss(**wrong)


def test_names():
    kinds = {
        "asl": AsymmetricLoss,
        "mfm": MultiFocalLoss,
        "label-class-balanced": LabelClassBalancedLoss,
        "hybrid_multilabel": HybridMultilabelLoss,
        "pu-mlc": PUMultilabelLoss,
        "decoupled_softmax": DecoupledSoftmaxLoss,
        "soft_top_k": SoftTopKLoss,
    }
    assert all(type(get_loss(name)) is kind for name, kind in kinds.items())


# --- asymmetric loss ------------------------------------------------------------------------


def test_asymmetric_golden():
    torch.testing.assert_close(AsymmetricLoss()(X, Y).item(), 0.492117, atol=1e-6, rtol=0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_asymmetric_without_asymmetry(gamma):
    z, y = drawn()
    loss = AsymmetricLoss(gamma_pos=gamma, gamma_neg=gamma, margin=0.0)
    found = loss.per_item(LossContext(z, y))
    torch.testing.assert_close(found, functional.binary_focal(z, y, gamma=gamma), **TIGHT)
    torch.testing.assert_close(loss(z, y), FocalLoss(gamma=gamma)(z, y), **TIGHT)
    if gamma == 0:
        plain = binary_cross_entropy_with_logits(z, y.double(), reduction="none")
        torch.testing.assert_close(found, plain, **TIGHT)


def test_asymmetric_formula():
    z, y = drawn()
    p = torch.sigmoid(z)
    q = (p - 0.1).clamp_min(0)
    expected = torch.where(y == 1, -((1 - p) ** 1.5) * p.log(), -(q**3.0) * torch.log1p(-q))
    found = functional.asymmetric(z, y, gamma_pos=1.5, gamma_neg=3.0, margin=0.1)
    torch.testing.assert_close(found, expected, **TIGHT)
    each = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    found = functional.asymmetric(z, y, gamma_neg=each, margin=0.1)
    torch.testing.assert_close(found[y == 0], (-(q**each) * torch.log1p(-q))[y == 0], **TIGHT)


def test_zeros_below_the_margin_cost_nothing():
    z = torch.tensor([0.0, -1.0, 0.1], requires_grad=True)  # the first lies at the margin
    items = functional.asymmetric(z, torch.zeros(3), gamma_neg=0.5, margin=0.5)
    items.sum().backward()
    assert items[:2].tolist() == [0, 0]
    assert z.grad[:2].tolist() == [0, 0]
    assert items[2] > 0
    assert z.grad[2] > 0


def test_a_detached_focus_is_a_weight():
    z, y = drawn()
    p = torch.sigmoid(z)
    found = z.clone().requires_grad_()
    options = {"gamma_pos": 1.0, "gamma_neg": 2.0, "margin": 0.0}
    functional.asymmetric(found, y, detach_focus=True, **options).sum().backward()
    focus = torch.where(y == 1, 1 - p, p**2)
    torch.testing.assert_close(found.grad, focus * (p - y), **TIGHT)
    whole = z.clone().requires_grad_()
    functional.asymmetric(whole, y, **options).sum().backward()
    assert not torch.allclose(whole.grad, found.grad)


def test_a_tiny_margin_in_float32():
    z = torch.tensor([50.0, 1e4], requires_grad=True)
    items = functional.asymmetric(z, torch.zeros(2), margin=1e-12)
    items.sum().backward()
    torch.testing.assert_close(items, torch.full((2,), -math.log(1e-12)))
    assert torch.isfinite(z.grad).all()


def test_asymmetric_softmax_limits():
    z, y = drawn()[0], torch.tensor([0, 1, 2, 3] * 3)
    cross_entropy = torch.nn.functional.cross_entropy
    hard = AsymmetricLoss(softmax=True, label_smoothing=0.0)
    torch.testing.assert_close(hard(z, y), cross_entropy(z, y), **TIGHT)
    smooth = AsymmetricLoss(softmax=True, gamma_neg=0.0, label_smoothing=0.3)
    expected = cross_entropy(z, y, label_smoothing=0.3)
    torch.testing.assert_close(smooth(z, y), expected, **TIGHT)
    assert hard.link == "softmax"
    assert hard.tasks == {"binary", "multiclass"}


def test_asymmetric_softmax_formula():
    z, y = drawn()[0], torch.tensor([0, 1, 2, 3] * 3)
    p = z.softmax(1)
    own = torch.nn.functional.one_hot(y, 4).double()
    mass = 0.9 * own + 0.1 / 4
    focus = torch.where(own == 1, (1 - p) ** 1.5, p**4)
    found = functional.asymmetric_softmax(z, y, gamma_pos=1.5)
    torch.testing.assert_close(found, -(mass * focus * p.log()).sum(1), **TIGHT)
    order = torch.tensor([2, 0, 3, 1])
    moved = functional.asymmetric_softmax(z[:, order], order.argsort()[y], gamma_pos=1.5)
    torch.testing.assert_close(moved, found, **TIGHT)


def test_asymmetric_softmax_of_one_score_a_row():
    loss, s, y = AsymmetricLoss(gamma_pos=1.0, softmax=True), X[:, 0], torch.tensor([0, 1, 1])
    two = torch.stack([torch.zeros_like(s), s], 1)
    torch.testing.assert_close(loss(s, y), loss(two, y), **TIGHT)


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_asymmetric_softmax_is_finite(size):
    z = (size * torch.tensor([[1.0, -1.0, 0.5], [-1.0, 1.0, 1.0]])).requires_grad_()
    loss = AsymmetricLoss(gamma_pos=0.5, softmax=True)(z, torch.tensor([0, 0]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("seed", range(3))
def test_gradients_of_single_labels(seed):
    z, y = drawn(3, 4, seed)
    y[0, 0] = -1
    z.requires_grad_()
    w = torch.tensor([[0.2] * 4, [0.8] * 4], dtype=torch.float64)
    rows = torch.tensor([0, 3, 1])
    for f in (
        lambda z: functional.asymmetric(z, y, gamma_pos=0.5, gamma_neg=1.5),
        lambda z: functional.asymmetric(z, y, gamma_pos=1.0, gamma_neg=2.0, margin=0.0),
        lambda z: functional.asymmetric_softmax(z, rows, gamma_pos=0.5),
        lambda z: functional.label_class_balanced(z, y, w),
        lambda z: functional.decoupled_softmax(z, y),
    ):
        assert gradcheck(f, (z,))


# --- multi-focal modifier -------------------------------------------------------------------


def test_equal_counts_are_the_asymmetric_loss_with_one_more():
    equal = MultiFocalLoss()
    equal.setup(ClassStats.from_labels(np.eye(3, dtype=int)))
    torch.testing.assert_close(equal(X, Y), AsymmetricLoss(gamma_neg=5.0)(X, Y), **TIGHT)
    flat = MultiFocalLoss(gamma_neg=3.0, power=0.0, margin=0.2)
    flat.setup(ClassStats.from_labels(TRAINING))
    expected = AsymmetricLoss(gamma_neg=4.0, margin=0.2)(X, Y)
    torch.testing.assert_close(flat(X, Y), expected, **TIGHT)


def test_weights_of_rare_labels():
    loss = made("mfm")  # 5, 2 and 3 rows
    v = (1 - np.log(np.array([5, 2, 3]) / 5)) ** (1 / 6)
    np.testing.assert_allclose(loss.factors, v, rtol=1e-12)
    p = torch.sigmoid(X)
    q, v = (p - 0.05).clamp_min(0), torch.as_tensor(v)
    expected = torch.where(Y == 1, -p.log(), -(q ** (4 + v)) * torch.log1p(-q)) * v
    torch.testing.assert_close(loss.per_item(LossContext(X, Y)), expected, **TIGHT)


# --- class-balanced labels ------------------------------------------------------------------


def test_balanced_labels_weigh_a_half():
    loss = LabelClassBalancedLoss(own=1.0)
    loss.setup(ClassStats.from_labels([[1, 0], [0, 1]]))
    np.testing.assert_allclose(loss.weights(7, 10), np.full((2, 2), 0.5), atol=1e-12)


def test_weights_of_labels_by_hand():
    labels = np.zeros((100, 2), dtype=int)
    labels[:30, 0] = labels[:1, 1] = 1
    loss = LabelClassBalancedLoss()
    loss.setup(ClassStats.from_labels(labels))
    own = np.array([[700.0, 990.0], [300.0, 10.0]])
    pooled = np.array([[845.0], [155.0]])
    for epoch, v in ((0, 0.0), (5, 0.15), (10, 0.3), (99, 0.3)):
        counts = np.maximum(v * own + (1 - v) * pooled, 20)
        counts *= 1000 / counts.sum(axis=0)
        w = (1 - 0.9999) / (1 - 0.9999**counts)
        np.testing.assert_allclose(loss.weights(epoch, 11), w / w.sum(axis=0), rtol=1e-9)
    only = LabelClassBalancedLoss(own=1.0)
    only.setup(ClassStats.from_labels(labels))
    floor = 1000 * 20 / 1010  # of 10 ones in 1000, 20 are made
    w = 1 / (1 - 0.9999 ** np.array([1000 - floor, floor]))
    np.testing.assert_allclose(only.weights(4, 5)[:, 1], w / w.sum(), rtol=1e-9)


def test_class_balanced_labels_value():
    loss = made("label_class_balanced")
    w, p = loss.weights(3, 9), torch.sigmoid(X)
    expected = torch.where(Y == 1, -w[1] * p.log(), -w[0] * (1 - p).log() + 0.5 * p)
    found = loss.per_item(LossContext(X, Y, epoch=3, max_epochs=9))
    torch.testing.assert_close(found, expected, **TIGHT)
    assert loss(X, Y, epoch=3, max_epochs=9) != loss(X, Y, epoch=8, max_epochs=9)
    plain = binary_cross_entropy_with_logits(X, Y.double()) * 3
    torch.testing.assert_close(loss(X, Y, training=False), plain, **TIGHT)


def test_class_balanced_labels_change_the_prior_of_two_classes():
    stats = ClassStats.from_labels([0] * 90 + [1] * 10)
    loss = LabelClassBalancedLoss(penalty=0.0)
    loss.setup(stats)
    w = loss.weights(0, 1)[:, 0].numpy()
    expected = w * [0.9, 0.1] / (w * [0.9, 0.1]).sum()
    np.testing.assert_allclose(loss.induced_prior(stats), expected, rtol=1e-12)
    # The score that is best for rows that are all alike says the same.
    s = torch.tensor(math.log(expected[1] / expected[0]), dtype=torch.float64).expand(100).clone()
    s.requires_grad_()
    loss(s, torch.tensor([0] * 90 + [1] * 10)).backward()
    assert abs(s.grad.sum()) < 1e-12


# --- hybrid ---------------------------------------------------------------------------------


def test_hybrid_without_its_terms_is_weighted_cross_entropy():
    loss = HybridMultilabelLoss(correlation=0.0, contrast=0.0)
    assert loss.needs == {"counts"}
    loss.setup(ClassStats.from_labels(TRAINING))
    w = torch.tensor([1 / 5, 1 / 2, 1 / 3], dtype=torch.float64)
    items = binary_cross_entropy_with_logits(X, Y.double(), reduction="none") * w / w.mean()
    torch.testing.assert_close(loss(X, Y), items.sum(1).mean(), **TIGHT)


def test_affinities_are_positive_correlations():
    found = made("hybrid_multilabel").affinity.numpy()
    phi = np.corrcoef(TRAINING.T)
    np.fill_diagonal(phi, 0)
    assert (phi < 0).any()
    np.testing.assert_allclose(found, np.maximum(phi, 0), atol=1e-12)
    constant = made("hybrid_multilabel", np.array([[1, 0, 1], [1, 0, 0], [1, 0, 1]]))
    assert (constant.affinity == 0).all()


@pytest.mark.parametrize("missing", [False, True])
def test_correlation_by_brute_force(missing):
    z, y = drawn()
    if missing:
        y[::3, 1] = -1
    generator = torch.Generator().manual_seed(1)
    r = torch.rand(4, 4, generator=generator, dtype=torch.float64)
    r = (r + r.T).fill_diagonal_(0)
    p = torch.sigmoid(z)
    expected, total = torch.zeros(12, dtype=torch.float64), 0
    for c, d in itertools.combinations(range(4), 2):
        known = (y[:, c] >= 0) & (y[:, d] >= 0)
        expected += torch.where(known, r[c, d] * (p[:, c] - p[:, d]) ** 2, 0.0)
        total += r[c, d]
    found = functional.label_correlation(z, y, r)
    torch.testing.assert_close(found, expected / total, **TIGHT)
    assert (functional.label_correlation(z, y, 0 * r) == 0).all()
    assert gradcheck(lambda z: functional.label_correlation(z, y[:3], r), z[:3].requires_grad_())


@pytest.mark.parametrize("missing", [False, True])
def test_contrast_by_brute_force(missing):
    e, y = drawn()
    y[0] = 0  # alone
    if missing:
        y[5, 1] = y[6, 0] = y[7, 2] = -1
    n, unit = len(e), e / e.norm(dim=1, keepdim=True)
    expected = torch.zeros(n, dtype=torch.float64)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        index = []
        for j in others:
            known = (y[i] >= 0) & (y[j] >= 0)
            either = ((y[i] == 1) | (y[j] == 1)) & known
            both = (y[i] == 1) & (y[j] == 1)
            index.append(int(both.sum()) / int(either.sum()) if either.any() else 0.0)
        share = torch.tensor(index, dtype=torch.float64)
        if share.sum() > 0:
            log_p = (unit[others] @ unit[i] / 0.3).log_softmax(0)
            expected[i] = -(share / share.sum() * log_p).sum()
    found = functional.label_contrast(e, y, temperature=0.3)
    torch.testing.assert_close(found, expected, **TIGHT)
    assert found[0] == 0
    assert (found[1:] > 0).any()
    e = e[:4].requires_grad_()
    assert gradcheck(lambda e: functional.label_contrast(e, y[2:6]), e)


def test_hybrid_is_the_sum_of_its_terms():
    loss = HybridMultilabelLoss(weighted=0.7, correlation=0.2, contrast=0.4, temperature=0.5)
    loss.setup(ClassStats.from_labels(TRAINING))
    v = torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64)
    bce = binary_cross_entropy_with_logits(X, Y.double(), reduction="none")
    rows = 0.7 * (loss.factors * bce).sum(1)
    rows += 0.2 * functional.label_correlation(X, Y, loss.affinity)
    rows += 0.4 * functional.label_contrast(E, Y, temperature=0.5)
    expected = (v * rows).sum() / v.sum()
    torch.testing.assert_close(loss(X, Y, embedding=E, sample_weight=v), expected, **TIGHT)


def test_hybrid_says_what_it_needs():
    with pytest.raises(InvalidParameterError, match="embedding"):
        made("hybrid_multilabel")(X, Y)
    bare = ClassStats(np.array([3.0, 4.0]), 7, "multilabel")
    with pytest.raises(InvalidParameterError, match="together"):
        HybridMultilabelLoss().setup(bare)
    assert {"counts", "embedding", "pairs"} == HybridMultilabelLoss().needs


# --- positive and unlabelled ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "golden"), [({"gamma": 0.0, "spread": None}, -1.388023), ({}, -0.311831)]
)
def test_pu_golden(settings, golden):
    found = PUMultilabelLoss(**settings)(X, Y).item()
    torch.testing.assert_close(found, golden, atol=1e-6, rtol=0)


def test_pu_without_extras_is_the_variational_loss():
    z, y = drawn()
    q = torch.sigmoid(z)
    mean_positive = torch.stack([q[y[:, c] == 1, c].log().mean() for c in range(4)])
    expected = q.mean(0).log() - mean_positive
    found = functional.pu_multilabel(z, y, gamma=0.0, spread=None)
    torch.testing.assert_close(found, expected, **TIGHT)


def test_pu_weight_and_divisor_carry_no_gradient():
    z, y = drawn()
    tau = (1.5 * 0.3 * z.std(0, unbiased=False)).clamp(max=1.0)
    assert ((tau < 1).any() and (tau > 0.1).all()).item()
    found, plain = (0.3 * z).requires_grad_(), (0.3 * z).requires_grad_()
    functional.pu_multilabel(found, y, gamma=0.85, spread=1.5).sum().backward()
    w = torch.sigmoid(0.3 * z / tau).mean(0) ** 0.85
    log_q = logsigmoid(plain / tau)
    log_mean = log_q.logsumexp(0) - math.log(12)
    (w * log_mean - (log_q * y).sum(0) / y.sum(0)).sum().backward()
    torch.testing.assert_close(found.grad, plain.grad, **TIGHT)


@pytest.mark.parametrize("gamma", [0.0, 0.55])
def test_pu_of_positives_alone_is_not_negative(gamma):
    z, _ = drawn(30, 6)
    found = functional.pu_multilabel(z, torch.ones_like(z), gamma=gamma)
    assert (found > 0).all()
    constant = functional.pu_multilabel(z[:1].expand(5, 6), torch.ones(5, 6), gamma=0.0)
    torch.testing.assert_close(constant, torch.zeros(6, dtype=torch.float64), **TIGHT)


def test_pu_without_positives_presses_down():
    z = X.clone().requires_grad_()
    found = functional.pu_multilabel(z, torch.zeros(3, 3), gamma=0.0, spread=None)
    torch.testing.assert_close(found, torch.sigmoid(X).mean(0).log(), **TIGHT)
    found.sum().backward()
    assert (z.grad > 0).all()


def test_pu_labels_that_all_rows_share():
    z = torch.full((4, 2), 3.0, requires_grad=True)
    found = PUMultilabelLoss()(z, torch.tensor([[1, 0]] * 4))
    found.backward()
    assert torch.isfinite(found)
    assert torch.isfinite(z.grad).all()
    one = torch.tensor([[3.0]], requires_grad=True)
    PUMultilabelLoss()(one, torch.tensor([[0]])).backward()
    assert 0 < one.grad.item() < 1  # a single row has no spread, and is not blown up


# --- decoupled softmax ----------------------------------------------------------------------


def test_decoupled_golden():
    found = functional.decoupled_softmax(X, Y)
    expected = torch.tensor([0.063739, 0.269580, 0.131471], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_one_label_a_row_is_the_softmax():
    z, rows = drawn()[0], torch.tensor([0, 1, 2, 3] * 3)
    one = torch.nn.functional.one_hot(rows, 4)
    for temperature in (1.0, 0.05):
        found = DecoupledSoftmaxLoss(temperature)(z, one)
        expected = torch.nn.functional.cross_entropy(z / temperature, rows)
        torch.testing.assert_close(found, expected, **TIGHT)


def test_labels_of_a_row_do_not_compete():
    z, y = torch.tensor([[5.0, 5.0, 0.0, 0.0]]), torch.tensor([[1, 1, 0, 0]])
    assert round(functional.decoupled_softmax(z, y).item(), 4) == 0.0134
    usual = -(z.log_softmax(1) * y).sum() / 2
    assert round(usual.item(), 4) == 0.6999


def test_decoupled_rows_and_columns_that_do_not_count():
    z, y = drawn()
    y[0], y[1] = 0, 1
    found = functional.decoupled_softmax(z, y)
    assert found[:2].tolist() == [0, 0]
    torch.testing.assert_close(functional.decoupled_softmax(z + 7, y), found, **TIGHT)
    y[:, 2] = -1
    kept = [0, 1, 3]
    found = functional.decoupled_softmax(z, y)
    torch.testing.assert_close(found, functional.decoupled_softmax(z[:, kept], y[:, kept]), **TIGHT)


def test_decoupled_scale():
    assert DecoupledSoftmaxLoss().scale == pytest.approx(20)
    assert DecoupledSoftmaxLoss().needs == {"cosine_head"}
    assert DecoupledSoftmaxLoss(temperature=1.0).needs == frozenset()


# --- soft top-k -----------------------------------------------------------------------------


def test_soft_top_k_golden():
    found = functional.log_soft_top_k(X, 2, sharpness=2.0).exp()
    rows = [[0.975294, 0.089129, 0.935577], [0.885473, 0.990485, 0.124043]]
    expected = torch.tensor([*rows, [0.995547, 0.647880, 0.356573]], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    log_p = found.log()
    expected = -torch.stack([log_p[0, [0, 2]].mean(), log_p[1, 1], log_p[2, 0]])
    torch.testing.assert_close(functional.soft_top_k(X, Y, k=2), expected, **TIGHT)
    torch.testing.assert_close(SoftTopKLoss(k=2)(X, Y), expected.mean(), **TIGHT)


@pytest.mark.parametrize("sharpness", [0.1, 2.0, 30.0])
@pytest.mark.parametrize("size", [0.0, 1.0, 100.0])
def test_memberships_sum_to_k(sharpness, size):
    z = size * drawn(6, 40)[0]
    for k in (1, 5, 39):
        log_p = functional.log_soft_top_k(z, k, sharpness=sharpness)
        torch.testing.assert_close(log_p.exp().sum(1), torch.full((6,), k).double(), **TIGHT)
        moved = functional.log_soft_top_k(z + 3.25, k, sharpness=sharpness)
        torch.testing.assert_close(moved.exp(), log_p.exp(), **TIGHT)


def test_very_many_labels_for_one_place():
    z = torch.zeros(1, 200_000, dtype=torch.float64)
    found = functional.log_soft_top_k(z, 1)
    torch.testing.assert_close(found[0, 0].item(), -math.log(200_000), atol=1e-9, rtol=0)
    found = functional.log_soft_top_k(z, 199_999).exp()
    torch.testing.assert_close(found.sum().item(), 199_999.0, atol=1e-6, rtol=0)


def test_sharp_memberships_are_hard():
    z, _ = drawn(8, 10)
    found = functional.log_soft_top_k(z, 3, sharpness=1e6).exp()
    hard = torch.zeros_like(z).scatter_(1, z.topk(3, dim=1).indices, 1.0)
    torch.testing.assert_close(found, hard, **TIGHT)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_soft_top_k_gradients(k):
    z, y = drawn(3, 4)
    kept = torch.tensor([[True] * 4, [True, True, True, True], [False, True, True, True]])
    size = torch.tensor([k, k, min(k, 2)])
    z.requires_grad_()
    assert gradcheck(lambda z: functional.log_soft_top_k(z, size, kept=kept), (z,))
    assert gradcheck(lambda z: functional.soft_top_k(z, y, k=k, sharpness=0.7), (z,))


def test_soft_top_k_keeps_digits_far_from_zero():
    z = drawn(4, 6)[0].float()
    near, far = z.clone().requires_grad_(), (z.double() + 9.0e3).float()
    expected = functional.log_soft_top_k((far - 9.0e3), 2)
    torch.testing.assert_close(functional.log_soft_top_k(far, 2), expected, atol=1e-5, rtol=1e-5)
    functional.log_soft_top_k(1e4 * near, 2).sum().backward()
    assert torch.isfinite(near.grad).all()


def test_soft_top_k_beside_a_score_that_is_far_larger():
    z = torch.tensor([[1e4, 0.31, 0.17, -0.23, 0.11]])
    found, exact = functional.log_soft_top_k(z, 3), functional.log_soft_top_k(z.double(), 3)
    torch.testing.assert_close(found, exact.float(), atol=1e-6, rtol=1e-6)


def test_soft_top_k_rows_and_columns_that_do_not_count():
    z, y = drawn()
    y[0] = 0
    y[1] = torch.tensor([1, 0, -1, -1])
    found = functional.soft_top_k(z, y, k=2)
    assert found[:2].tolist() == [0, 0]
    y[2:, 3] = -1
    found = functional.soft_top_k(z, y, k=2)[2:]
    torch.testing.assert_close(found, functional.soft_top_k(z[2:, :3], y[2:, :3], k=2), **TIGHT)


def test_as_many_places_as_labels():
    z, y = drawn()
    y[0] = 1
    found = functional.soft_top_k(z, y, k=None)
    assert found[0] == 0
    for i in range(1, 12):
        n = int(y[i].sum())
        alone = functional.soft_top_k(z[i : i + 1], y[i : i + 1], k=n) if n else torch.zeros(1)
        torch.testing.assert_close(found[i].item(), alone.item(), **TIGHT)


def test_more_places_than_labels_are_refused():
    with pytest.raises(InvalidParameterError, match="number of labels, 3. Got 5"):
        SoftTopKLoss()(X, Y)
    with pytest.raises(InvalidParameterError, match="less than"):
        SoftTopKLoss(k=3)(X, Y)


# --- together with others -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["asl", "mfm", "label_class_balanced"])
def test_weights_of_classes_apply(name):
    loss = Reweighted(MAKERS[name](), ClassWeight())
    loss.setup(ClassStats.from_labels(TRAINING))
    ones = made(name).per_item(LossContext(X, Y))
    factors = loss.reweighter[0].factors
    expected = (torch.where(Y == 1, factors[1], factors[0]) * ones).sum(1).mean()
    torch.testing.assert_close(loss(X, Y), expected, **TIGHT)
    two = Reweighted(MAKERS[name](), ClassWeight())
    two.setup(ClassStats.from_labels([0, 0, 1]))
    assert torch.isfinite(two(X[:, :2], torch.tensor([0, 1, 0])))
