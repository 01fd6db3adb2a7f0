"""Losses of the order of rows: identities, golden values, memory, what they remember."""

import copy
import itertools
import math
import pickle

import pytest
import torch
from sklearn.metrics import roc_auc_score

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses import (
    AUCMarginLoss,
    ClassStats,
    LossContext,
    MannWhitneyLoss,
    SOAPLoss,
    get_loss,
)
from imbkit.losses.functional import (
    _ranking,
    auc_margin,
    auc_margin_saddle,
    mann_whitney,
    mann_whitney_classes,
    smooth_average_precision,
    squared_hinge_means,
)

S = torch.tensor([1.2, -0.7, 0.3, -2, 0.8, -0.1], dtype=torch.float64)
T = torch.tensor([1, 0, 1, 0, 0, 0])
MAKERS = [
    MannWhitneyLoss,
    lambda: MannWhitneyLoss(temperature=0.3),
    AUCMarginLoss,
    lambda: AUCMarginLoss(margin=0.4),
    lambda: AUCMarginLoss(closed_form=False),
    SOAPLoss,
    lambda: SOAPLoss(gamma=1.0, margin=0.5),
]
every_loss = pytest.mark.parametrize("make", MAKERS, ids=lambda make: repr(make()))
both_kinds = pytest.mark.parametrize("kind", ["binary", "pair", "multilabel"])


def drawn(kind, n=30, seed=0, dtype=torch.float64):
    """Logits and targets of one kind of task."""
    g = torch.Generator().manual_seed(seed)
    width = {"binary": 1, "pair": 2, "multiclass": 4, "multilabel": 3}[kind]
    z = torch.randn(n, width, generator=g, dtype=torch.float64).to(dtype)
    if kind == "multilabel":
        return z, torch.randint(0, 2, (n, 3), generator=g)
    y = torch.randint(0, max(width, 2), (n,), generator=g)
    return (z[:, 0] if kind == "binary" else z), y


def ready(loss, y, double=True):
    """The loss, set up for a table."""
    loss.setup(ClassStats.from_labels(y.numpy()))
    return loss.double() if double else loss


def close(found, wanted, tolerance=1e-10):
    torch.testing.assert_close(
        torch.as_tensor(found), torch.as_tensor(wanted), atol=tolerance, rtol=0, check_dtype=False
    )


def slope(function, x):
    x = x.detach().clone().requires_grad_()
    function(x).backward()
    return x.grad


def test_golden_values():
    close(MannWhitneyLoss()(S, T), 0.353658, 1e-6)
    close(AUCMarginLoss()(S, T), 0.589287, 1e-6)
    close(-smooth_average_precision(torch.sigmoid(S), T > 0), -0.466538, 1e-6)
    loss = ready(SOAPLoss(gamma=1.0), T)
    close(loss(S, T, index=torch.arange(6)), 1 - 0.466538, 1e-6)
    close(loss.eval()(S, T, index=torch.arange(6)), 1 - 0.466538, 1e-6)


# Pairs.


def test_pairs_bound_the_area_above_the_curve():
    for seed in range(20):
        z, y = drawn("binary", seed=seed)
        for t in (0.01, 1.0, 5.0):
            above = 1 - roc_auc_score(y, z)
            assert float(MannWhitneyLoss(t)(z, y)) >= math.log(2) * above - 1e-12
    close(MannWhitneyLoss()(torch.full((30,), 7.0), y), math.log(2), 1e-6)


def test_pairs_of_rows_and_of_weighted_rows():
    z, y = drawn("binary")
    p, n = z[y == 1], z[y == 0]
    wanted = torch.nn.functional.softplus(-(p[:, None] - n[None]) / 0.7)
    close(mann_whitney(p, n, temperature=0.7), wanted.mean())
    v, w = torch.rand(len(p)).double(), torch.rand(len(n)).double()
    pairs = v[:, None] * w[None]
    close(mann_whitney(p, n, v, w, temperature=0.7), (pairs * wanted).sum() / pairs.sum())


