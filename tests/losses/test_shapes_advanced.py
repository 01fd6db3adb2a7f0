"""Shapes with more than logits: smooth adversarial comp-sum losses, and random slopes."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from imbkit.exceptions import InvalidParameterError
from imbkit.losses import (
    ClassStats,
    ClassWeight,
    CompSumLoss,
    EnsLoss,
    LossContext,
    Reweighted,
    SmoothAdversarialCompSumLoss,
    functional,
    get_loss,
)
from imbkit.losses._draws import Draws

EXACT = {"atol": 1e-10, "rtol": 1e-10}


def normal(*shape, seed=0):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=source, dtype=torch.float64)


# Random numbers of a loss --------------------------------------------------------------------


def test_draws_are_a_stream_of_their_own():
    like = torch.zeros(3, 2, dtype=torch.float64)
    torch.manual_seed(5)
    outside = torch.get_rng_state()
    first, second = Draws(7, "X"), Draws(7, "X")
    one, two = first.normal(like), first.normal(like)
    assert not torch.equal(one, two)
    assert torch.equal(one, second.normal(like))
    assert not torch.equal(one, Draws(8, "X").normal(like))
    assert torch.equal(outside, torch.get_rng_state())
    assert one.dtype == torch.float64
    assert first.normal(like.float()).dtype == torch.float32
    first.restart()
    assert torch.equal(one, first.normal(like))


def test_draws_go_on_where_they_were_saved():
    like = torch.zeros(4)
    draws, other = Draws(7, "X"), Draws(7, "X")
    draws.normal(like)
    other.load_state_dict(draws.state_dict())
    copies = [other, copy.deepcopy(draws), pickle.loads(pickle.dumps(draws))]
    wanted = draws.normal(like)
    assert all(torch.equal(each.normal(like), wanted) for each in copies)


def test_draws_are_normal():
    numbers = Draws(0, "X").normal(torch.zeros(20_000, dtype=torch.float64))
    assert abs(numbers.mean()) < 0.03
    assert abs(numbers.std() - 1) < 0.03


# Smooth adversarial comp-sum losses ----------------------------------------------------------


class Net(nn.Module):
    """A small net with all that must be left alone by the search."""

    def __init__(self, n_outputs=3, noisy=True):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.5 if noisy else 0.0)
        self.head = nn.Linear(8, n_outputs)
        self.modes = []
        self.double()

    def forward(self, X):
        self.modes.append(self.training)
        e = self.drop(torch.tanh(self.norm(self.first(X))))
        return self.head(e), e


class Takes(nn.Module):
    """A net of a mapping, with codes that must not be moved."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 3, dtype=torch.float64)
        self.seen = []

    def forward(self, inputs):
        self.seen.append(inputs)
        return self.body(inputs["X"]) + inputs["codes"][:, None]


def linear(n_outputs=3):
    torch.manual_seed(1)
    return nn.Linear(4, n_outputs, dtype=torch.float64)


X, Y = normal(12, 4), torch.arange(12) % 3


def gap(loss, model, x=X, y=Y, **given):
    """The penalty alone."""
    z = model(x)
    z = z[0] if isinstance(z, tuple) else z
    batch = LossContext(z, y, model=model, inputs=x, **given)
    base = CompSumLoss(loss.tau).per_item(LossContext(z, y))
    return (loss.per_item(batch) - base) / loss.nu


def margins(z, y):
    """z_y - z_k of the other classes."""
    others = torch.tensor([[k for k in range(z.shape[1]) if k != int(own)] for own in y])
    return z.gather(1, y[:, None]) - z.gather(1, others)


def test_margin_gap():
    z, moved = normal(12, 3), normal(12, 3, seed=1)
    wanted = (margins(moved, Y) - margins(z, Y)).norm(dim=1)
    assert_close(functional.margin_gap(z, moved, Y), wanted, **EXACT)
    two = functional.margin_gap(z[:, :2], moved[:, :2], Y % 2)
    one = functional.margin_gap(z[:, 1] - z[:, 0], moved[:, 1] - moved[:, 0], Y % 2)
    assert_close(one, two, **EXACT)
    assert torch.autograd.gradcheck(
        lambda a, b: functional.margin_gap(a, b, Y), (z.requires_grad_(), moved.requires_grad_())
    )


