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
from imbkit.losses import BaseLoss, BaseReweighter, LossContext, Reweighted
from imbkit.losses._base import NEEDS, reduced

EXACT = {"rtol": 1e-10, "atol": 1e-10}
SIZES = (0.0, 1e-6, 50.0, 1e4)
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

# Losses whose gradient is meant not to be that of their value, and why.
STOPPED = {
    "ALDRKLLoss": "the temperature of each row is held while the rest moves",
    "ConfusionAwareLoss": "the share of wins that a row's confusion is weighted by is held",
    "EnsLoss": "the slopes are drawn, and the value is no loss",
    "InfluenceBalanced": "weights are held",
    "KLDRO": "weights are held",
    "LossBased": "weights are held",
    "PUMultilabelLoss": "temperature and weight of each label are held",
    "SFaceLoss": "the sizes of the gradient are given, and the value is no loss",
    "SOAPLoss": "the surrogate has the gradient of a running mean",
    "SeesawLoss": "the compensation by wrong probabilities is held",
}
DRAWN = {"EnsLoss", "SmoothAdversarialCompSumLoss"}  # a row's random number is by its place


def classes_in(loss):
    """Return the names of the classes that a loss is made of."""
    return {type(each).__name__ for each in loss.modules()}


def rows_of(batch, order):
    """Return a batch of some rows of another."""

    def chosen(value):
        if isinstance(value, Mapping):
            return {name: chosen(each) for name, each in value.items()}
        return None if value is None else value[order]

    return batch.changed(**{name: chosen(getattr(batch, name)) for name in ROWS})


def classes_of(batch, order):
    """Return a batch with its classes, or labels, in another order."""
    back = torch.argsort(order)
    y = batch.target
    model = copy.deepcopy(batch.model)
    for parameter in model.parameters():
        parameter.data = parameter.data[order]
    return batch.changed(
        logits=batch.logits[:, order],
        target=y[:, order] if y.ndim == 2 else back[y],
        teacher_logits={name: each[:, order] for name, each in batch.teacher_logits.items()},
        head_weight=batch.head_weight[order],
        head_bias=batch.head_bias[order],
        model=model,
    )


def state_of(loss):
    """Return copies of all that a loss keeps between batches."""
    return {name: copy.deepcopy(value) for name, value in loss.state_dict().items()}