def test_pairs_of_classes():
    z, y = drawn("multiclass")
    parts = []
    for i in range(4):
        for j in range(4):
            if i != j:
                s = z[:, i] - z[:, j]
                parts.append(mann_whitney(s[y == i], s[y == j], temperature=0.5))
    close(MannWhitneyLoss(0.5)(z, y), torch.stack(parts).mean())
    # A class that the batch lacks has no part in the mean.
    kept = y < 3
    parts = [p for k, p in enumerate(parts) if k // 3 < 3 and k % 3 < 2]
    close(MannWhitneyLoss(0.5)(z[kept], y[kept]), torch.stack(parts).mean())
    z, y = drawn("pair")
    close(mann_whitney_classes(z, y), MannWhitneyLoss()(z[:, 1] - z[:, 0], y))


@pytest.mark.parametrize("loss", [MannWhitneyLoss(), AUCMarginLoss(), SOAPLoss()], ids=repr)
def test_labels_are_averaged_where_both_signs_are_known(loss):
    z, y = drawn("multilabel")
    y[::4, 1], y[:, 2] = -1, 0
    loss = ready(loss, y)
    kept = y[:, 1] >= 0
    at = torch.arange(30)
    singles = [ready(copy.deepcopy(loss), y[:, 0]) for _ in range(2)]
    found = loss(z, y, index=at)
    wanted = singles[0](z[:, 0], y[:, 0], index=at)
    wanted = wanted + singles[1](z[kept, 1], y[kept, 1], index=at[kept])
    close(found, wanted / 2)
    close(loss(z, y.double().where(y >= 0, torch.nan), index=at), loss(z, y, index=at))
    assert float(loss.incomplete) == 3


# Memory.


class Recorder:
    """Softplus that notes how many pairs it is given at once."""

    def __init__(self):
        self.sizes = []

    def __call__(self, x):
        self.sizes.append(x.numel())
        return torch.nn.functional.softplus(x)


def test_pairs_are_taken_in_blocks(monkeypatch):
    z, y = drawn("binary", n=120)
    classes, c = drawn("multiclass", n=60)
    whole, whole_slope = MannWhitneyLoss()(z, y), slope(lambda x: MannWhitneyLoss()(x, y), z)
    of_classes = MannWhitneyLoss()(classes, c)
    class_slope = slope(lambda x: MannWhitneyLoss()(x, c), classes)
    recorder = Recorder()
    monkeypatch.setattr(_ranking, "softplus", recorder)
    monkeypatch.setattr(_ranking, "_PAIRS", 500)
    close(MannWhitneyLoss()(z, y), whole)
    close(slope(lambda x: MannWhitneyLoss()(x, y), z), whole_slope)
    assert max(recorder.sizes) <= 500
    assert sum(recorder.sizes) >= 3 * int(y.sum()) * int((1 - y).sum())  # twice, and once again
    close(MannWhitneyLoss()(classes, c), of_classes)
    close(slope(lambda x: MannWhitneyLoss()(x, c), classes), class_slope)
    assert max(recorder.sizes) <= 500


def kept_for_the_gradient(function):
    """How many numbers autograd keeps."""
    sizes = []

    def pack(tensor):
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        function()
    return sum(sizes)


@pytest.mark.parametrize("make", [MannWhitneyLoss, SOAPLoss])
def test_pairs_are_not_kept_for_the_gradient(monkeypatch, make):
    z, y = drawn("binary", n=120)
    loss = ready(make(), y)
    x = z.clone().requires_grad_()
    pairs = int(y.sum()) * int((1 - y).sum())

    def run():
        loss(x, y, index=torch.arange(120))

    assert kept_for_the_gradient(run) > pairs
    monkeypatch.setattr(_ranking, "_PAIRS", 500)
    assert kept_for_the_gradient(run) < pairs


def test_ranks_are_taken_in_blocks(monkeypatch):
    z, y = drawn("binary", n=120)
    h = torch.sigmoid(z)
    whole = squared_hinge_means(h, y > 0)
    whole_slope = slope(lambda x: smooth_average_precision(x, y > 0), h)
    monkeypatch.setattr(_ranking, "_PAIRS", 500)
    for found, wanted in zip(squared_hinge_means(h, y > 0), whole, strict=True):
        close(found, wanted)
    close(slope(lambda x: smooth_average_precision(x, y > 0), h), whole_slope)


# The margin loss.


def test_closed_form_is_the_square_loss_of_pairs():
    z, y = drawn("binary")
    h, labels = torch.sigmoid(z)[:, None], y.double()[:, None]
    lead = h[y == 1] - h[y == 0].T
    close(auc_margin(h, labels), ((1 - lead) ** 2).mean()[None])
    close(AUCMarginLoss()(z, y), ((1 - lead) ** 2).mean())


def test_closed_form_solves_the_inner_problem():
    z, y = drawn("multilabel")
    h, Y = torch.sigmoid(z), y.double()
    for margin in (1.0, 0.03):
        a, b = (h * Y).sum(0) / Y.sum(0), (h * (1 - Y)).sum(0) / (1 - Y).sum(0)
        alpha = (margin + b - a).clamp_min(0)
        best = auc_margin_saddle(h, Y, a, b, alpha, margin=margin)
        close(auc_margin(h, Y, margin=margin), best)
        for step in (-0.1, 0.1):
            assert (auc_margin_saddle(h, Y, a + step, b, alpha, margin=margin) > best).all()
            assert (auc_margin_saddle(h, Y, a, b + step, alpha, margin=margin) > best).all()
            moved = (alpha + step).clamp_min(0)
            assert (auc_margin_saddle(h, Y, a, b, moved, margin=margin) <= best + 1e-12).all()
    assert float(alpha.min()) == 0  # the bound was in force


def test_the_form_with_class_shares_is_the_same_times_their_product():
    z, y = drawn("binary")
    h, Y, p, m = torch.sigmoid(z), y.double(), y.double().mean(), 1.0
    a, b, al = 0.6, 0.3, 0.4
    first = (
        (1 - p) * ((h - a) ** 2 * Y).mean()
        + p * ((h - b) ** 2 * (1 - Y)).mean()
        + 2 * al * (p * (1 - p) * m + (p * h * (1 - Y) - (1 - p) * h * Y).mean())
        - p * (1 - p) * al**2
    )
    point = torch.tensor([[a], [b], [al]], dtype=torch.float64)
    second = auc_margin_saddle(h[:, None], Y[:, None], *point, margin=m)
    close(first, p * (1 - p) * second[0])


def test_a_column_of_one_label_is_nothing():
    h, Y = torch.sigmoid(S)[:, None].expand(6, 2), torch.stack([T, T * 0], dim=1).double()
    for column in (auc_margin(h, Y)[1], auc_margin_saddle(h, Y, *torch.ones(3, 2).double())[1]):
        assert float(column) == 0


@pytest.mark.parametrize("margin", [1.0, 0.03])
def test_what_is_learned_ends_at_the_closed_form(margin):
    z, y = drawn("multilabel")
    loss = ready(AUCMarginLoss(margin=margin, closed_form=False), y)
    steps = torch.optim.SGD(loss.parameters(), lr=0.3)
    for _ in range(400):
        steps.zero_grad()
        loss(z, y).backward()
        steps.step()
        loss.project()
    closed = AUCMarginLoss(margin=margin)
    close(loss(z, y), closed(z, y), 1e-8)
    close(slope(lambda x: loss(x, y), z), slope(lambda x: closed(x, y), z), 1e-8)
    h, Y = torch.sigmoid(z), y.double()
    close(loss.a.data, (h * Y).sum(0) / Y.sum(0), 1e-8)
    close(loss.eval()(z, y), closed(z, y))


def test_the_dual_variable_goes_uphill_also_after_a_copy():
    loss = AUCMarginLoss(closed_form=False).double()
    for each in (loss, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        each.zero_grad()
        each(S, T).backward()
        h = torch.sigmoid(S)
        lag = 1 + h[T == 0].mean() - h[T == 1].mean()
        close(each.alpha.grad, -2 * lag[None])  # downhill in it is uphill in the loss
        each.alpha.data.fill_(-0.3)
        each.project()
        assert float(each.alpha.detach()) == 0


def test_variables_stay_the_same_objects():
    loss = AUCMarginLoss(closed_form=False)
    before = [id(each) for each in loss.parameters()]
    assert "learnable" in loss.needs
    assert "learnable" not in AUCMarginLoss().needs
    assert not list(AUCMarginLoss().parameters())
    z, y = drawn("multilabel")
    with pytest.raises(InvalidParameterError, match="setup"):
        loss(z, y)
    ready(loss, y)
    assert [id(each) for each in loss.parameters()] == before
    assert loss.alpha.shape == (3,)
    loss.a.data.fill_(1.0)
    ready(loss, y)
    assert not loss.a.detach().any()


# Average precision.


def test_slope_without_memory_is_that_of_the_smooth_average_precision():
    z, y = drawn("binary")
    loss = ready(SOAPLoss(gamma=1.0), y)
    found = slope(lambda x: loss(x, y, index=torch.arange(30)), z)
    wanted = slope(lambda x: -smooth_average_precision(torch.sigmoid(x), y > 0), z)
    close(found, wanted)
    h = torch.sigmoid(z)
    pairs = (1 - (h[y == 1][:, None] - h[None])).clamp_min(0) ** 2
    close(smooth_average_precision(h, y > 0), (pairs[:, y == 1].sum(1) / pairs.sum(1)).mean())


def test_ranks_are_remembered_as_the_formula_says():
    z, y = drawn("binary", n=12)
    y[:4] = torch.tensor([1, 1, 0, 0])
    loss, g, m = ready(SOAPLoss(margin=0.8, gamma=0.7), y), 0.7, 0.8
    u_all, u_pos = torch.zeros(12).double(), torch.zeros(12).double()
    for rows in (torch.arange(8), torch.arange(4, 12), torch.tensor([11, 0, 1, 2, 3])):
        x = z[rows].clone().requires_grad_()
        found = loss(x, y[rows], index=rows)
        (got,) = torch.autograd.grad(found, x)
        h, pos = torch.sigmoid(x), y[rows] == 1
        pairs = (m - (h[pos][:, None] - h[None])).clamp_min(0) ** 2
        at = rows[pos]
        u_all[at] = (1 - g) * u_all[at] + g * pairs.mean(1).detach()
        u_pos[at] = (1 - g) * u_pos[at] + g * (pairs * pos).mean(1).detach()
        P = (u_pos[at][:, None] - u_all[at][:, None] * pos) / u_all[at][:, None] ** 2
        # One pair's weight is 1 / (positives x rows).
        (wanted,) = torch.autograd.grad((P * pairs).mean(), x)
        close(got, wanted)
        close(found, 1 - (u_pos[at] / u_all[at]).mean())
        close(loss.of_all[:, 0], u_all)
        close(loss.of_positives[:, 0], u_pos)


def test_a_row_drawn_twice_is_remembered_once():
    z, y = drawn("binary", n=6)
    y[:2] = torch.tensor([1, 0])
    rows = torch.tensor([0, 0, 0, 1, 1, 2])
    loss, twin = ready(SOAPLoss(), y), ready(SOAPLoss(), y)
    loss(z[rows], y[rows], index=rows)
    _, once = torch.tensor([0, 1, 2]), torch.tensor([3.0, 2.0, 1.0]).double()
    twin(z[:3], y[:3], index=torch.arange(3), sample_weight=once)
    close(loss.of_all, twin.of_all)
    close(loss.of_positives, twin.of_positives)


def test_soap_says_what_it_lacks():
    loss = SOAPLoss()
    with pytest.raises(InvalidParameterError, match="index="):
        loss(S, T)
    with pytest.raises(InvalidParameterError, match="setup"):
        loss(S, T, index=torch.arange(6))
    ready(loss, T)
    with pytest.raises(DataError, match="from 0 to 5"):
        loss(S, T, index=torch.arange(1, 7))
    with pytest.raises(InvalidParameterError, match="set up for 1"):
        loss(*drawn("multilabel", n=6), index=torch.arange(6))


# What holds for all of them.


@pytest.mark.parametrize(
    ("name", "cls"), [("mw", MannWhitneyLoss), ("auc", AUCMarginLoss), ("ap", SOAPLoss)]
)
def test_short_names(name, cls):
    assert type(get_loss(name)) is cls


@pytest.mark.parametrize("label", [0, 1])
@every_loss
def test_a_batch_of_one_class_teaches_nothing_and_is_counted(make, label):
    loss = ready(make(), T)
    z, y = S.clone().requires_grad_(), torch.full((6,), label)
    found = loss(z, y, index=torch.arange(6))
    found.backward()
    soap = isinstance(loss, SOAPLoss) and label == 1
    close(found, 0.0)
    close(z.grad, torch.zeros(6)) if not soap or loss.gamma == 1 else None
    assert float(loss.incomplete) == (not soap)  # to it, only positives are needed
    loss.eval()
    loss(z, y, index=torch.arange(6))
    assert float(loss.incomplete) == (not soap)
    ready(loss, T)
    assert float(loss.incomplete) == 0


def test_a_batch_of_one_class_among_many():
    z, _ = drawn("multiclass")
    loss, z = MannWhitneyLoss(), z.requires_grad_()
    found = loss(z, torch.full((30,), 2))
    found.backward()
    assert float(found.detach()) == 0
    assert not z.grad.any()
    assert float(loss.incomplete) == 1


@every_loss
def test_more_classes_than_served_are_refused(make):
    z, y = drawn("multiclass")
    loss = make()
    if "multiclass" not in loss.tasks:
        with pytest.raises(InvalidParameterError, match="OneVsRest"):
            loss(z, y, index=torch.arange(30))
    assert loss.link == "score"
    assert loss.level == "batch"


@every_loss
@both_kinds
def test_permutation_and_weights(make, kind):
    z, y = drawn(kind)
    at = torch.arange(30)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    first = ready(make(), y)(z, y, index=at)
    close(ready(make(), y)(z[order], y[order], index=at[order]), first)
    weight = at % 3
    twice = torch.repeat_interleave(at, weight)
    found = ready(make(), y)(z, y, index=at, sample_weight=weight.double())
    close(found, ready(make(), y)(z[twice], y[twice], index=twice))
    if kind == "pair":
        close(ready(make(), y)(z[:, 1] - z[:, 0], y, index=at), first)


def test_permutation_and_weights_of_classes():
    z, y = drawn("multiclass")
    order = torch.tensor([2, 0, 3, 1])
    close(MannWhitneyLoss()(z[:, order], order.argsort()[y]), MannWhitneyLoss()(z, y))
    weight = torch.arange(30) % 3
    twice = torch.repeat_interleave(torch.arange(30), weight)
    found = MannWhitneyLoss()(z, y, sample_weight=weight.double())
    close(found, MannWhitneyLoss()(z[twice], y[twice]))


@pytest.mark.parametrize("make", [*MAKERS[:4]], ids=lambda make: repr(make()))
@pytest.mark.parametrize("kind", ["binary", "pair", "multilabel", "multiclass"])
def test_gradients_are_right(make, kind):
    z, y = drawn(kind, n=6)
    y[:2] = torch.tensor([0, 1])[:, None] if y.ndim == 2 else torch.tensor([0, 1])
    loss = make()
    if kind == "multiclass" and kind not in loss.tasks:
        return
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, y), (z,))