def test_margins_that_have_not_moved_have_a_finite_slope():
    z = torch.zeros(2, 3, requires_grad=True)
    functional.margin_gap(z, z.detach(), torch.tensor([0, 1])).sum().backward()
    assert torch.equal(z.grad, torch.zeros(2, 3))


@pytest.mark.parametrize("settings", [{"nu": 0.0}, {"eps": 0.0}])
@pytest.mark.parametrize("tau", [0.0, 1.0, 1.7])
def test_no_penalty_is_comp_sum(settings, tau):
    z = normal(12, 3)
    loss = SmoothAdversarialCompSumLoss(tau, **settings)
    assert loss.needs == frozenset()
    assert_close(loss(z, Y), CompSumLoss(tau)(z, Y), **EXACT)


def test_two_classes_and_a_linear_model_have_a_known_worst_move():
    model, y = linear(2), Y % 2
    w = model.weight[1] - model.weight[0]
    for x in (X, 100 * X):
        linf = gap(SmoothAdversarialCompSumLoss(eps=0.3), model, x, y)
        assert_close(linf, (0.3 * w.abs().sum()).expand(12), atol=1e-9, rtol=0)
        l2 = gap(SmoothAdversarialCompSumLoss(eps=0.3, norm="l2"), model, x, y)
        assert_close(l2, (0.3 * w.norm()).expand(12), atol=0, rtol=0.01)
        assert (l2 <= 0.3 * w.norm() + 1e-9).all()
    few = gap(SmoothAdversarialCompSumLoss(eps=0.3, columns=[1, -1]), model, X, y)
    assert_close(few, (0.3 * w[[1, 3]].abs().sum()).expand(12), atol=1e-9, rtol=0)


def test_the_search_gets_near_the_largest_gap():
    model, y = linear(3), Y
    loss = SmoothAdversarialCompSumLoss(eps=0.3, steps=10)
    found = gap(loss, model)
    corners = torch.cartesian_prod(*[torch.tensor([-0.3, 0.3], dtype=torch.float64)] * 4)
    gaps = [functional.margin_gap(model(X), model(X + corner), y) for corner in corners]
    best = torch.stack(gaps).amax(0)
    assert (found <= best + 1e-9).all()
    assert (found >= 0.5 * best).all()  # some end at a lesser peak
    assert found.mean() >= 0.9 * best.mean()


def test_the_loss_is_the_sum_of_both():
    model = linear()
    whole = gap(SmoothAdversarialCompSumLoss(nu=1.0), model)
    half = gap(SmoothAdversarialCompSumLoss(nu=0.5), model)
    assert_close(whole, half, **EXACT)  # of nu, and added with nu
    assert (whole > 0).all()


