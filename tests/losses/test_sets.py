"""Dice, Tversky and scores of soft counts: identities, golden values, batches that lack a class."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    fbeta_score,
    matthews_corrcoef,
    recall_score,
)

from imbkit.exceptions import InvalidParameterError
from imbkit.losses import (
    AnyLoss,
    ClassStats,
    DiceNLPLoss,
    FocalTverskyLoss,
    LossContext,
    TverskyLoss,
)
from imbkit.losses.functional import dice, label_columns, soft_counts, soft_score, tversky

S = torch.tensor([1.2, -0.7, 0.3, -2, 0.8, -0.1], dtype=torch.float64)
T = torch.tensor([1, 0, 1, 0, 0, 0])
METRICS = ("accuracy", "f_beta", "gmean", "balanced_accuracy", "mcc")
LOSSES = [
    DiceNLPLoss(),
    DiceNLPLoss(strength=1.0, smooth=0.5),
    DiceNLPLoss(smooth=0.0),
    DiceNLPLoss("squared", level="batch"),
    DiceNLPLoss("tversky", smooth=0.0),
    DiceNLPLoss(level="batch", negative_ratio=2.0),
    TverskyLoss(),
    TverskyLoss(alpha_fp=0.0, beta_fn=1.0, smooth=1.0),
    FocalTverskyLoss(),
    *(AnyLoss(metric, L=10.0) for metric in METRICS),
    AnyLoss(),
    AnyLoss(average="micro"),
]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)


def drawn(kind, n=40, seed=0, dtype=torch.float64):
    """Logits and targets of one kind of task."""
    g = torch.Generator().manual_seed(seed)
    width = {"binary": 1, "pair": 2, "multiclass": 4, "multilabel": 3}[kind]
    z = torch.randn(n, width, generator=g, dtype=torch.float64).to(dtype)
    if kind == "multilabel":
        return z, torch.randint(0, 2, (n, 3), generator=g)
    y = torch.randint(0, max(width, 2), (n,), generator=g)
    return (z[:, 0] if kind == "binary" else z), y


kinds = pytest.mark.parametrize("kind", ["binary", "pair", "multiclass", "multilabel"])


def close(found, wanted, tolerance=1e-10):
    torch.testing.assert_close(
        torch.as_tensor(found), torch.as_tensor(wanted), atol=tolerance, rtol=0, check_dtype=False
    )


@pytest.mark.parametrize(
    ("loss", "wanted"),
    [
        (DiceNLPLoss(), 0.222480),
        (DiceNLPLoss(strength=1.0), 0.227736),
        (DiceNLPLoss(level="batch", smooth=0.0), 0.458369),
        (TverskyLoss(), 0.412960),
        (FocalTverskyLoss(), 0.515147),
        (AnyLoss("accuracy", L=10), 0.312030),
        (AnyLoss("f_beta", L=10), 0.367065),
        (AnyLoss("gmean", L=10), 0.287837),
        (AnyLoss("balanced_accuracy", L=10), 0.282259),
        (AnyLoss("mcc", L=10), 0.589193),
        (AnyLoss("accuracy"), 0.190561),
        (AnyLoss(), 0.222675),
        (AnyLoss("gmean"), 0.155198),
        (AnyLoss("balanced_accuracy"), 0.143464),
        (AnyLoss("mcc"), 0.327031),
    ],
    ids=repr,
)
def test_golden_values(loss, wanted):
    close(loss(S, T), wanted, 1e-6)


# Identities of the coefficients.


@pytest.mark.parametrize("level", ["sample", "batch"])
@kinds
def test_dice_is_the_even_tversky_index_with_twice_the_smoothing(level, kind):
    z, y = drawn(kind)
    even = DiceNLPLoss("tversky", smooth=0.5, level=level, alpha_fp=0.5, beta_fn=0.5)
    close(DiceNLPLoss(smooth=1.0, level=level)(z, y), even(z, y))


def test_dice_of_a_batch_is_one_less_soft_f1():
    z, y = drawn("multilabel")
    log_p, log_rest, labels, _ = label_columns(z, y)
    f1 = soft_score("f_beta", *soft_counts(log_p.exp(), labels))
    close(dice(log_p, log_rest, labels, smooth=0.0, summed=True), 1 - f1)


@kinds
def test_tversky_losses_meet_dice(kind):
    z, y = drawn(kind)
    whole = DiceNLPLoss(level="batch", smooth=0.0)(z, y)
    close(TverskyLoss(0.5, 0.5)(z, y), whole)
    close(FocalTverskyLoss(0.2, 0.9, gamma=1.0)(z, y), TverskyLoss(0.2, 0.9)(z, y))
    if kind in ("binary", "pair"):
        close(FocalTverskyLoss(0.2, 0.9)(z, y), TverskyLoss(0.2, 0.9)(z, y) ** 0.75)


@pytest.mark.parametrize("smooth", [0.0, 0.3])
@pytest.mark.parametrize("summed", [False, True])
def test_formulas_as_the_papers_write_them(smooth, summed):
    z, y = drawn("multilabel")
    log_p, log_rest, Y, _ = label_columns(z, y)
    p, a, b = log_p.exp(), 0.2, 0.9
    total = (lambda x: x.sum(0)) if summed else (lambda x: x)
    q = (1 - p) ** 1.5 * p
    wanted = 1 - (2 * total(q * Y) + smooth) / (total(q) + total(Y) + smooth)
    close(dice(log_p, log_rest, Y, strength=1.5, smooth=smooth, summed=summed), wanted)
    wanted = 1 - (2 * total(p * Y) + smooth) / (total(p**2) + total(Y**2) + smooth)
    close(dice(log_p, log_rest, Y, squared=True, smooth=smooth, summed=summed), wanted)
    right, alarms, misses = total(p * Y), total(p * (1 - Y)), total((1 - p) * Y)
    wanted = 1 - (right + smooth) / (right + a * alarms + b * misses + smooth)
    found = tversky(log_p, log_rest, Y, alpha_fp=a, beta_fn=b, smooth=smooth, summed=summed)
    close(found, wanted)


@pytest.mark.parametrize(("smooth", "still"), [(0.0, True), (1.0, False)])
def test_without_smoothing_a_negative_row_teaches_nothing(smooth, still):
    z = torch.tensor([0.3, -1.0], requires_grad=True)
    DiceNLPLoss(smooth=smooth)(z, torch.tensor([0, 0])).backward()
    assert bool((z.grad == 0).all()) is still


def test_a_strength_leads_positives_to_the_middle():
    z = torch.linspace(-6, 6, 2401)
    items = DiceNLPLoss(strength=1.0).per_item(LossContext(z, torch.ones(2401, dtype=torch.long)))
    assert abs(float(z[items.argmin()])) < 0.01  # as its Notes say


def test_only_the_hardest_negatives_enter():
    z = torch.tensor([0.5, 2.0, -1.0, 1.0, 0.0], dtype=torch.float64)
    y = torch.tensor([1, 0, 0, 0, 0])
    loss = DiceNLPLoss(level="batch", negative_ratio=2.0)
    close(loss(z, y), DiceNLPLoss(level="batch")(z[[0, 1, 3]], y[[0, 1, 3]]))
    y = torch.zeros(5, dtype=torch.long)  # one stays, so that there is a batch
    close(loss(z, y), DiceNLPLoss(level="batch")(z[[1]], y[[1]]))


# Scores of counts.


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_steep_counts_are_hard_counts(beta):
    z, y = drawn("binary", n=200)
    hard, truth = (z > 0).numpy(), y.numpy()
    recalls = recall_score(truth, hard), recall_score(truth, hard, pos_label=0)
    wanted = {
        "accuracy": accuracy_score(truth, hard),
        "f_beta": fbeta_score(truth, hard, beta=beta),
        "gmean": np.sqrt(np.prod(recalls)),
        "balanced_accuracy": balanced_accuracy_score(truth, hard),
        "mcc": matthews_corrcoef(truth, hard),
    }
    for metric in METRICS:
        close(AnyLoss(metric, L=1e7, beta=beta)(z, y), 1 - wanted[metric], 1e-6)


def test_micro_is_one_score_of_all_entries():
    z, y = drawn("multilabel")
    hard = (z > 0).numpy()
    close(AnyLoss(L=1e7, average="micro")(z, y), 1 - f1_score(y, hard, average="micro"), 1e-6)
    close(AnyLoss(L=1e7)(z, y), 1 - f1_score(y, hard, average="macro"), 1e-6)


def test_scores_are_the_published_closed_forms():
    z, y = drawn("binary")
    a, Y, n = torch.sigmoid(20 * (torch.sigmoid(z) - 0.5)), y.double(), len(y)
    both, sum_a, sum_y = (a * Y).sum(), a.sum(), Y.sum()
    rest = n - sum_y - sum_a + both
    close(AnyLoss("accuracy", L=20)(z, y), 1 - (n - sum_y - sum_a + 2 * both) / n)
    close(AnyLoss(L=20)(z, y), 1 - 2 * both / (sum_y + sum_a))
    close(AnyLoss(L=20, beta=2)(z, y), 1 - 5 * both / (4 * sum_y + sum_a))
    close(AnyLoss("balanced_accuracy", L=20)(z, y), 1 - (both / sum_y + rest / (n - sum_y)) / 2)
    root = (both * rest / (sum_y * (n - sum_y)) + 1e-7).sqrt()
    close(AnyLoss("gmean", L=20)(z, y), 1 - root)


@pytest.mark.parametrize(
    ("p", "slope", "tolerance"), [(0.5, 18.25, 1e-3), (0.6, 5e-2, 1e-3), (0.7, 3e-5, 1e-5)]
)
def test_slope_of_the_amplified_prediction(p, slope, tolerance):
    x = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    torch.sigmoid(73 * (x - 0.5)).backward()
    assert abs(float(x.grad) - slope) < tolerance


def test_rows_far_from_the_middle_are_frozen():
    z = torch.tensor([0.75, 0.25], dtype=torch.float32).logit().requires_grad_()
    AnyLoss("accuracy")(z, torch.tensor([0, 1])).backward()
    assert float(z.grad.abs().max()) < 1e-6


# A class that a batch lacks.


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("metric", METRICS)
def test_a_batch_of_one_class_has_cross_entropy_and_is_counted(label, metric):
    loss, z, y = AnyLoss(metric), S.clone().requires_grad_(), torch.full((6,), label)
    found = loss(z, y)
    close(found, torch.nn.functional.binary_cross_entropy_with_logits(z, y.double()))
    found.backward()
    assert float(z.grad.abs().min()) > 0
    assert float(loss.incomplete) == 1
    loss.eval()
    loss(z, y)
    assert float(loss.incomplete) == 1  # only what is learned from is counted
    loss.setup(ClassStats.from_labels(T.numpy()))
    assert float(loss.incomplete) == 0


def test_each_label_that_lacks_a_sign_is_counted_and_stood_in_for():
    z, y = drawn("multilabel")
    y[:, 1] = 0
    loss = AnyLoss(L=10)
    parts = [AnyLoss(L=10)(z[:, j], y[:, j]) for j in range(3)]
    close(loss(z, y), torch.stack(parts).mean())
    assert float(loss.incomplete) == 1
    y[:, 2] = -1  # nothing known of it
    close(loss(z, y), torch.stack(parts[:2]).mean())
    assert float(loss.incomplete) == 2


@pytest.mark.parametrize("loss", [TverskyLoss(), FocalTverskyLoss(), DiceNLPLoss(smooth=0.0)])
def test_a_batch_without_positives_teaches_nothing_without_smoothing(loss):
    z = S.clone().requires_grad_()
    found = loss(z, torch.zeros(6, dtype=torch.long))
    found.backward()
    close(found, 1.0)
    close(z.grad, torch.zeros(6))


@pytest.mark.parametrize(
    "loss", [DiceNLPLoss(), DiceNLPLoss(level="batch"), TverskyLoss(), FocalTverskyLoss()]
)
def test_classes_that_the_batch_lacks_are_left_out(loss):
    z, _ = drawn("multiclass")
    y = torch.arange(40) % 2  # of four classes
    p = z.softmax(1)
    parts = [loss(p[:, j].logit(), (y == j).long()) for j in range(2)]
    close(loss(z, y), torch.stack(parts).mean())


@pytest.mark.parametrize("loss", [TverskyLoss(), FocalTverskyLoss(), AnyLoss(L=10)], ids=repr)
def test_classes_are_taken_one_against_the_rest(loss):
    z, y = drawn("multiclass")
    p = z.softmax(1)
    parts = [loss(p[:, j].logit(), (y == j).long()) for j in range(4)]
    close(loss(z, y), torch.stack(parts).mean())


@every_loss
def test_labels_that_are_missing_are_left_out(loss):
    z, y = drawn("multilabel")
    y[::3, 1] = -1
    as_nan = y.double().where(y >= 0, torch.nan)
    close(loss(z, as_nan), loss(z, y))
    if loss.level == "batch" and getattr(loss, "average", "macro") == "macro":
        parts = [loss(z[y[:, j] >= 0, j], y[y[:, j] >= 0, j]) for j in range(3)]
        close(loss(z, y), torch.stack(parts).mean())
    if loss.level == "sample":
        items = loss.per_item(LossContext(z, y))
        assert items.shape == y.shape
        assert not items[y < 0].any()
        parts = [loss(z[:, j], y[:, j].clamp_min(0)) for j in (0, 2)]
        close(items[:, [0, 2]].mean(0), torch.stack(parts))


# Schedules.


def at(loss, epoch, training=True):
    return loss.value(LossContext(S, T, epoch=epoch, max_epochs=20, training=training))


def test_warm_up_has_cross_entropy_for_a_tenth_of_the_epochs():
    loss = AnyLoss(schedule="warm_up")
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(S, T.double())
    close(at(loss, 0), entropy)
    close(at(loss, 1), entropy)
    close(at(loss, 2), AnyLoss()(S, T))
    close(at(loss, 0, training=False), AnyLoss()(S, T))
    assert "epoch" in loss.needs
    assert "epoch" not in AnyLoss().needs


def test_annealing_ends_at_the_full_steepness():
    loss = AnyLoss(schedule="anneal")
    close(at(loss, 0), AnyLoss(L=10)(S, T))
    close(at(loss, 19), AnyLoss()(S, T))
    close(at(loss, 0, training=False), AnyLoss()(S, T))
    close(at(AnyLoss(L=5, schedule="anneal"), 0), AnyLoss(L=5)(S, T))
    close(loss(S, T), AnyLoss(L=10)(S, T))  # a single epoch


# What holds for all of them.


@every_loss
def test_one_score_or_two_columns(loss):
    z, y = drawn("pair")
    close(loss(z, y), loss(z[:, 1] - z[:, 0], y))
    close(loss(z, y), loss((z[:, 1] - z[:, 0])[:, None], y))


@every_loss
@kinds
def test_permutation_and_weights(loss, kind):
    z, y = drawn(kind)
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(1))
    close(loss(z[order], y[order]), loss(z, y))
    if kind == "multiclass" and loss.level == "sample":
        items = loss.per_item(LossContext(z, y))
        assert items.shape == (40,)
        close(items.mean(), loss(z, y))
    if getattr(loss, "negative_ratio", None):
        return  # a repeated negative takes the place of another
    weight = torch.arange(len(z)) % 3
    twice = torch.repeat_interleave(torch.arange(len(z)), weight)
    close(loss(z, y, sample_weight=weight.double()), loss(z[twice], y[twice]))


@every_loss
@kinds
def test_gradients_are_right(loss, kind):
    z, y = drawn(kind, n=6)
    y[:2] = torch.tensor([0, 1])[:, None] if y.ndim == 2 else torch.tensor([0, 1])
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, y), (z,), atol=1e-6)


@every_loss
@kinds
def test_finite_for_any_logits(loss, kind):
    z, y = drawn(kind, dtype=torch.float32)
    parts = (slice(None), slice(0, 1), y.reshape(40, -1)[:, 0] == 0)
    for size, rows in itertools.product((0.0, 1e-6, 50.0, 1e4), parts):
        x = (z[rows].sign() * size).requires_grad_()
        found = loss(x, y[rows])
        found.backward()
        assert found.dtype == torch.float32
        assert torch.isfinite(found)
        assert torch.isfinite(x.grad).all()


@every_loss
@pytest.mark.parametrize("kind", ["binary", "multilabel", "multiclass"])
def test_finite_where_all_is_right_or_wrong(loss, kind):
    for side, size in itertools.product((1, -1), (17.0, 50.0, 1e4)):
        _, y = drawn(kind, dtype=torch.float32)
        own = torch.nn.functional.one_hot(y, 4) if kind == "multiclass" else y
        x = (side * size * (2.0 * own - 1)).requires_grad_()
        found = loss(x, y)
        found.backward()
        assert torch.isfinite(found)
        assert torch.isfinite(x.grad).all()


@every_loss
def test_half_precision_is_computed_in_float32(loss):
    z, y = drawn("multiclass", dtype=torch.bfloat16)
    found = loss(z, y)
    assert found.dtype == torch.float32
    close(found, loss(z.float(), y), 0)


@every_loss
def test_state(loss):
    z, y = drawn("binary")
    loss = copy.deepcopy(loss).train()
    loss(z, torch.ones_like(y))
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    loss.value(LossContext(z, torch.ones_like(y), training=False))
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert repr(twin) == repr(loss)
        assert twin.state_dict() == before
        close(twin(z, y), loss(z, y))
    fresh = type(loss)()
    fresh.load_state_dict(before)
    assert fresh.state_dict() == before


def test_probability_of_the_rest_is_exact():
    z = torch.tensor([[200.0, 0.0, 1.0], [0.0, 0.0, 0.0], [-1e4, 1e4, 0.0]])
    log_p, log_rest, _, _ = label_columns(z, torch.tensor([0, 1, 2]))
    wide, _, _, _ = label_columns(z.double(), torch.tensor([0, 1, 2]))
    close(log_p, wide, 1e-5)
    others = torch.stack([z[:, [k for k in range(3) if k != j]].logsumexp(1) for j in range(3)], 1)
    close(log_rest, others - z.logsumexp(1)[:, None], 1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DiceNLPLoss("dice"),
        lambda: DiceNLPLoss(strength=-1),
        lambda: DiceNLPLoss(smooth=-1),
        lambda: DiceNLPLoss("squared", strength=1.0),
        lambda: DiceNLPLoss("tversky", alpha_fp=0, beta_fn=0),
        lambda: DiceNLPLoss(level="rows"),
        lambda: DiceNLPLoss(negative_ratio=1.0),
        lambda: DiceNLPLoss(level="batch", negative_ratio=0.0),
        lambda: TverskyLoss(0, 0),
        lambda: TverskyLoss(alpha_fp=-0.1),
        lambda: FocalTverskyLoss(gamma=0),
        lambda: FocalTverskyLoss(smooth=float("nan")),
        lambda: AnyLoss("f1"),
        lambda: AnyLoss(L=0),
        lambda: AnyLoss(beta=0),
        lambda: AnyLoss(average="samples"),
        lambda: AnyLoss(schedule="cosine"),
    ],
)
def test_parameters_are_checked(make):
    with pytest.raises(InvalidParameterError):
        make()