def assert_same_state(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert_close(a[name], b[name], rtol=0, atol=0, equal_nan=True, msg=name)


def value_of(loss, batch):
    """Return the value of a copy: what it keeps of the batch is forgotten."""
    return copy.deepcopy(loss).value(batch)


def assert_finite(loss, batch):
    """Finite value and gradient, and a gradient for every parameter of the loss itself."""
    wanted = [batch.logits.clone().requires_grad_(), batch.embedding.clone().requires_grad_()]
    value = loss.value(batch.changed(logits=wanted[0], embedding=wanted[1]))
    assert value.shape == ()
    assert torch.isfinite(value), value
    assert value.dtype == batch.logits.dtype
    wanted += list(loss.parameters())
    for gradient in torch.autograd.grad(value, wanted, allow_unused=True):
        assert gradient is None or torch.isfinite(gradient).all()


# Values and gradients ---------------------------------------------------------------------------


def test_gradient_is_that_of_the_value(loss_case):
    loss = loss_case.ready()
    if STOPPED.keys() & classes_in(loss):
        pytest.skip("stopped gradients: " + " ".join(STOPPED.keys() & classes_in(loss)))
    batch = loss_case.batch(6)

    def value(logits, embedding):
        return value_of(loss, batch.changed(logits=logits, embedding=embedding))

    given = batch.logits.requires_grad_(), batch.embedding.requires_grad_()
    assert torch.autograd.gradcheck(value, given, fast_mode=True)


@pytest.mark.parametrize("name", sorted(STOPPED))
def test_a_stopped_gradient_is_one(name, stopped_cases):
    """A loss is left out of the test above only if it would fail there."""
    failed = []
    for case in stopped_cases(name):
        loss, batch = case.ready(), case.batch(6)
        logits = batch.logits.requires_grad_()

        def value(z, loss=loss, batch=batch):
            return value_of(loss, batch.changed(logits=z))

        failed.append(not torch.autograd.gradcheck(value, logits, raise_exception=False))
    assert any(failed)


@pytest.mark.parametrize("training", [True, False])
def test_value_and_gradient_are_finite_at_any_logits(loss_case, training):
    loss = loss_case.ready(dtype=torch.float32)
    plain = loss_case.batch(dtype=torch.float32)
    for size in SIZES:
        for logits in (size * plain.logits.sign(), torch.full_like(plain.logits, size)):
            assert_finite(copy.deepcopy(loss), plain.changed(logits=logits, training=training))
    dead = torch.zeros_like(plain.embedding)
    assert_finite(loss, plain.changed(embedding=dead, training=training))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("rare", [False, True])
def test_odd_batches(loss_case, rare, training):
    labels = None if loss_case.kind in ("survival", "aggregate") else loss_case.labels(rare)
    for name, batch in loss_case.odd_batches().items():
        loss = loss_case.ready(labels, dtype=torch.float32)
        try:
            assert_finite(loss, batch.changed(training=training))
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_a_loss_can_be_learned_from(loss_case):
    """Even where there is nothing to learn, a net calls ``backward``."""
    for name, batch in loss_case.odd_batches().items():
        logits, embedding = batch.logits.requires_grad_(), batch.embedding.requires_grad_()
        value = loss_case.ready(dtype=torch.float32).value(
            batch.changed(logits=logits, embedding=embedding)
        )
        assert value.requires_grad, name


def test_parameters_have_gradients(loss_case):
    loss = loss_case.ready()
    own = dict(loss.named_parameters())
    assert bool(own) == ("learnable" in loss.needs)
    loss.value(loss_case.batch()).backward() if own else None
    # OneVsRest learns with its copies; the loss that they are made of stays as it is.
    unused = {name for name, each in own.items() if each.grad is None}
    if loss_case.cls.__name__ == "OneVsRest":
        unused = {name for name in unused if not name.startswith("loss.")}
    assert not unused


# Rows, classes, weights -------------------------------------------------------------------------


def test_items_have_the_shape_of_the_level_and_their_mean_is_the_value(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    items = copy.deepcopy(loss).per_item(batch)
    assert (items.ndim == 0) == (loss.level == "batch")
    if items.ndim:
        assert items.shape == batch.target.shape[: items.ndim]
        assert items.ndim == 1 or loss_case.kind == "multilabel"
    total = items.sum() / (len(batch.logits) if items.ndim else 1)
    assert_close(value_of(loss, batch), total, **EXACT)
    given = {name: getattr(batch, name) for name in LossContext.__dataclass_fields__}
    z, y = given.pop("logits"), given.pop("target")
    assert_close(copy.deepcopy(loss)(z, y, **given), total, **EXACT)


@pytest.mark.parametrize("training", [True, False])
def test_the_order_of_rows_has_no_meaning(loss_case, training):
    if training and "SmoothAdversarialCompSumLoss" in classes_in(loss_case.build()):
        pytest.skip("searches start at random numbers by place")
    loss, other = loss_case.ready(), loss_case.ready()
    batch = loss_case.batch().changed(training=training)
    batch = batch.changed(sample_weight=torch.arange(1.0, 13.0, dtype=torch.float64))
    if loss_case.cls.__name__ == "ModuleLoss":
        batch = batch.changed(sample_weight=None)
    order = torch.randperm(len(batch.logits), generator=torch.Generator().manual_seed(3))
    for _ in range(2):
        assert_close(loss.value(batch), other.value(rows_of(batch, order)), **EXACT)
    for name, kept in loss.state_dict().items():
        assert_close(kept, other.state_dict()[name], **EXACT)


@pytest.mark.parametrize("training", [True, False])
def test_the_order_of_classes_has_no_meaning(loss_case, training):
    """Where classes, their counts and their outputs are turned together."""
    loss = loss_case.ready()
    settings = str(loss_case.settings)
    ordered = {"new_classes", "class_means"} & set(loss_case.settings)
    drawn = training and "EnsLoss" in classes_in(loss)
    if loss_case.kind not in ("multiclass", "multilabel") or ordered or drawn:
        pytest.skip(f"no classes to turn, or an order that counts: {settings}")
    batch, labels = loss_case.batch().changed(training=training), loss_case.labels()
    order = torch.tensor([2, 0, 1])
    turned = labels[:, order] if labels.ndim == 2 else torch.argsort(order).numpy()[labels]
    other = loss_case.ready(turned)
    for _ in range(2):
        mine, theirs = loss.value(batch), other.value(classes_of(batch, order))
        assert_close(mine, theirs, **EXACT)


def test_a_double_weight_is_a_row_twice(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    if loss.level == "batch" or DRAWN & classes_in(loss):
        pytest.skip("of rows that have a loss of their own, without random numbers")
    weight = torch.ones(len(batch.logits), dtype=torch.float64)
    weight[[0, 5]] = 2.0
    twice = torch.cat([torch.arange(len(weight)), torch.tensor([0, 5])])
    mine = value_of(loss, batch.changed(sample_weight=weight))
    assert_close(mine, value_of(loss, rows_of(batch, twice)), **EXACT)
    assert_close(mine, value_of(loss, batch.changed(sample_weight=3 * weight)), **EXACT)


def test_a_row_without_weight_is_not_there(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    if "ModuleLoss" in classes_in(loss) or DRAWN & classes_in(loss):
        pytest.skip("of losses that know weights, without random numbers")
    weight = torch.ones(len(batch.logits), dtype=torch.float64)
    gone = [3, 4, 5]  # a whole bag of an aggregate
    weight[gone] = 0.0
    left = torch.tensor([i for i in range(len(weight)) if i not in gone])
    mine = value_of(loss, batch.changed(sample_weight=weight))
    assert_close(mine, value_of(loss, rows_of(batch, left)), **EXACT)


def test_without_any_weight_the_loss_is_finite(loss_case):
    batch = loss_case.batch(dtype=torch.float32)
    if "ModuleLoss" in classes_in(loss_case.build()):
        pytest.skip("of losses that know weights")
    weight = torch.zeros(len(batch.logits))
    assert_finite(loss_case.ready(dtype=torch.float32), batch.changed(sample_weight=weight))


def test_unknown_labels_are_left_out(loss_case):
    if loss_case.kind != "multilabel" or loss_case.cls.__name__ == "ModuleLoss":
        pytest.skip("of several labels")
    batch = loss_case.batch()
    hidden = torch.zeros_like(batch.target, dtype=torch.bool)
    hidden[[0, 3, 4], [1, 0, 2]] = True
    minus = batch.changed(target=batch.target.masked_fill(hidden, -1))
    blank = batch.changed(target=batch.target.double().masked_fill(hidden, torch.nan))
    mine = value_of(loss_case.ready(), minus)
    assert torch.isfinite(mine)
    assert_close(mine, value_of(loss_case.ready(), blank), **EXACT)
    if "EnsLoss" in classes_in(loss_case.build()):
        return  # drawn numbers are dealt out among all
    far = minus.changed(logits=batch.logits.masked_fill(hidden, 7.0))
    unlabelled = "PUMultilabelLoss" in classes_in(loss_case.build())
    agrees = torch.isclose(value_of(loss_case.ready(), far), mine, rtol=1e-10, atol=1e-10)
    assert bool(agrees) != unlabelled


def test_one_score_a_row_is_the_log_odds_of_the_second_of_two(loss_case, one_score_agrees):
    if loss_case.kind != "one score":
        pytest.skip("of two classes")
    loss, batch = loss_case.ready(), loss_case.batch()
    first = torch.zeros_like(batch.logits)
    if "OneVsRest" in classes_in(loss):
        first = -batch.logits  # as its notes say
    columns = batch.changed(logits=torch.stack([first, batch.logits], dim=1))
    columns.teacher_logits = {
        name: torch.stack([torch.zeros_like(each), each], dim=1)
        for name, each in batch.teacher_logits.items()
    }
    if "model" in loss.needs:
        columns.model = TwoColumns(batch.model)
    mine, theirs = value_of(loss, batch), value_of(loss, columns)
    why = one_score_agrees(loss)
    if why:
        pytest.skip(why)
    assert_close(mine, theirs, **EXACT)


class TwoColumns(nn.Module):
    """A model of one score a row, with a column for each of two classes."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, inputs):
        score = self.model(inputs)[:, 0]
        return torch.stack([torch.zeros_like(score), score], dim=1)


# What is kept -----------------------------------------------------------------------------------


def test_setup_forgets_all_batches(loss_case):
    used, fresh = loss_case.ready(), loss_case.ready()
    for seed in range(3):
        used.value(loss_case.batch(seed=seed))
    used.setup(loss_case.stats())
    used.see(np.random.default_rng(0).normal(size=(60, 5)))
    assert_same_state(state_of(used), state_of(fresh))
    assert used.value(loss_case.batch()) == fresh.value(loss_case.batch())


def test_setup_may_see_other_counts(loss_case):
    """A net that is fitted a second time hands on other rows."""
    if loss_case.kind in ("survival", "aggregate"):
        pytest.skip("no classes")
    used, fresh = loss_case.ready(loss_case.labels(rare=True)), loss_case.ready()
    used.setup(loss_case.stats())
    used.see(np.random.default_rng(0).normal(size=(60, 5)))
    assert_same_state(state_of(used), state_of(fresh))


def test_state_copies_and_pickles(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    for seed in range(2):
        loss.value(loss_case.batch(seed=seed))
    loaded = loss_case.ready()
    loaded.load_state_dict(loss.state_dict())
    copies = [loaded, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))]
    for one in copies:
        assert_same_state(state_of(one), state_of(loss))
    for _ in range(2):
        value = loss.value(batch)
        assert all(one.value(batch) == value for one in copies)


def test_looking_leaves_everything_as_it_was(loss_case):
    loss = loss_case.ready()
    loss.value(loss_case.batch())
    batch = loss_case.batch(seed=1).changed(training=False)
    before, torch_before = state_of(loss), torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()
    values = {float(loss.value(batch)) for _ in range(3)}
    assert len(values) == 1
    assert_same_state(state_of(loss), before)
    loss.value(batch.changed(training=True))
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_a_module_in_eval_mode_is_not_learned_from(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    given = {name: getattr(batch, name) for name in LossContext.__dataclass_fields__}
    z, y = given.pop("logits"), given.pop("target")
    del given["training"]
    before = state_of(loss)
    mine = loss.eval()(z, y, **given)
    assert_close(mine, loss.value(batch.changed(training=False)), **EXACT)
    assert_same_state(state_of(loss), before)


def test_the_batch_is_not_changed(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    loss.value(batch)
    again = loss_case.batch()
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
    wide = {name: each.float() for name, each in halves.items()}
    value = value_of(loss, batch.changed(**halves))
    assert value.dtype == torch.float32
    assert value == value_of(loss, batch.changed(**wide))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_type_is_that_of_the_logits(loss_case, dtype, default_dtype):
    values = []
    for default in (torch.float32, torch.float64):
        default_dtype(default)
        value = loss_case.ready(dtype=dtype).value(loss_case.batch(dtype=dtype))
        assert value.dtype == dtype
        values.append(value)
    assert values[0] == values[1]


# What is needed ---------------------------------------------------------------------------------


def test_needs_are_named_and_known(loss_case):
    loss = loss_case.build()
    assert set(loss.needs) <= set(NEEDS)
    assert loss.level in ("sample", "element", "batch")
    assert loss.link in ("softmax", "sigmoid", "cosine", "score")
    assert loss.tasks
    assert loss.tasks <= {"binary", "multiclass", "multilabel", "survival", "aggregate"}


def test_what_is_needed_is_asked_for(loss_case):
    batch = loss_case.batch()
    needs = loss_case.build().needs
    for need in sorted(needs & set(FIELDS)):
        less = batch.changed(**{name: None for name in FIELDS[need]})
        less.teacher_logits = less.teacher_logits or {}
        with pytest.raises(InvalidParameterError, match=re.escape(NEEDS[need])):
            loss_case.ready().value(less)
    for name in {name for need in needs - {"teacher"} for name in FIELDS.get(need, ())}:
        with pytest.raises(InvalidParameterError, match=": needs "):
            loss_case.ready().value(batch.changed(**{name: None}))


def test_a_loss_that_needs_setup_says_so(loss_case):
    loss, batch = loss_case.build(), loss_case.batch()
    for parameter in loss.parameters():
        parameter.data = parameter.data.double()
    if loss.needs & {"counts", "n_train"}:
        with pytest.raises(InvalidParameterError, match="call setup") as error:
            loss.value(batch)
        assert any(NEEDS[need] in str(error.value) for need in ("counts", "n_train"))
    elif "index" not in loss.needs:  # of the clusters of training rows, which `see` looks at
        assert torch.isfinite(loss.value(batch))


def test_nothing_is_used_that_is_not_declared(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    needed = {name for need in loss.needs for name in FIELDS.get(need, ())}
    spare = {name for names in FIELDS.values() for name in names} - needed | {"head_bias"}
    spare -= {"teacher_logits"}
    less = batch.changed(**{name: None for name in spare})
    if "teacher" not in loss.needs:
        less.teacher_logits = {}
    if "epoch" not in loss.needs:
        less = less.changed(epoch=0, max_epochs=1)
    assert value_of(loss, less) == value_of(loss, batch)


# Bad input --------------------------------------------------------------------------------------


def test_shapes_that_do_not_fit_are_refused(loss_case):
    loss, batch = loss_case.ready(), loss_case.batch()
    wrong = [batch.changed(target=batch.target[:-1])]
    wrong += [batch.changed(logits=batch.logits.reshape(-1, 1, 1).expand(-1, 2, 2))]
    if loss_case.kind == "multilabel":
        wrong += [batch.changed(target=torch.cat([batch.target, batch.target], dim=1))]
    for each in wrong:
        with pytest.raises(DataError):
            loss.value(each)


def test_classes_that_are_no_integers_are_refused(loss_case):
    if loss_case.kind not in ("multiclass", "two columns", "one score"):
        pytest.skip("of classes")
    loss, batch = loss_case.ready(), loss_case.batch()
    for kind in (torch.float32, torch.bool):
        with pytest.raises(DataError, match="class positions of type int64"):
            loss.value(batch.changed(target=batch.target.to(kind)))


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


def test_parameters_are_kept_under_their_names(loss_class, signature):
    made, parameters = loss_class.bare(), signature(loss_class.cls)
    for name, parameter in parameters.items():
        given = loss_class.settings.get(name, parameter.default)
        kept = getattr(made, name)
        if isinstance(kept, nn.ModuleList) and not isinstance(given, list):
            given = [given]
        if name == "reweighter" and given is None:
            assert repr(kept) == "EffectiveNumber(beta=0.9999, normalize='mean_sample')"
            continue
        if isinstance(given, list | tuple):
            kept = type(given)(kept)
        assert same(given, kept), name


def test_a_loss_can_be_made_again_of_its_parameters(loss_case, signature):
    made = loss_case.ready()
    bare = loss_case.bare()
    kept = {name: getattr(bare, name) for name in signature(loss_case.cls)}
    again = loss_case.of(loss_case.cls, kept).ready()
    assert again.value(loss_case.batch()) == made.value(loss_case.batch())


def test_the_repr_names_all_parameters(loss_class, signature):
    made = loss_class.bare()
    shown = repr(made)
    assert shown.startswith(f"{loss_class.cls.__name__}(")
    for name in signature(loss_class.cls):
        value = getattr(made, name)
        inner = {each for each, _ in made.named_children()}
        assert f"{name}={value!r}" in shown or f"({name})" in shown or name == "terms", name
    if not inner and not any(isinstance(v, np.ndarray) for v in loss_class.settings.values()):
        names = {entry.name: entry.obj for entry in catalog("losses")}
        assert repr(eval(shown, names)) == shown


def test_the_class_has_its_own_card_and_docstring(loss_class):
    assert "card" in vars(loss_class.cls)
    assert vars(loss_class.cls)["__doc__"]
    assert issubclass(loss_class.cls, BaseLoss | BaseReweighter)


def test_a_loss_stands_in_for_itself_in_a_weighting(loss_case):
    """Weights of 1 change nothing, in any loss of rows or labels."""
    loss = loss_case.ready()
    if loss.level == "batch" or loss_case.kind in ("survival", "aggregate"):
        pytest.skip("a loss of whole batches has no rows to weight")

    class One(BaseReweighter):
        def weights(self, batch, items):
            return torch.ones(len(items))

    wrapped = Reweighted(copy.deepcopy(loss), One())
    batch = loss_case.batch()
    assert wrapped.value(batch) == loss.value(batch)


# Limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_declared_limit_holds(loss_limit, training):
    mine, other = loss_limit
    batch = mine.batch().changed(training=training)
    weight = torch.arange(1.0, 13.0, dtype=torch.float64)
    for each in (batch, batch.changed(sample_weight=weight)):
        assert_close(mine.ready().value(each), other.ready().value(each), **EXACT)


def test_a_limit_that_does_not_hold_is_noticed(loss_limit):
    """The values compared above are not equal anyway."""
    mine, _ = loss_limit
    far = mine.batch(seed=1)
    assert not torch.isclose(mine.ready().value(mine.batch()), mine.ready().value(far), rtol=1e-6)


def test_reduced_is_the_one_rule():
    items = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    assert reduced(items) == 5.0
    assert reduced(items, torch.tensor([3.0, 1.0])) == 4.0
    assert reduced(items, torch.zeros(2)) == 0.0
    assert reduced(items[0, 0]) == 1.0