def test_the_model_is_left_as_it_was():
    model = Net().train()
    model.norm.eval()  # a part that was frozen on purpose
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.first.weight.requires_grad_(False)
    z, _ = model(X)
    model.modes.clear()
    loss = SmoothAdversarialCompSumLoss(steps=3)
    loss(z, Y, model=model, inputs=X)
    assert model.modes == [False] * 4 + [True]  # rows themselves, 3 steps; then to learn from
    assert model.training
    assert model.drop.training
    assert not model.norm.training
    assert [p.requires_grad for p in model.parameters()] == [False] + [True] * 5
    assert all(p.grad is None for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_running_statistics_see_the_moved_rows_once():
    model = Net().train()
    z, _ = model(X)
    assert model.norm.num_batches_tracked == 1
    SmoothAdversarialCompSumLoss()(z, Y, model=model, inputs=X)
    assert model.norm.num_batches_tracked == 2


def test_both_passes_are_learned_from():
    model = linear()
    model.zero_grad()
    loss = SmoothAdversarialCompSumLoss()
    z = model(X)
    loss(z, Y, model=model, inputs=X).backward()
    alone = linear()
    CompSumLoss()(alone(X), Y).backward()
    assert model.weight.grad.isfinite().all()
    assert not torch.allclose(model.weight.grad, alone.weight.grad)
    # The gap of a linear model hangs on the rows' moves alone, so that its slope is known.
    start = loss.eps / 10 * Draws(0, "X").normal(X)
    assert start.abs().max() < loss.eps
    before = gap(SmoothAdversarialCompSumLoss(), model).mean().item()
    with torch.no_grad():
        model.weight -= 0.1 * (model.weight.grad - alone.weight.grad)
    assert gap(SmoothAdversarialCompSumLoss(), model).mean().item() < before


def test_a_mapping_of_inputs_keeps_its_codes():
    model = Takes()
    inputs = {"X": X, "codes": torch.arange(12)}
    z = model(inputs)
    model.seen.clear()
    SmoothAdversarialCompSumLoss(eps=0.2)(z, Y, model=model, inputs=inputs)
    assert len(model.seen) == 7
    assert all(torch.equal(each["codes"], inputs["codes"]) for each in model.seen)
    moves = [(each["X"] - X).abs().max().item() for each in model.seen]
    assert 0.0 < moves[0] < 0.1  # noise, and then the rows themselves
    assert moves[1] == 0.0
    assert max(moves) <= 0.2 + 1e-12
    assert moves[-1] == pytest.approx(0.2)
    assert inputs["X"] is X


def test_only_the_given_columns_move():
    model = Takes()
    inputs = {"X": X, "codes": torch.arange(12)}
    z = model(inputs)
    SmoothAdversarialCompSumLoss(columns=[2])(z, Y, model=model, inputs=inputs)
    for each in model.seen:
        assert torch.equal(each["X"][:, [0, 1, 3]], X[:, [0, 1, 3]])
    assert not torch.equal(model.seen[-1]["X"], X)


def test_the_search_starts_elsewhere_each_time_and_the_same_for_a_seed():
    model = Net(noisy=False).eval()
    values = []
    loss = SmoothAdversarialCompSumLoss(steps=1, eps=0.5)
    for _ in range(3):
        loss.setup(ClassStats.from_labels(Y.numpy()))
        values.append([gap(loss, model), gap(loss, model)])
    assert torch.equal(values[0][0], values[1][0])
    assert torch.equal(values[0][1], values[2][1])
    assert not torch.equal(values[0][0], values[0][1])
    other = SmoothAdversarialCompSumLoss(steps=1, eps=0.5, seed=1)
    assert not torch.equal(gap(other, model), values[0][0])


def test_adversarial_evaluation_is_comp_sum_without_any_search():
    model = Net().eval()
    z, _ = model(X)
    loss = SmoothAdversarialCompSumLoss().eval()
    model.modes.clear()
    state = loss.state_dict()
    with torch.no_grad():
        given = loss(z, Y, model=model, inputs=X)
    batch = LossContext(z, Y, model=model, inputs=X, training=False)
    assert_close(given, CompSumLoss()(z, Y), **EXACT)
    assert_close(loss.per_item(batch).mean(), given, **EXACT)
    assert model.modes == []
    assert {k: int(v) for k, v in state.items()} == {
        k: int(v) for k, v in loss.state_dict().items()
    }


def test_the_penalty_can_be_looked_at_without_gradients():
    model = linear()
    with torch.no_grad():
        value = SmoothAdversarialCompSumLoss()(model(X), Y, model=model, inputs=X)
    assert value.isfinite()
    assert not value.requires_grad


def test_one_score_a_row():
    model = nn.Sequential(linear(1), nn.Flatten(0))
    w = model[0].weight[0]
    found = gap(SmoothAdversarialCompSumLoss(eps=0.3), model, X, Y % 2)
    assert_close(found, (0.3 * w.abs().sum()).expand(12), atol=1e-9, rtol=0)


def test_adversarial_rows_stand_for_themselves():
    model = linear()
    loss = SmoothAdversarialCompSumLoss(eps=0.3)
    whole = gap(loss, model)
    for k in (0, 5):
        loss.setup(ClassStats.from_labels(Y.numpy()))
        alone = gap(loss, model, X[k : k + 1], Y[k : k + 1])
        assert_close(alone, whole[k : k + 1], atol=0.1, rtol=0)  # from another start


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_adversarial_is_finite_for_any_logits(size, norm):
    model = nn.Linear(4, 3)
    model.weight.data = (size * normal(3, 4).sign()).float()
    x = X.float().sign()
    z = model(x)
    value = SmoothAdversarialCompSumLoss(norm=norm)(z, Y, model=model, inputs=x)
    value.backward()
    assert value.isfinite()
    assert model.weight.grad.isfinite().all()


def test_adversarial_bad_input():
    z = normal(12, 3)
    loss = SmoothAdversarialCompSumLoss()
    with pytest.raises(InvalidParameterError, match="needs the model"):
        loss(z, Y)
    with pytest.raises(InvalidParameterError, match="needs the model"):
        loss(z, Y, inputs=X)
    model = linear()
    for inputs in ({"x": X}, {"X": Y}, Y):
        with pytest.raises(InvalidParameterError, match="tensor of floats"):
            loss(z, Y, model=model, inputs=inputs)
    with pytest.raises(InvalidParameterError, match="positions of the 4 columns"):
        SmoothAdversarialCompSumLoss(columns=[4])(z, Y, model=model, inputs=X)
    with pytest.raises(InvalidParameterError, match="gradients"):
        loss(z, Y, model=lambda x: model(x).detach(), inputs=X)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"tau": -1}, "tau must"),
        ({"nu": -1}, "nu must"),
        ({"eps": -0.1}, "eps must"),
        ({"steps": 0}, "steps must"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"norm": "l1"}, "norm must be one of 'linf', 'l2'"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_adversarial_parameters_are_checked(settings, match):
    with pytest.raises(InvalidParameterError, match=match):
        SmoothAdversarialCompSumLoss(**settings)