@every_loss
@both_kinds
def test_finite_for_any_logits(make, kind):
    z, y = drawn(kind, dtype=torch.float32)
    at = torch.arange(30)
    loss = ready(make(), y, double=False)
    parts = (slice(None), slice(0, 1), y.reshape(30, -1)[:, 0] == 0)
    for size, rows in itertools.product((0.0, 1e-6, 50.0, 1e4), parts):
        for training in (True, False):
            x = (z[rows].sign() * size).requires_grad_()
            found = loss(x, y[rows], index=at[rows], training=training)
            found.backward()
            assert found.dtype == torch.float32
            assert torch.isfinite(found)
            assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_finite_for_any_logits_of_classes(size):
    z, y = drawn("multiclass", dtype=torch.float32)
    x = (z.sign() * size).requires_grad_()
    found = MannWhitneyLoss()(x, y)
    found.backward()
    assert torch.isfinite(found)
    assert torch.isfinite(x.grad).all()


@every_loss
def test_half_precision_is_computed_in_float32(make):
    z, y = drawn("binary", dtype=torch.bfloat16)
    found = ready(make(), y, double=False)(z, y, index=torch.arange(30))
    assert found.dtype == torch.float32
    wanted = ready(make(), y, double=False)(z.float(), y, index=torch.arange(30))
    close(found, wanted, 0)


@every_loss
def test_state(make):
    z, y = drawn("binary")
    at, loss = torch.arange(30), ready(make(), y)
    loss(z, y, index=at)
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    seed = torch.random.get_rng_state()
    for call in (loss.value, loss.per_item):
        call(LossContext(z, y, index=at, training=False))
    assert torch.equal(torch.random.get_rng_state(), seed)
    twins = [copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), ready(make(), y)]
    twins[2].load_state_dict(before)
    for twin in twins:
        assert list(twin.state_dict()) == list(before)
        for name, value in twin.state_dict().items():
            close(value, before[name], 0)
        close(twin(z, y, index=at), copy.deepcopy(loss)(z, y, index=at))
    ready(loss, y)
    assert not any(value.any() for value in loss.state_dict().values())


@pytest.mark.parametrize(
    "make",
    [
        lambda: MannWhitneyLoss(temperature=0),
        lambda: AUCMarginLoss(margin=0),
        lambda: AUCMarginLoss(closed_form="yes"),
        lambda: SOAPLoss(margin=0),
        lambda: SOAPLoss(gamma=0),
        lambda: SOAPLoss(gamma=1.5),
    ],
)
def test_parameters_are_checked(make):
    with pytest.raises(InvalidParameterError):
        make()
