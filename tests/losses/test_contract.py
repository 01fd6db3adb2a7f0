"""What holds of every loss and every weighting, whatever it is made for."""

import copy
import pickle
import re
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from imbkit._core.catalog import catalog
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses import BaseLoss, BaseReweighter, LossContext
from imbkit.losses._base import NEEDS, reduced

EXACT = {"rtol": 1e-10, "atol": 1e-10}
SIZES = (0.0, 1e-6, 50.0, 1e4)
# The fields of a batch that serve a need.
FIELDS = {
    "embedding": ["embedding"],
    "head": ["head_weight"],
    "index": ["index"],
    "group": ["group"],
    "time": ["time", "event"],
    "model": ["model", "inputs"],
    "teacher": ["teacher_logits", "teacher_embedding"],
}
ROWS = ("logits", "target", "sample_weight", "embedding", "index", "group", "time", "event")
ROWS += ("inputs", "teacher_logits", "teacher_embedding")

LABELS = ("sigmoid", "score")  # links whose outputs may be taken as log-odds of labels
# Losses whose gradient is not meant to be that of their value, and why.
STOPPED = {
    "ALDRKLLoss": "the temperature of each row is held while the rest moves",
    "ConfusionAwareLoss": "the share of wins by which confusions are weighted is held",
    "EnsLoss": "the slopes are drawn, and the value is no loss",
    "InfluenceBalanced": "weights are held",
    "KLDRO": "weights are held",
    "LossBased": "weights are held",
    "PUMultilabelLoss": "temperature and weight of each label are held",
    "SFaceLoss": "the sizes of the gradient are given, and the value is no loss",
    "SOAPLoss": "the surrogate has the gradient of a running mean",
    "SeesawLoss": "the compensation of wrong probabilities is held",
}


def classes_in(loss):
    """Return the names of the classes that a loss is made of."""
    return {type(each).__name__ for each in loss.modules()}


def holds_its_gradient(case, loss):
    """Whether part of the gradient is stopped."""
    if case.settings.get("detach_focus"):  # of AsymmetricLoss: this is what it means
        return True
    return not STOPPED.keys().isdisjoint(classes_in(loss))


def rows_of(batch, order):
    """Return a batch of some rows of another."""

    def chosen(value):
        if isinstance(value, Mapping):
            return {name: chosen(each) for name, each in value.items()}
        return None if value is None else value[order]

    return batch.changed(**{name: chosen(getattr(batch, name)) for name in ROWS})


def turned(batch, order):
    """Return a batch with its classes, or labels, in another order."""
    y, model = batch.target, copy.deepcopy(batch.model)
    for parameter in model.parameters():
        parameter.data = parameter.data[order]
    return batch.changed(
        logits=batch.logits[:, order],
        target=y[:, order] if y.ndim == 2 else torch.argsort(order)[y],
        teacher_logits={name: each[:, order] for name, each in batch.teacher_logits.items()},
        head_weight=batch.head_weight[order],
        head_bias=batch.head_bias[order],
        model=model,
    )


def fields_of(batch):
    """Return what `forward` takes: logits, target and the rest by name."""
    given = {name: getattr(batch, name) for name in LossContext.__dataclass_fields__}
    return given.pop("logits"), given.pop("target"), given


def state_of(loss):
    """Return copies of all that a loss keeps between batches."""
    return {name: each.detach().clone() for name, each in loss.state_dict().items()}


def assert_same_state(a, b, **tolerance):
    assert a.keys() == b.keys()
    for name in a:
        assert_close(a[name], b[name], **(tolerance or {"rtol": 0, "atol": 0}), msg=name)


def value_of(loss, batch):
    """Return the value of a copy: what it keeps of the batch is forgotten."""
    return copy.deepcopy(loss).value(batch)


def assert_finite(loss, batch, said):
    """Check value and gradients, and the type of the value."""
    given = [batch.logits.clone().requires_grad_(), batch.embedding.clone().requires_grad_()]
    value = loss.value(batch.changed(logits=given[0], embedding=given[1]))
    assert value.shape == (), said
    assert value.dtype == batch.logits.dtype, said
    assert torch.isfinite(value), said
    assert value.requires_grad, f"{said}: a net calls backward, even if there is nothing to learn"
    gradients = torch.autograd.grad(value, [*given, *loss.parameters()], allow_unused=True)
    assert all(each is None or torch.isfinite(each).all() for each in gradients), said