# Random slopes -------------------------------------------------------------------------------


@pytest.mark.parametrize("lam", [0.0, 0.5, 2.0, -1.0, -0.3])
def test_slopes_are_those_of_a_convex_calibrated_loss(lam):
    m = 3 * normal(200)
    g = functional.random_slopes(m, normal(200, seed=1), lam=lam)
    assert (g < 0).all()
    assert (g >= -1 - 1e-6).all()
    assert (g[m.argsort()].diff() >= 0).all()
    assert g.unique().numel() > 30
    # A tail whose integral diverges: |g| m stays within bounds, and loss falls as a logarithm.
    assert (g.abs() * m)[m > 1].max() <= 1 + 1e-6 * m.max()


def test_slopes_against_their_formula():
    m = torch.tensor([0.5, 4.0, -2.0, 1.0, 2.0], dtype=torch.float64)
    noise = torch.tensor([-1.0, 0.5, -2.0, -0.5, -3.0], dtype=torch.float64)
    size = torch.tensor([-0.5, -1.0, -2.0, -3.0], dtype=torch.float64).exp()
    wanted = -torch.tensor([size[0], size[3] / 4, 1.0, size[1], size[2] / 2], dtype=torch.float64)
    assert_close(functional.random_slopes(m, noise), wanted - 1e-6, **EXACT)
    root = functional.random_slopes(m[:1], torch.tensor([-1.0], dtype=torch.float64), lam=0.5)
    assert_close(root, torch.tensor([-0.25 - 1e-6], dtype=torch.float64), **EXACT)
    none = functional.random_slopes(m[:1], torch.tensor([-3.0], dtype=torch.float64), lam=0.5)
    assert_close(none, torch.tensor([-1e-6], dtype=torch.float64), **EXACT)


def test_labels_have_slopes_of_their_own():
    m, noise = normal(30, 3), normal(30, 3, seed=1)
    each = [functional.random_slopes(m[:, k], noise[:, k]) for k in range(3)]
    assert torch.equal(functional.random_slopes(m, noise), torch.stack(each, dim=1))


def test_gradient_of_ens_loss_is_the_slope():
    s, y = normal(20).requires_grad_(), torch.arange(20) % 2
    (slope,) = torch.autograd.grad(EnsLoss(seed=4)(s, y), s)
    sign = 2.0 * y - 1
    m = sign * s.detach()
    g = functional.random_slopes(m, Draws(4, "X").normal(m))
    assert_close(slope, g * sign / 20, **EXACT)


