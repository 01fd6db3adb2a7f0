"""Which rows are held out of training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit.exceptions import SmallClassWarning
from imbkit.nets._hold_out import HeldOut, held_out
from imbkit.nets._tensor_table import TensorTable


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_each_class_gives_its_share_and_keeps_a_row(labels, fraction):
    codes = np.array(labels)
    parts = held_out(codes, fraction, seed=0)
    sizes = np.bincount(codes, minlength=4)
    if parts is None:
        assert sizes.max() == 1
        return
    train, valid = parts
    assert np.sort(np.concatenate(parts)).tolist() == list(range(len(codes)))
    held = np.bincount(codes[valid], minlength=4)
    wanted = np.clip(np.floor(fraction * sizes + 0.5), 1, np.maximum(sizes - 1, 0))
    assert held.tolist() == np.minimum(wanted, np.maximum(sizes - 1, 0)).tolist()
    assert (np.bincount(codes[train], minlength=4) > 0).tolist() == (sizes > 0).tolist()


def test_a_class_of_one_row_is_trained_on():
    train, valid = held_out(np.array([0] * 20 + [1]), 0.5, seed=0)
    assert 20 in train
    assert len(valid) == 10


def test_the_seed_draws_the_rows():
    codes = np.repeat([0, 1], 50)
    first, same, other = (held_out(codes, 0.2, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == same
    assert first != other


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.7])
def test_groups_stay_together(fraction):
    rng = np.random.default_rng(0)
    groups, codes = rng.integers(0, 40, 400), (rng.random(400) < 0.2).astype(int)
    train, valid = held_out(codes, fraction, 0, groups)
    assert not set(groups[train]) & set(groups[valid])
    assert len(valid) / 400 == pytest.approx(fraction, abs=0.1)
    assert len(np.unique(codes[valid])) == 2


def test_a_class_of_one_group_stays_in_training():
    groups = np.repeat(np.arange(10), 10)
    codes = (groups == 3).astype(int)
    for seed in range(5):
        train, valid = held_out(codes, 0.1, seed, groups)
        assert codes[train].any()
        assert not codes[valid].any()


def test_of_groups_those_with_all_classes_are_held_out():
    groups = np.repeat(np.arange(20), 5)
    codes = np.isin(groups, (3, 8)).astype(int)
    for seed in range(8):
        train, valid = held_out(codes, 0.1, seed, groups)
        assert codes[train].any()
        assert codes[valid].any()


def test_a_class_with_few_rows_does_not_warn_or_fail():
    groups = np.arange(12)  # each row a group; warnings are errors in this suite
    assert held_out(np.array([0] * 10 + [1, 1]), 0.1, 0, groups) is not None
    assert held_out(np.array([0, 0, 1, 1]), 0.1, 0, np.arange(4)) is not None


def test_one_group_cannot_be_parted():
    assert held_out(np.repeat([0, 1], 10), 0.1, 0, np.zeros(20)) is None


def test_nothing_is_held_out_of_classes_of_one_row():
    assert held_out(np.arange(3), 0.5, 0) is None


def test_the_net_says_so_where_nothing_can_be_held_out(net, rare):
    X, y = rare
    with pytest.warns(SmallClassWarning, match="rows to hold out"):
        model = net().fit(X, y, groups=np.zeros(len(y)))
    assert "valid_loss" not in model.history_[-1]


def test_the_net_holds_groups_out_together(net, rare):
    X, y = rare
    groups = np.random.default_rng(0).choice([f"g{i}" for i in range(30)], len(y))
    train, valid = net().fit(X, y, groups=groups)._split
    assert len(valid)
    assert not set(groups[train]) & set(groups[valid])


def test_no_score_holds_nothing_out(net, rare):
    X, y = rare
    model = net(scoring=None).fit(X, y)
    assert model.class_counts_.tolist() == np.bincount(y).tolist()
    assert "valid_loss" not in model.history_[-1]


def test_held_out_gives_both_parts():
    import torch

    table = TensorTable({"X": torch.arange(4.0)[:, None]}, torch.arange(4))
    train, valid = HeldOut(np.array([0, 2]), np.array([3]))(table, None)
    assert train.y.tolist() == [0, 2]
    assert valid.X["X"].tolist() == [[3.0]]
