"""Cox's partial likelihood with weights, and losses of bags."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses import AggregateLoss, WeightedCoxLoss, functional

ETA = torch.tensor([0.2, -0.5, 1.0, 0.3], dtype=torch.float64)
TIME = torch.tensor([5.0, 3.0, 3.0, 1.0])
EVENT = torch.tensor([1, 1, 0, 1])

F = torch.tensor([0.5, 1.5, 2.0, 3.0], dtype=torch.float64)
MEANS = torch.tensor([1.0, 1.0, 3.0, 3.0], dtype=torch.float64)
BAGS = torch.tensor([4, 4, 9, 9])


def brute_force(eta, time, event, weight):
    """Sum over events of weighted logarithms, by two loops."""
    eta, time, event = eta.tolist(), time.tolist(), event.tolist()
    total = mass = 0.0
    for i in range(len(eta)):
        if event[i]:
            at_risk = sum(
                weight[j] * math.exp(eta[j]) for j in range(len(eta)) if time[j] >= time[i]
            )
            total += weight[i] * (math.log(at_risk) - eta[i])
            mass += weight[i]
    return total / mass


def random_times(n=30, seed=0):
    draw = np.random.default_rng(seed)
    eta = torch.from_numpy(draw.normal(size=n))
    return eta, torch.from_numpy(draw.integers(1, 6, n)), torch.from_numpy(draw.integers(0, 2, n))


# --- Cox


def test_cox_golden_values():
    for weight, value in ((1.0, 1.162861), (5.0, 2.401996)):
        found = WeightedCoxLoss(weight)(ETA, EVENT, time=TIME, event=EVENT)
        assert found.item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weight", [1.0, 5.0, 0.25])
def test_cox_is_that_of_two_loops_with_ties(seed, weight):
    eta, time, event = random_times(seed=seed)
    w = np.where(event.numpy() == 1, weight, 1.0)
    loss = WeightedCoxLoss(weight)
    found = loss(eta, event, time=time, event=event).item()
    assert found == pytest.approx(brute_force(eta, time, event, w), abs=1e-10)
    v = np.random.default_rng(seed).uniform(0, 2, 30)
    v[::7] = 0.0
    found = loss(eta, event, time=time, event=event, sample_weight=torch.from_numpy(v)).item()
    assert found == pytest.approx(brute_force(eta, time, event, v * w), abs=1e-10)


def test_cox_does_not_see_a_shift_nor_a_common_weight():
    eta, time, event = random_times()
    loss = WeightedCoxLoss()
    value = loss(eta, event, time=time, event=event).item()
    assert loss(eta + 123.0, event, time=time, event=event).item() == pytest.approx(
        value, abs=1e-10
    )
    v = torch.full((30,), 5.0, dtype=torch.float64)
    found = loss(eta, event, time=time, event=event, sample_weight=v).item()
    assert found == pytest.approx(value + math.log(5), abs=1e-10)


def test_cox_takes_rows_in_any_order_and_times_of_any_unit():
    eta, time, event = random_times()
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    loss = WeightedCoxLoss()
    value = loss(eta, event, time=time, event=event).item()
    assert loss(
        eta[order], event[order], time=time[order], event=event[order]
    ).item() == pytest.approx(value, abs=1e-10)
    other = loss(eta[:, None], event, time=0.01 * time.double(), event=event.bool()).item()
    assert other == pytest.approx(value, abs=1e-10)


def test_cox_prefers_the_right_order():
    time = torch.arange(1.0, 21.0)
    event = torch.ones(20)
    loss = WeightedCoxLoss()
    good, bad = (loss(sign * time, event, time=time, event=event).item() for sign in (-1, 1))
    # All but certain of who is next: what is left is the logarithm of the weight.
    assert good == pytest.approx(math.log(5.0), abs=0.5)
    assert bad > 5.0


def test_cox_without_events_and_of_one_row():
    eta = ETA.clone().requires_grad_()
    loss = WeightedCoxLoss()
    none = torch.zeros(4)
    value = loss(eta, none, time=TIME, event=none)
    value.backward()
    assert value.item() == 0
    assert eta.grad.abs().max() == 0
    one = WeightedCoxLoss(1.0)(ETA[:1], EVENT[:1], time=TIME[:1], event=EVENT[:1])
    assert one.item() == 0
    empty = torch.zeros(4, dtype=torch.float64)
    nothing = loss(ETA, EVENT, time=TIME, event=EVENT, sample_weight=empty)
    assert nothing.item() == 0


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
@pytest.mark.parametrize("weighted", [False, True])
def test_cox_stays_finite(size, weighted):
    eta, time, event = random_times()
    eta = (size * eta).float().requires_grad_()
    v = (torch.arange(30) % 3).float() if weighted else None
    if weighted:
        v[time == time.max()] = 0.0  # nothing at risk at the end
    value = WeightedCoxLoss()(eta, event, time=time, event=event, sample_weight=v)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(eta.grad).all()


def test_slopes_of_cox():
    eta, time, event = random_times(9)
    v = torch.linspace(0, 1, 9, dtype=torch.float64)
    loss = WeightedCoxLoss()
    for weight in (None, v):
        assert torch.autograd.gradcheck(
            lambda f, w=weight: loss(f, event, time=time, event=event, sample_weight=w),
            (eta.clone().requires_grad_(),),
        )


def test_what_cox_needs_is_asked_for():
    loss = WeightedCoxLoss()
    for given in ({}, {"time": TIME}, {"event": EVENT}):
        with pytest.raises(InvalidParameterError, match="times and events"):
            loss(ETA, EVENT, **given)
    with pytest.raises(DataError, match="one log hazard"):
        loss(torch.zeros(4, 2), EVENT, time=TIME, event=EVENT)
    with pytest.raises(InvalidParameterError, match="event_weight"):
        WeightedCoxLoss(0.0)


# --- bags


@pytest.mark.parametrize(("rho", "value"), [(0.0, 0.125), (1.0, 0.375), (0.5, 0.25)])
def test_bag_golden_values(rho, value):
    found = AggregateLoss(rho)(F, MEANS, group=BAGS)
    assert found.item() == pytest.approx(value, abs=1e-12)


def test_the_loss_of_rows_is_that_of_bags_and_their_spread():
    draw = np.random.default_rng(0)
    f, group = draw.normal(size=24), np.repeat([3, 1, 7, 5], 6)
    y = draw.normal(size=8)[group]
    bag, spread = 0.0, 0.0
    for name in (1, 3, 5, 7):
        of = group == name
        bag += (y[of][0] - f[of].mean()) ** 2 / 4
        spread += f[of].var() / 4
    given = {"group": torch.from_numpy(group)}
    tensors = torch.from_numpy(f), torch.from_numpy(y)
    assert AggregateLoss(0.0)(*tensors, **given).item() == pytest.approx(bag, abs=1e-10)
    rows = AggregateLoss(1.0)(*tensors, **given).item()
    assert rows == pytest.approx(((y - f) ** 2).mean(), abs=1e-10)
    assert rows == pytest.approx(bag + spread, abs=1e-10)
    mixed = AggregateLoss(0.3)(*tensors, **given).item()
    assert mixed == pytest.approx(bag + 0.3 * spread, abs=1e-10)


def test_bags_of_classes_by_hand():
    draw = np.random.default_rng(1)
    z, group = draw.normal(size=(9, 3)), np.array([0, 0, 1, 1, 1, 1, 2, 2, 2])
    shares = draw.dirichlet([1, 1, 1], 3)[group]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    bag, rows = [], []
    for name in range(3):
        of = group == name
        bag.append(-(shares[of][0] * np.log(p[of].mean(0))).sum())
        rows.append(-(shares[of][0] * np.log(p[of])).sum(1).mean())
    for rho in (0.0, 0.4, 1.0):
        found = AggregateLoss(rho, "cross_entropy")(
            torch.from_numpy(z), torch.from_numpy(shares), group=torch.from_numpy(group)
        )
        expected = (1 - rho) * np.mean(bag) + rho * np.mean(rows)
        assert found.item() == pytest.approx(expected, abs=1e-10)
    assert np.mean(bag) < np.mean(rows)


def test_targets_of_bags_take_their_usual_forms():
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(6, 3, generator=draw, dtype=torch.float64)
    y, group = torch.tensor([0, 0, 2, 2, 1, 1]), torch.tensor([0, 0, 1, 1, 2, 2])
    loss = AggregateLoss(0.5, "cross_entropy")
    shares = torch.nn.functional.one_hot(y, 3).double()
    assert loss(z, y, group=group).item() == loss(z, shares, group=group).item()
    single = torch.arange(6)
    alone = AggregateLoss(0.0, "cross_entropy")(z, y, group=single)
    expected = torch.nn.functional.cross_entropy(z, y)
    assert alone.item() == pytest.approx(expected.item(), abs=1e-10)
    part = torch.tensor([0.3, 0.3, 0.9, 0.9, 0.0, 0.0], dtype=torch.float64)
    two = torch.stack([torch.zeros(6, dtype=torch.float64), z[:, 0]], 1)
    one = loss(z[:, 0], part, group=group).item()
    assert one == pytest.approx(
        loss(two, torch.stack([1 - part, part], 1), group=group).item(), abs=1e-12
    )
    # The labels of the rows themselves: only their mean is used.
    own = torch.tensor([1, 0, 1, 1, 0, 0])
    mean = torch.tensor([0.5, 0.5, 1, 1, 0, 0], dtype=torch.float64)
    assert loss(two, own, group=group).item() == pytest.approx(
        loss(z[:, 0], mean, group=group).item(), abs=1e-12
    )


@pytest.mark.parametrize("kind", ["squared", "cross_entropy"])
def test_rows_and_bags_may_come_in_any_order_and_weigh(kind):
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(8, generator=draw, dtype=torch.float64)
    y = torch.tensor([0.2, 0.2, 0.2, 0.5, 0.5, 1, 1, 1], dtype=torch.float64)
    group = torch.tensor([5, 5, 5, 0, 0, 2, 2, 2])
    loss = AggregateLoss(0.4, kind)
    value = loss(z, y, group=group).item()
    order = torch.randperm(8, generator=draw)
    assert loss(z[order], y[order], group=-group[order]).item() == pytest.approx(value, abs=1e-10)
    v = torch.tensor([1.0, 1, 1, 2, 2, 1, 1, 1], dtype=torch.float64)
    weighed = loss(z, y, group=group, sample_weight=v).item()
    again = torch.cat([torch.arange(8), torch.tensor([3, 4])])
    names = torch.tensor([5, 5, 5, 0, 0, 2, 2, 2, 8, 8])
    assert weighed == pytest.approx(loss(z[again], y[again], group=names).item(), abs=1e-10)
    v = torch.tensor([1.0, 1, 1, 0, 0, 1, 1, 1], dtype=torch.float64)
    left = loss(z, y, group=group, sample_weight=v).item()
    assert left == pytest.approx(loss(z[v > 0], y[v > 0], group=group[v > 0]).item(), abs=1e-10)
    assert loss(z, y, group=group, sample_weight=0 * v).item() == 0


@pytest.mark.parametrize("kind", ["squared", "cross_entropy"])
@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_bags_stay_finite(kind, size):
    draw = torch.Generator().manual_seed(0)
    z = (size * torch.randn(8, generator=draw)).requires_grad_()
    y = torch.tensor([0.0, 0, 0, 0.5, 0.5, 1, 1, 1])
    v = torch.tensor([0.0, 1, 0, 1, 1, 0, 0, 0])
    for weight in (None, v):
        z.grad = None
        value = AggregateLoss(0.5, kind)(
            z, y, group=torch.tensor([5, 5, 5, 0, 0, 2, 2, 2]), sample_weight=weight
        )
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("kind", ["squared", "cross_entropy"])
@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_slopes_of_bags(kind, rho):
    y, group = MEANS / 4, BAGS
    loss = AggregateLoss(rho, kind)
    assert torch.autograd.gradcheck(
        lambda z: loss(z, y, group=group), (F.clone().requires_grad_(),)
    )


def test_what_bags_need_is_asked_for():
    with pytest.raises(InvalidParameterError, match="group"):
        AggregateLoss()(F, MEANS)
    with pytest.raises(DataError, match="kind='cross_entropy'"):
        AggregateLoss()(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]), group=BAGS)
    for params in ({"rho": 1.5}, {"kind": "mse"}):
        with pytest.raises(InvalidParameterError, match=next(iter(params))):
            AggregateLoss(**params)


def test_half_precision_and_copies():
    given = {"time": TIME, "event": EVENT}
    loss = WeightedCoxLoss()
    assert loss(ETA.bfloat16(), EVENT, **given).dtype == torch.float32
    bags = AggregateLoss(0.5)
    assert bags(F.bfloat16(), MEANS.bfloat16(), group=BAGS).dtype == torch.float32
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert other(ETA, EVENT, **given).item() == loss(ETA, EVENT, **given).item()
    assert AggregateLoss().link == "score"
    assert AggregateLoss(kind="cross_entropy").link == "softmax"


def test_means_of_bags():
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]])
    found = functional.bag_means(values, torch.tensor([1, 0, 1]))
    assert found.tolist() == [[3.0, 4.0], [3.0, 5.5]]
    weight = torch.tensor([3.0, 1.0, 1.0])
    found = functional.bag_means(values[:, 0], torch.tensor([1, 0, 1]), weight=weight)
    assert found.tolist() == [3.0, 2.0]