def test_ens_loss_draws_anew_for_every_batch_and_the_same_for_a_seed():
    s, y = normal(20), torch.arange(20) % 2
    batch = LossContext(s, y)
    loss, other = EnsLoss(), EnsLoss()
    first, second = loss.per_item(batch), loss.per_item(batch)
    assert not torch.equal(first, second)
    assert torch.equal(other.per_item(batch), first)
    assert not torch.equal(EnsLoss(seed=1).per_item(batch), first)
    copies = [other, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    other.load_state_dict(loss.state_dict())
    third = loss.per_item(batch)
    assert all(torch.equal(each.per_item(batch), third) for each in copies)
    loss.setup(ClassStats.from_labels(y.numpy()))
    assert torch.equal(loss.per_item(batch), first)


def test_evaluation_of_ens_loss_is_the_logistic_loss():
    s, y = 10 * normal(20), torch.arange(20) % 2
    loss = EnsLoss()
    first = copy.deepcopy(loss).per_item(LossContext(s, y))
    wanted = torch.log1p(torch.exp(-(2 * y - 1) * s))
    outside = torch.get_rng_state()
    assert_close(loss.eval_item(LossContext(s, y)), wanted, **EXACT)
    assert_close(loss.per_item(LossContext(s, y, training=False)), wanted, **EXACT)
    assert_close(loss.eval()(s, y), wanted.mean(), **EXACT)
    assert torch.equal(loss.per_item(LossContext(s, y)), first)
    assert torch.equal(outside, torch.get_rng_state())


def test_two_columns_are_taken_as_their_difference():
    z, y = normal(20, 2), torch.arange(20) % 2
    s = z[:, 1] - z[:, 0]
    assert_close(EnsLoss()(z, y), EnsLoss()(s, y), **EXACT)
    assert_close(EnsLoss().eval()(z, y), EnsLoss().eval()(s, y), **EXACT)


def test_missing_labels_count_for_nothing():
    s = normal(6, 3).requires_grad_()
    y = torch.tensor([[1.0, 0, 1], [0, -1, 0], [1, 1, float("nan")]] * 2)
    known = y >= 0
    for loss in (EnsLoss(), EnsLoss().eval()):
        batch = LossContext(s, y, training=loss.training)
        given = loss.per_item(batch) if loss.training else loss.eval_item(batch)
        assert torch.equal(given[~known], torch.zeros(4, dtype=torch.float64))
        (slope,) = torch.autograd.grad(given.sum(), s)
        assert slope.isfinite().all()
        assert (slope != 0).equal(known)
    whole = LossContext(s, y.nan_to_num().clamp_min(0).long(), training=False)
    assert_close(EnsLoss().eval_item(whole)[known], EnsLoss().eval_item(batch)[known], **EXACT)


def test_class_weights_multiply_random_slopes():
    s, y = normal(20), (torch.arange(20) % 4 == 0).long()
    stats = ClassStats.from_labels(y.numpy())
    loss = Reweighted(EnsLoss(seed=2), ClassWeight())
    loss.setup(stats)
    weights = torch.as_tensor(ClassWeight().class_factors(stats))[y]
    wanted = weights * EnsLoss(seed=2).per_item(LossContext(s, y))
    assert_close(loss.per_item(LossContext(s, y)), wanted, **EXACT)


@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 50.0, 1e4])
@pytest.mark.parametrize("lam", [0.0, 0.01, -0.01, 5.0, -5.0])
def test_ens_loss_is_finite_for_any_scores(size, lam):
    s = (size * normal(30).sign()).float().requires_grad_()
    y = torch.arange(30) % 2
    value = EnsLoss(lam)(s, y)
    value.backward()
    assert value.isfinite()
    assert s.grad.isfinite().all()
    for n in (1, 2):
        assert EnsLoss(lam)(s[:n], torch.zeros(n, dtype=torch.int64)).isfinite()


def test_ens_loss_learns():
    y = (torch.arange(200) % 2).long()
    x = normal(200, 4) + 1.5 * y[:, None]
    model = linear(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    loss = EnsLoss()
    for _ in range(100):
        optimizer.zero_grad()
        loss(model(x)[:, 0], y).backward()
        optimizer.step()
    assert ((model(x)[:, 0] > 0).long() == y).float().mean() > 0.9


def test_ens_loss_bad_input():
    with pytest.raises(InvalidParameterError, match="serves two classes.*OneVsRest"):
        EnsLoss()(normal(4, 3), torch.tensor([0, 1, 2, 0]))
    for settings in ({"lam": float("nan")}, {"seed": 1.5}, {"seed": True}):
        with pytest.raises(InvalidParameterError, match="must be"):
            EnsLoss(**settings)


def test_half_precision_scores():
    s, y = normal(20).bfloat16(), torch.arange(20) % 2
    assert_close(EnsLoss()(s, y), EnsLoss()(s.float(), y))


@pytest.mark.parametrize("cls", [EnsLoss, SmoothAdversarialCompSumLoss])
def test_cards_and_names(cls):
    assert repr(get_loss(cls.names[0])) == repr(cls())
    for case in cls.card.cases:
        loss = cls(**case)
        assert {name: getattr(loss, name) for name in case} == dict(case)