# Values and gradients ---------------------------------------------------------------------------


def test_gradient_is_that_of_the_value(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch(6)
    if holds_its_gradient(loss_case, loss):
        return

    def value(logits, embedding):
        return value_of(loss, batch.changed(logits=logits, embedding=embedding))

    given = batch.logits.requires_grad_(), batch.embedding.requires_grad_()
    assert torch.autograd.gradcheck(value, given, fast_mode=True)


@pytest.mark.parametrize("name", sorted(STOPPED))
def test_a_stopped_gradient_is_one(name, cases_made_of):
    """A loss is left out of the test above only if it would fail there."""
    for case in cases_made_of(name):
        loss, batch = case.ready(), case.batch(6)

        def value(logits, loss=loss, batch=batch):
            return value_of(loss, batch.changed(logits=logits))

        given = batch.logits.requires_grad_()
        if not torch.autograd.gradcheck(value, given, fast_mode=True, raise_exception=False):
            return
    pytest.fail(f"{name} has the gradient of its value")


def test_value_and_gradient_are_finite_at_any_logits(loss_case):
    loss, batch = loss_case.ready(dtype=torch.float32), loss_case.batch(dtype=torch.float32)
    signs = batch.logits.sign()
    for training in (True, False):
        for size in SIZES:
            tried = batch.changed(logits=size * signs, training=training)
            assert_finite(loss, tried, (size, training))
        level = batch.changed(logits=torch.full_like(signs, SIZES[-1]), training=training)
        assert_finite(loss, level, ("the same everywhere", training))
        dead = batch.changed(embedding=torch.zeros_like(batch.embedding), training=training)
        assert_finite(loss, dead, ("embedding of zeros", training))


def test_odd_batches_and_rare_classes(loss_case):
    counted = loss_case.kind not in ("survival", "aggregate")
    for rare in (False, True):
        labels = loss_case.labels(rare) if counted else None
        loss = loss_case.ready(labels, dtype=torch.float32)
        for name, batch in loss_case.odd_batches().items():
            for training in (True, False):
                said = (name, rare, training)
                assert_finite(loss, batch.changed(training=training), said)


def test_parameters_have_gradients(learnable_case):
    loss = learnable_case.ready()
    assert "learnable" in loss.needs
    loss.value(learnable_case.batch()).backward()
    unused = {name for name, each in loss.named_parameters() if each.grad is None}
    # OneVsRest learns by its copies; what they are copies of stays as it is.
    copied = {name for name in unused if learnable_case.cls.__name__ == "OneVsRest"}
    assert all(name.startswith("loss.") for name in copied)
    assert unused == copied


# Rows, classes, weights -------------------------------------------------------------------------


def test_items_have_the_shape_of_the_level_and_their_mean_is_the_value(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    items = copy.deepcopy(loss).per_item(batch)
    assert (items.ndim == 0) == (loss.level == "batch")
    if items.ndim:
        assert items.shape == batch.target.shape[: items.ndim]
        assert items.ndim == 1 or loss_case.kind == "multilabel"
    mean = items.sum() / (len(batch.logits) if items.ndim else 1)
    assert_close(value_of(loss, batch), mean, **EXACT)
    z, y, given = fields_of(batch)
    assert_close(copy.deepcopy(loss)(z, y, **given), mean, **EXACT)


def test_the_order_of_rows_has_no_meaning(loss_case):
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    weight = torch.arange(1.0, 13.0, dtype=torch.float64)
    for training in (True, False):
        loss, other = loss_case.ready(), loss_case.ready()
        if training and "SmoothAdversarialCompSumLoss" in classes_in(loss):
            continue  # a search starts at random numbers, which rows get by their places
        batch = loss_case.batch().changed(training=training)
        if "ModuleLoss" not in classes_in(loss):
            batch = batch.changed(sample_weight=weight)
        for _ in range(2):
            assert_close(loss.value(batch), other.value(rows_of(batch, order)), **EXACT)
        assert_same_state(loss.state_dict(), other.state_dict(), **EXACT)


def test_the_order_of_classes_has_no_meaning(turned_case):
    """Where classes, their counts and their outputs are turned together."""
    labels, order = turned_case.labels(), torch.tensor([2, 0, 1])
    others = labels[:, order] if labels.ndim == 2 else torch.argsort(order).numpy()[labels]
    for training in (True, False):
        loss, other = turned_case.ready(), turned_case.ready(others)
        if training and "EnsLoss" in classes_in(loss):
            continue  # each label has numbers drawn of its own
        batch = turned_case.batch().changed(training=training)
        for _ in range(2):
            assert_close(loss.value(batch), other.value(turned(batch, order)), **EXACT)


def test_a_double_weight_is_a_row_twice(row_case):
    loss, batch = row_case.ready(), row_case.batch()
    if "ModuleLoss" in classes_in(loss):
        return
    weight = torch.ones(12, dtype=torch.float64)
    weight[[0, 5]] = 2.0
    twice = torch.cat([torch.arange(12), torch.tensor([0, 5])])
    mine = value_of(loss, batch.changed(sample_weight=weight))
    assert_close(mine, value_of(loss, rows_of(batch, twice)), **EXACT)
    assert_close(mine, value_of(loss, batch.changed(sample_weight=3 * weight)), **EXACT)


def test_a_row_without_weight_is_not_there(weighted_case):
    loss, batch = weighted_case.ready(), weighted_case.batch()
    weight = torch.ones(12, dtype=torch.float64)
    weight[3:6] = 0.0  # a whole bag of an aggregate
    left = (weight > 0).nonzero()[:, 0]
    mine = value_of(loss, batch.changed(sample_weight=weight))
    assert_close(mine, value_of(loss, rows_of(batch, left)), **EXACT)
    nothing = weighted_case.batch(dtype=torch.float32, sample_weight=torch.zeros(12))
    assert_finite(weighted_case.ready(dtype=torch.float32), nothing, "no weight at all")


def test_unknown_labels_are_left_out(label_case):
    batch = label_case.batch()
    hidden = torch.zeros_like(batch.target, dtype=torch.bool)
    hidden[[0, 3, 4], [1, 0, 2]] = True
    minus = batch.changed(target=batch.target.masked_fill(hidden, -1))
    blank = batch.changed(target=batch.target.double().masked_fill(hidden, torch.nan))
    mine = value_of(label_case.ready(), minus)
    assert torch.isfinite(mine)
    assert_close(mine, value_of(label_case.ready(), blank), **EXACT)
    inside = classes_in(label_case.build())
    if "EnsLoss" in inside:
        return  # drawn numbers are dealt out among all
    far = minus.changed(logits=batch.logits.masked_fill(hidden, 7.0))
    agrees = torch.isclose(value_of(label_case.ready(), far), mine, rtol=1e-10, atol=1e-10)
    # Of positives and unlabelled ones, the unlabelled are what it learns from.
    assert bool(agrees) != ("PUMultilabelLoss" in inside)


def test_one_score_a_row_is_the_log_odds_of_the_second_of_two(score_case):
    loss, batch = score_case.ready(), score_case.batch()
    # A class against the rest has a score of its own, as the notes of OneVsRest say.
    first = -1 if "OneVsRest" in classes_in(loss) else 0

    def columns(score):
        return torch.stack([first * score, score], dim=1)

    old = batch.teacher_logits.items()
    teachers = {name: columns(each) for name, each in old}
    two = batch.changed(logits=columns(batch.logits), teacher_logits=teachers)
    two.model = TwoColumns(batch.model)
    agree = torch.isclose(value_of(loss, batch), value_of(loss, two), rtol=1e-10, atol=1e-10)
    # A single score is divided by what the own class asks for: see the notes of VectorScalingLoss.
    assert bool(agree) != ("VectorScalingLoss" in classes_in(loss))


class TwoColumns(nn.Module):
    """A model of one score a row, with a column for each of two classes."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, inputs):
        score = self.model(inputs)[:, 0]
        return torch.stack([torch.zeros_like(score), score], dim=1)


# What is kept -----------------------------------------------------------------------------------


def test_setup_forgets_all_batches_and_counts(loss_case):
    counted = loss_case.kind not in ("survival", "aggregate")
    used, fresh = loss_case.ready(loss_case.labels(True) if counted else None), loss_case.ready()
    for seed in range(3):
        used.value(loss_case.batch(seed=seed))
    loss_case.see(used)
    assert_same_state(state_of(used), state_of(fresh))
    batch = loss_case.batch()
    assert used.value(batch) == fresh.value(batch)


def test_state_copies_and_pickles(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    for _ in range(2):
        loss.value(batch)
    loaded = loss_case.ready()
    loaded.load_state_dict(loss.state_dict())
    copies = [loaded, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    for one in copies:
        assert_same_state(state_of(one), state_of(loss))
    for _ in range(2):
        value = loss.value(batch)
        assert all(one.value(batch) == value for one in copies)


def test_looking_leaves_everything_as_it_was(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    odd = loss_case.odd_batches(batch.logits.dtype).values()
    loss.value(batch)
    before, torch_before = state_of(loss), torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()
    looked = batch.changed(training=False)
    value = loss.value(looked)
    assert loss.value(looked) == value
    # Combinations look at the items of a loss that is learned from, too.
    for each in (looked, *odd):
        loss.value(each.changed(training=False))
        loss.per_item(each.changed(training=False))
    assert_same_state(state_of(loss), before)
    z, y, given = fields_of(batch)
    del given["training"]
    assert loss.eval()(z, y, **given) == value
    assert_same_state(state_of(loss), before)
    loss.value(batch)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_the_batch_is_not_changed(loss_case):
    batch, again = loss_case.batch(), loss_case.batch()
    loss_case.ready().value(batch)
    for name in (*ROWS, "head_weight", "head_bias"):
        assert_close(getattr(batch, name), getattr(again, name), rtol=0, atol=0)
    assert_same_state(batch.model.state_dict(), again.model.state_dict())
    assert batch.model.training
    assert all(each.requires_grad and each.grad is None for each in batch.model.parameters())


# Types ------------------------------------------------------------------------------------------


def test_half_precision_is_computed_in_float32(loss_case):
    loss, batch = loss_case.ready(dtype=torch.float32), loss_case.batch(dtype=torch.float32)
    names = ("logits", "embedding", "head_weight", "head_bias")
    halves = {name: getattr(batch, name).to(torch.bfloat16) for name in names}
    value = value_of(loss, batch.changed(**halves))
    assert value.dtype == torch.float32
    wide = {name: each.float() for name, each in halves.items()}
    assert value == value_of(loss, batch.changed(**wide))


def test_the_type_is_that_of_the_logits(loss_case, default_dtype):
    for dtype in (torch.float32, torch.float64):
        values = []
        for default in (torch.float32, torch.float64):
            default_dtype(default)
            values.append(loss_case.ready(dtype=dtype).value(loss_case.batch(dtype=dtype)))
        assert [each.dtype for each in values] == [dtype, dtype]
        assert values[0] == values[1]


# What is needed ---------------------------------------------------------------------------------


def test_what_a_loss_says_of_itself_is_known(loss_case):
    loss = loss_case.build()
    assert loss.needs <= set(NEEDS)
    assert loss.level in ("sample", "element", "batch")
    assert loss.link in ("softmax", "sigmoid", "cosine", "score")
    assert loss.tasks <= {"binary", "multiclass", "multilabel", "survival", "aggregate"}
    assert loss.tasks


def test_what_is_needed_is_asked_for(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    for need in sorted(loss.needs & FIELDS.keys()):
        less = batch.changed(**dict.fromkeys(FIELDS[need]))
        less.teacher_logits = less.teacher_logits or {}
        with pytest.raises(InvalidParameterError, match=re.escape(f"needs {NEEDS[need]}")):
            loss.value(less)
    for name in {name for need in loss.needs - {"teacher"} for name in FIELDS.get(need, ())}:
        with pytest.raises(InvalidParameterError, match=": needs "):
            loss.value(batch.changed(**{name: None}))
    if "index" in loss.needs:  # rows that nothing is learned from have no place in the table
        assert torch.isfinite(loss.value(batch.changed(index=None, training=False)))


def test_a_loss_that_needs_setup_says_so(loss_case):
    loss, batch = loss_case.build(), loss_case.batch()
    for parameter in loss.parameters():
        parameter.data = parameter.data.double()
    # How many variables there are, and which cluster a row is in, is known from then on as well.
    labels = "learnable" in loss.needs and loss_case.kind == "multilabel"
    if loss.needs & {"counts", "n_train", "index"} or labels:
        with pytest.raises(InvalidParameterError, match=r"[Cc]all (setup|see\(X\) after setup)"):
            loss.value(batch)
    else:
        assert torch.isfinite(loss.value(batch))


def test_nothing_is_used_that_is_not_declared(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    needed = {name for need in loss.needs for name in FIELDS.get(need, ())}
    spare = {name for names in FIELDS.values() for name in names} - needed | {"head_bias"}
    less = batch.changed(**dict.fromkeys(spare - {"teacher_logits"}))
    if "teacher" not in loss.needs:
        less.teacher_logits = {}
    if "epoch" not in loss.needs:
        less = less.changed(epoch=0, max_epochs=1)
    assert value_of(loss, less) == value_of(loss, batch)


# Bad input --------------------------------------------------------------------------------------


def test_shapes_that_do_not_fit_are_refused(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    z, y = batch.logits, batch.target
    wrong = [batch.changed(target=y[:-1]), batch.changed(target=y.reshape(12, -1, 1))]
    wrong += [batch.changed(logits=z.reshape(12, -1, 1).expand(-1, -1, 2))]
    if loss_case.kind == "multilabel":
        wrong += [batch.changed(target=torch.cat([y, y], dim=1))]
    elif loss_case.kind not in ("survival", "aggregate"):
        wrong += [batch.changed(target=torch.stack([y, y, y, y], dim=1))]
    for each in wrong:
        with pytest.raises(DataError, match=r"Got .*shape"):
            loss.value(each)


def test_classes_that_are_no_integers_are_refused(class_case):
    loss, batch = class_case.ready(), class_case.batch()
    for kind in (torch.float64, torch.bool):
        other = batch.changed(target=batch.target.to(kind))
        if class_case.kind == "one score" and "multilabel" in loss.tasks and loss.link in LABELS:
            assert value_of(loss, other) == value_of(loss, batch)  # labels, as torch has them
            continue
        with pytest.raises(DataError, match="class positions of type int64"):
            loss.value(other)


# Parameters -------------------------------------------------------------------------------------


def same(a, b):
    """Whether two settings are the same, all the way down."""
    if isinstance(a, nn.Module):
        return type(a) is type(b) and repr(a) == repr(b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def test_parameters_are_kept_under_their_names(loss_class):
    made = loss_class.bare()
    for name, parameter in loss_class.parameters.items():
        given, kept = loss_class.settings.get(name, parameter.default), getattr(made, name)
        if name == "reweighter" and given is None:  # of Deferred, which says what None means
            given = type(kept)()
        if isinstance(kept, nn.ModuleList):
            kept, given = list(kept), given if isinstance(given, list) else [given]
        assert same(given, kept), name


def test_a_loss_can_be_made_again_of_its_parameters(loss_case):
    bare = loss_case.bare()
    kept = {name: getattr(bare, name) for name in loss_case.parameters}
    again, batch = loss_case.of(loss_case.cls, kept).ready(), loss_case.batch()
    assert again.value(batch) == loss_case.ready().value(batch)


def test_the_repr_names_all_parameters(loss_class):
    made = loss_class.bare()
    shown = repr(made)
    inner = {name for name, _ in made.named_children()}
    arrays = {k for k, v in loss_class.settings.items() if isinstance(v, np.ndarray)}
    for name in loss_class.parameters:
        value = f"({name})" if name in inner else f"{name}={getattr(made, name)!r}"
        value = f"{name}=" if name in arrays else value
        assert ("coefficients=" if name == "terms" else value) in shown
    if not inner and not arrays:
        names = {entry.name: entry.obj for entry in catalog("losses")}
        assert repr(eval(shown, names)) == shown


def test_the_class_has_its_own_card_and_docstring(loss_class):
    assert "card" in vars(loss_class.cls)
    assert vars(loss_class.cls)["__doc__"]
    assert issubclass(loss_class.cls, BaseLoss | BaseReweighter)


# Limits -----------------------------------------------------------------------------------------


def test_declared_limit_holds(loss_limit):
    mine, other = loss_limit
    weight = torch.arange(1.0, 13.0, dtype=torch.float64)
    for training in (True, False):
        batch = mine.batch().changed(training=training)
        for each in (batch, batch.changed(sample_weight=weight)):
            assert_close(mine.ready().value(each), other.ready().value(each), **EXACT)


def test_reduction_is_the_weighted_mean_of_rows():
    items = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    assert reduced(items) == 5.0
    assert reduced(items, torch.tensor([3.0, 1.0])) == 4.0
    assert reduced(items, torch.zeros(2)) == 0.0
    assert reduced(items[0, 0]) == 1.0
