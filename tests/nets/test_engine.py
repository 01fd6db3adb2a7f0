"""The engine: skorch's loop with losses and batches that know the classes."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback, Checkpoint, EpochScoring, GradientNormClipping, LRScheduler
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import Subset

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.losses import (
    AUCMarginLoss,
    BaseLoss,
    ClassWeight,
    CrossEntropyLoss,
    FocalLoss,
    OneVsRest,
    Reweighted,
    functional,
    get_loss,
)
from imbkit.nets import MLP, EpisodicBatchSampler, ImbNet, ResidualMLP


@pytest.fixture
def table(rare):
    X, y = rare
    return X.astype(np.float32), y


def engine(module=MLP, **more):
    given = {"module__n_features": 4, "module__n_outputs": 2, "module__hidden": (8,)}
    given = given if module is MLP else {}
    settings = {"lr": 0.02, "max_epochs": 3, "batch_size": 32, "verbose": 0}
    torch.manual_seed(0)
    return ImbNet(module, **{**given, "optimizer": torch.optim.Adam, **settings, **more})


class Recorded(BaseLoss):
    """Cross-entropy that keeps what it is told."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def per_item(self, batch):
        self.seen.append(batch)
        return functional.cross_entropy(batch.logits, batch.target)


# --- the flow of a fit


def test_the_counts_are_those_of_the_training_part(table):
    X, y = table
    model = engine().fit(X, y)
    train, _ = ValidSplit(0.1, stratified=True, random_state=0)(Dataset(X, y), y)
    counts = np.bincount(y[train.indices])
    assert model.stats_.counts.tolist() == counts.tolist()
    np.testing.assert_allclose(model.stats_.effective_priors, counts / counts.sum())
    assert model.stats_.embedding_dim == 8


def test_the_loss_is_told_what_it_needs(table):
    X, y = table
    model = engine(criterion=Recorded(), max_epochs=4).fit(X, y)
    seen = model.criterion_.seen
    learned = [batch for batch in seen if batch.training]
    assert {batch.max_epochs for batch in seen} == {4}
    assert sorted({batch.epoch for batch in learned}) == [0, 1, 2, 3]
    per_epoch = len(learned) // 4
    index = np.concatenate([batch.index for batch in learned[:per_epoch]])
    assert np.sort(index).tolist() == list(range(len(index)))
    assert not any(batch.training for batch in seen if batch.index is None)
    targets = y[ValidSplit(0.1, stratified=True, random_state=0)(Dataset(X, y), y)[0].indices]
    assert (targets[index] == np.concatenate([b.target for b in learned[:per_epoch]])).all()


def test_embedding_head_and_model_reach_the_loss(table):
    class Demanding(Recorded):
        needs = frozenset({"embedding", "head", "model"})

        def per_item(self, batch):
            torch.testing.assert_close(
                batch.logits, batch.embedding @ batch.head_weight.T + batch.head_bias
            )
            torch.testing.assert_close(batch.model(batch.inputs), batch.logits)
            return super().per_item(batch)

    model = engine(criterion=Demanding).fit(*table)
    assert model.criterion_.seen
    assert model.embeddings(table[0]).shape == (300, 8)


def test_a_module_may_give_its_embedding_itself(table):
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.last = nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, X):
            e = self.body(X).relu()
            return self.last(e), e

    model = engine(Pair, criterion="orthogonal_projection", batch_size=100)
    model = model.fit(*table)
    assert model.predict_proba(table[0]).shape == (300, 2)


def test_a_mapping_is_given_to_forward_by_name(table):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(4, 2)

        def forward(self, left, right):
            return self.last(torch.cat([left, right], dim=1))

    X, y = table
    model = engine(Two).fit({"left": X[:, :1], "right": X[:, 1:], "group": y}, y)
    assert model.predict({"left": X[:, :1], "right": X[:, 1:]}).shape == (300,)


@pytest.mark.parametrize("sampler", ["episodic", "bags"])
def test_the_groups_of_a_sampler_reach_the_loss(table, sampler):
    X, y = table
    bags = np.arange(300) // 3
    if sampler == "bags":
        model = engine(criterion=Recorded(), sampler="bags", train_split=None)
        model.fit({"X": X, "group": bags}, y)
    else:
        model = engine(criterion=Recorded(), sampler=EpisodicBatchSampler(halves=True))
        model.fit(X, y)
    learned = [batch for batch in model.criterion_.seen if batch.training]
    for batch in learned:
        if sampler == "bags":
            assert (batch.group == torch.as_tensor(bags)[batch.index]).all()
            assert (batch.group.unique(return_counts=True)[1] == 3).all()
        else:
            assert batch.group.bincount().tolist() == [16, 16]
            assert batch.target[batch.group == 0].bincount().tolist() == [8, 8]


def test_bags_have_losses_of_their_own(table):
    X, y = table
    response = np.repeat(y.reshape(-1, 3).mean(axis=1), 3).astype(np.float32)
    body = MLP(4, 1, hidden=(8,))
    model = engine(body, criterion="aggregate", sampler="bags", train_split=None, scoring=None)
    model.fit({"X": X, "group": np.arange(300) // 3}, response)
    losses = model.history[:, "train_loss"]
    assert losses[-1] < losses[0]


# --- weights


def test_weights_reach_the_loss_and_none_are_ones(table):
    X, y = table
    plain = engine().fit(X, y)
    ones = engine().fit({"X": X, "sample_weight": np.ones(300, np.float32)}, y)
    np.testing.assert_array_equal(plain.outputs(X), ones.outputs(X))
    assert plain.history[:, "valid_score"] == ones.history[:, "valid_score"]
    weights = np.random.default_rng(0).random(300).astype(np.float32)
    model = engine(criterion=Recorded(), train_split=None)
    model.fit({"X": X, "sample_weight": weights}, y)
    for batch in model.criterion_.seen:
        np.testing.assert_array_equal(batch.sample_weight, weights[batch.index])


def test_weights_change_the_shares_that_are_trained_for(table):
    X, y = table
    weights = np.where(y, 7.0, 1.0).astype(np.float32)
    model = engine(train_split=None).fit({"X": X, "sample_weight": weights}, y)
    mass = np.bincount(y, weights)
    np.testing.assert_allclose(model.stats_.effective_priors, mass / mass.sum(), rtol=1e-6)


def test_a_sampler_of_weights_does_not_weight_twice(table):
    X, y = table
    weights = np.where(y, 7.0, 1.0).astype(np.float32)
    model = engine(criterion=Recorded(), sampler="instance", sampler__use_weight=True)
    model.fit({"X": X, "sample_weight": weights}, y)
    assert {batch.sample_weight is None for batch in model.criterion_.seen if batch.training} == {
        True
    }
    assert not any(b.sample_weight is None for b in model.criterion_.seen if not b.training)
    drawn = np.concatenate([b.target for b in model.criterion_.seen if b.training])
    assert drawn.mean() == pytest.approx(model.stats_.effective_priors[1], abs=0.02)
    assert model.stats_.effective_priors[1] == pytest.approx(0.5, abs=0.1)


def test_the_score_knows_weights(table):
    X, y = table
    n = 270
    weights = np.ones(300, np.float32)
    weights[n:] = np.arange(30)
    train, valid = np.arange(n), np.arange(n, 300)

    def split(dataset, y=None):
        return Subset(dataset, train), Subset(dataset, valid)

    model = engine(train_split=split, scoring="accuracy", max_epochs=1)
    model.fit({"X": X, "sample_weight": weights}, y)
    right = model.predict(X[valid]) == y[valid]
    assert model.history[-1, "valid_score"] == pytest.approx(
        np.average(right, weights=np.arange(30))
    )


# --- skorch's own ways


def test_clone_and_parameters_of_parts():
    model = engine(criterion="focal", criterion__gamma=1.0, sampler="power", sampler__q=0.3)
    copied = clone(model)
    params = copied.get_params()
    assert (params["criterion__gamma"], params["sampler__q"]) == (1.0, 0.3)
    copied.set_params(criterion__gamma=0.5, sampler__q=0.7, seed=3)
    assert (copied.criterion__gamma, copied.sampler__q, copied.seed) == (0.5, 0.7, 3)


def test_parameters_can_be_set_on_a_fitted_net(table):
    model = engine(criterion="focal", sampler="power").fit(*table)
    model.set_params(sampler__q=0.0, criterion__gamma=3.0).fit(*table)
    assert model.criterion_.gamma == 3.0
    np.testing.assert_allclose(model.stats_.effective_priors, 0.5)


@pytest.mark.parametrize("form", ["subset", "predefined", "none", "cv"])
def test_every_way_to_split(table, form):
    X, y = table
    ways = {
        "subset": lambda dataset, y=None: (
            Subset(dataset, range(250)),
            Subset(dataset, range(250, 300)),
        ),
        "predefined": predefined_split(Dataset(X[250:], y[250:])),
        "none": None,
        "cv": ValidSplit(5, stratified=True),
    }
    model = engine(train_split=ways[form]).fit(X, y)
    n_train = {"subset": 250, "predefined": 300, "none": 300, "cv": 240}[form]
    assert model.stats_.n_samples == n_train
    assert ("valid_score" in model.history[-1]) == (form != "none")


def test_what_fit_cannot_use_is_refused(table):
    X, y = table
    with pytest.raises(InvalidParameterError, match="stands in X"):
        engine(train_split=None).fit(X, y, sample_weight=np.ones(300))


def test_float_targets_are_refused(table):
    X, y = table
    with pytest.raises(DataError, match="class positions"):
        engine(train_split=None).fit(X, y.astype(float))


class Listener(Callback):
    def __init__(self):
        self.heard = []

    def on_epoch_end(self, net, **kwargs):
        self.heard.append("epoch")


class BatchListener(Listener):
    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        self.heard.append(("begin", training))

    def on_batch_end(self, net, batch=None, training=None, loss=None, **kwargs):
        self.heard.append(("end", training, float(loss.detach())))

    def on_grad_computed(self, net, named_parameters, **kwargs):
        self.heard.append(("grad", len(list(named_parameters))))


def test_batches_are_only_announced_to_who_listens(table):
    net, quiet = engine(callbacks=[Listener()]), []
    for name in ("on_batch_begin", "on_batch_end", "on_grad_computed"):
        setattr(net, f"_{name}", None)
    original = net.notify
    net.notify = lambda name, **kwargs: (quiet.append(name), original(name, **kwargs))
    net.fit(*table)
    assert set(quiet) == {"on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"}
    assert net.history[-1]["batches"] == []

    loud = BatchListener()
    net = engine(callbacks=[loud], max_epochs=1).fit(*table)
    heard = dict(net.callbacks_)["BatchListener"].heard
    assert sum(each == ("begin", True) for each in heard) == len(net.sampler_)
    assert sum(each[0] == "grad" for each in heard) == len(net.sampler_)
    assert [each[2] for each in heard if each[:2] == ("end", True)] == pytest.approx(
        net.history[-1, "batches", : len(net.sampler_), "train_loss"]
    )


def test_callbacks_of_skorch(table, tmp_path):
    seen = LRScheduler("StepLR", step_size=1, gamma=0.5)
    net = engine(
        callbacks=[
            seen,
            Checkpoint(dirname=tmp_path),
            GradientNormClipping(1.0),
            EpochScoring("accuracy", name="extra", lower_is_better=False),
            ("best", EpochScoring("roc_auc", name="fast", lower_is_better=False)),
        ]
    ).fit(*table)
    assert net.history[:, "event_lr"] == [0.02, 0.01, 0.005]
    assert len(net.history[:, ("extra", "fast")]) == 3
    assert (tmp_path / "params.pt").exists()


def test_losses_mark_their_best_epoch(table):
    history = engine(max_epochs=6).fit(*table).history
    for name in ("train_loss", "valid_loss"):
        values = history[:, name]
        best = [value < min(values[:i], default=np.inf) for i, value in enumerate(values)]
        assert history[:, f"{name}_best"] == best


def test_the_mean_loss_is_that_of_the_rows(table):
    X, y = table
    model = engine(max_epochs=1, lr=1e-12, train_split=None).fit(X, y)
    z = torch.as_tensor(model.outputs(X))
    expected = nn.functional.cross_entropy(z, torch.as_tensor(y))
    assert model.history[-1, "train_loss"] == pytest.approx(float(expected), rel=1e-5)


def test_rows_held_out_are_judged_without_margins(table):
    X, y = table
    model = engine(criterion="balanced_softmax", max_epochs=1)
    model.fit(X, y)
    valid = ValidSplit(0.1, stratified=True, random_state=0)(Dataset(X, y), y)[1].indices
    z, t = torch.as_tensor(model.outputs(X))[valid], torch.as_tensor(y[valid])
    plain = float(nn.functional.cross_entropy(z, t))
    assert model.history[-1, "valid_loss"] == pytest.approx(plain, rel=1e-5)


def test_partial_fit_goes_on(table):
    X, y = table
    once = engine(max_epochs=4, scoring=None, train_split=None, sampler="progressive").fit(X, y)
    parts = engine(max_epochs=4, scoring=None, train_split=None, sampler="progressive")
    parts.initialize()
    for _ in range(4):
        parts.partial_fit(X, y, epochs=1)
    np.testing.assert_allclose(once.outputs(X), parts.outputs(X), rtol=1e-5, atol=1e-6)
    assert [row["epoch"] for row in parts.history] == [1, 2, 3, 4]


def test_counts_stay_those_of_the_first_call(table):
    X, y = table
    model = engine(train_split=None)
    model.partial_fit(X, y)
    first = model.stats_
    model.partial_fit(X[:50], y[:50])
    assert model.stats_ is first
    model.fit(X[:100], y[:100])
    assert model.stats_.n_samples == 100


def test_a_loss_that_remembers_rows_wants_the_same_rows(table):
    X, y = table
    model = engine(criterion="aldr_kl", train_split=None)
    model.partial_fit(X, y).partial_fit(X, y)
    with pytest.raises(InvalidParameterError, match="remembers rows"):
        model.partial_fit(X[:50], y[:50])


def test_pickle_and_deepcopy(table):
    X, y = table
    model = engine(criterion="focal", sampler="balanced").fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        other.partial_fit(X, y)
    assert model.valid_outputs_ is None


def test_the_given_loss_stays_as_it_was(table):
    inner = FocalLoss(gamma=1.0)
    loss = Reweighted(inner, ClassWeight())
    model = engine(criterion=loss).fit(*table)
    assert loss.stats is None
    assert inner.stats is None
    assert model.criterion_ is not loss
    model = engine(
        criterion="reweighted", criterion__base=inner, criterion__reweighter=ClassWeight()
    )
    model.fit(*table)
    assert inner.stats is None
    assert model.criterion_.base is not inner


# --- parameters of the loss


def test_parameters_of_the_loss_are_learned(table):
    X, y = table
    model = engine(
        MLP(4, 1, hidden=(8,)),
        criterion=AUCMarginLoss(closed_form=False),
        sampler="balanced",
    ).fit(X, y)
    assert float(model.criterion_.alpha.detach()) >= 0
    assert any(float(p.detach()) != 0 for p in model.criterion_.parameters())


class Offset(BaseLoss):
    """Cross-entropy of two classes, with an intercept of its own."""

    tasks = frozenset({"binary"})
    needs = frozenset({"learnable"})

    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(()))

    def per_item(self, batch):
        return functional.cross_entropy(batch.logits + self.offset, batch.target)


def test_parameters_that_setup_makes_are_learned_too(rare):
    X = rare[0].astype(np.float32)
    y = np.random.default_rng(0).integers(0, 3, 300)
    loss = OneVsRest(Offset())
    model = engine(MLP(4, 3, hidden=(8,)), criterion=loss, max_epochs=2).fit(X, y)
    values = [float(each.offset.detach()) for each in model.criterion_.each]
    assert len(values) == 3
    assert all(value != 0 for value in values)


def test_project_is_called_after_each_step(table):
    class Projected(Recorded):
        calls = 0

        def project(self):
            type(self).calls += 1

    model = engine(criterion=Projected, max_epochs=2).fit(*table)
    assert Projected.calls == 2 * len(model.sampler_)


# --- needs that cannot be served


class Plain(nn.Module):
    """A body that gives logits and nothing else."""

    def __init__(self, n_outputs=2):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, n_outputs))

    def forward(self, X):
        return self.layers(X)


def needing(*needs):
    return type("Needing", (Recorded,), {"needs": frozenset(needs)})()


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ("embedding", "let the module return"),
        ("head", "last layer `head`"),
        ("group", "the group of each row"),
        ("time", "the time of each row"),
        ("teacher", "outputs of a teacher"),
    ],
)
def test_a_need_that_is_not_served(table, need, words):
    with pytest.raises(InvalidParameterError, match=words):
        engine(Plain, criterion=needing(need)).fit(*table)


def test_a_need_that_the_sampler_serves(table):
    loss = needing("group")
    model = engine(
        Plain, criterion=loss, sampler="episodic", sampler__halves=True, train_split=None
    )
    assert model.fit(*table).criterion_.seen[0].group is not None


def test_a_target_that_the_loss_does_not_serve(table):
    X, y = table
    with pytest.raises(InvalidParameterError, match="serves multilabel targets"):
        engine(criterion="soft_top_k", criterion__k=1).fit(X, y)


@pytest.mark.parametrize(
    ("sampler", "batch_size", "warned"),
    [(None, 4, True), (None, 64, False), ("class_balanced", 4, False), ("episodic", 4, False)],
)
def test_batches_that_would_lack_a_class(table, sampler, batch_size, warned):
    model = engine(criterion=needing("pairs"), sampler=sampler, batch_size=batch_size, max_epochs=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*table)
    texts = [str(each.message) for each in caught if issubclass(each.category, ImbkitWarning)]
    assert bool(texts) == warned
    assert all("compares classes within a batch" in each for each in texts)


def test_batches_smaller_than_the_number_of_classes(table):
    X = table[0]
    y = np.arange(300) % 5
    body = MLP(4, 5, hidden=(8,))
    with pytest.warns(ImbkitWarning, match="compares classes within a batch"):
        engine(body, criterion=needing("pairs"), batch_size=4, max_epochs=1).fit(X, y)
    with pytest.raises(InvalidParameterError, match="at least the number of classes"):
        engine(body, criterion=needing("pairs"), batch_size=4, sampler="class_balanced").fit(X, y)


def test_cosines_are_expected(table):
    with pytest.warns(ImbkitWarning, match="expects cosines"):
        engine(criterion="ldam").fit(*table)


# --- numbers that are none


def test_a_loss_that_is_no_number_in_the_first_epoch(table):
    with pytest.raises(DataError, match=r"epoch 1, batch \d+.*gradient_clip"):
        engine(lr=1e30).fit(*table)


class Late(Recorded):
    """Gives NaN from the third epoch on."""

    def per_item(self, batch):
        items = super().per_item(batch)
        return items * torch.nan if batch.training and batch.epoch == 2 else items


def test_a_loss_that_is_no_number_later_keeps_the_best_weights(table):
    X, y = table
    model = engine(criterion=Late, max_epochs=5)
    with pytest.warns(ImbkitWarning, match="nan in epoch 3, batch 1.*best weights"):
        model.fit(X, y)
    assert len(model.history) == 3
    assert np.isfinite(model.predict_proba(X)).all()
    short = engine(max_epochs=2).fit(X, y)
    np.testing.assert_array_equal(model.outputs(X), short.outputs(X))


def test_outputs_that_are_no_numbers(table):
    with pytest.raises(DataError, match="outputs that are none"):
        engine(lr=1e30, batch_size=300, max_epochs=1).fit(*table)


def test_weights_that_are_no_numbers(table):
    class Steep(Recorded):
        def per_item(self, batch):
            return super().per_item(batch) + (batch.logits.sum(dim=1) * 0).sqrt()

    with pytest.raises(DataError, match="weights that are none"):
        engine(criterion=Steep, batch_size=300, max_epochs=1, train_split=None).fit(*table)


def test_a_score_that_is_never_a_number_is_told(table):
    def nothing(model, X, y):
        return float("nan")

    model = engine(scoring=nothing, patience=2, max_epochs=9)
    with pytest.warns(ImbkitWarning, match="score of the rows held out must be a number"):
        model.fit(*table)
    assert len(model.history) == 9  # nothing says that it gets no better


# --- the best epoch, and interruptions


def test_the_kept_net_has_the_best_score(table):
    X, y = table
    model = engine(max_epochs=12, lr=0.1, patience=3, scoring="average_precision").fit(X, y)
    valid = ValidSplit(0.1, stratified=True, random_state=0)(Dataset(X, y), y)[1].indices
    from sklearn.metrics import average_precision_score

    scores = model.history[:, "valid_score"]
    kept = average_precision_score(y[valid], model.predict_proba(X[valid])[:, 1])
    assert kept == pytest.approx(max(scores))
    best = int(np.argmax(scores))
    assert len(scores) == min(12, best + 1 + 3)
    assert model.history[:, "valid_score_best"][best]


class Interrupt(Callback):
    def __init__(self, at, batch=None):
        self.at, self.batch = at, batch

    def on_epoch_begin(self, net, **kwargs):
        self.left = self.batch
        if len(net.history) == self.at and self.batch is None:
            raise KeyboardInterrupt

    def on_batch_end(self, net, training=None, **kwargs):
        if len(net.history) == self.at and self.batch is not None:
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt


@pytest.mark.parametrize("batch", [None, 2])
def test_an_interruption_keeps_the_best_weights(table, batch):
    X, y = table
    scores = iter([0.1, 0.9, 0.2, 0.3])

    def score(model, X, y):
        return next(scores)

    model = engine(max_epochs=9, scoring=score, callbacks=[Interrupt(4, batch)]).fit(X, y)
    short = engine(max_epochs=2, scoring=None).fit(X, y)
    np.testing.assert_array_equal(model.outputs(X), short.outputs(X))
    assert model.valid_outputs_ is None


# --- other options


def test_mixed_precision_is_harmless_on_a_processor(table):
    X, y = table
    one, two = (engine(amp=amp).fit(X, y).outputs(X) for amp in (False, True))
    np.testing.assert_array_equal(one, two)


def test_gradients_are_clipped(table):
    X, y = table
    model = engine(gradient_clip=1e-9, optimizer=torch.optim.SGD, max_epochs=1)
    before = copy.deepcopy(model.initialize().module_.state_dict())
    model.partial_fit(X, y)
    moved = [
        float((value - before[name]).abs().max())
        for name, value in model.module_.state_dict().items()
    ]
    assert 0 < max(moved) < 1e-8 or max(moved) == 0


@pytest.mark.slow  # the compiler takes a minute
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_module(table):
    X, y = table
    try:
        torch.compile(nn.Linear(1, 1))(torch.zeros(1, 1))
    except Exception as error:
        pytest.skip(f"torch.compile does not work here: {type(error).__name__}")
    model = engine(compile=True, max_epochs=1).fit(X, y)
    assert isinstance(model.criterion_, CrossEntropyLoss)
    np.testing.assert_allclose(
        model.outputs(X), engine(max_epochs=1).fit(X, y).outputs(X), atol=1e-5
    )
    assert pickle.loads(pickle.dumps(model)).predict(X).shape == (300,)


def test_one_batch_of_all_rows(table):
    model = engine(batch_size=-1).fit(*table)
    assert model.history[-1, "train_batch_count"] == 1


def test_several_labels_a_row(rare):
    X = rare[0].astype(np.float32)
    y = (X[:, :3] > [0, 0.5, 1]).astype(np.int64)
    model = engine(MLP(4, 3, hidden=(8,)), criterion="asl", train_split=None).fit(X, y)
    assert model.predict(X).shape == (300, 3)
    assert model.stats_.task == "multilabel"


def test_losses_of_torch(table):
    model = engine(criterion=nn.CrossEntropyLoss, criterion__label_smoothing=0.1)
    assert model.fit(*table).predict_proba(table[0]).shape == (300, 2)


def test_a_body_of_one_output(table):
    X, y = table
    loss = get_loss("auc_margin")
    model = engine(MLP(4, 1, hidden=(8,)), criterion=loss, sampler="balanced").fit(X, y)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-model.outputs(X)[:, 0])), rtol=1e-6)


def test_head_can_be_read_and_set(table):
    X, y = table
    model = engine(ResidualMLP(4, 2)).fit(X, y)
    weight, bias = model.head()
    outputs = model.embeddings(X) @ weight.T + bias
    np.testing.assert_allclose(model.outputs(X), outputs, atol=1e-5)
    model.set_head(weight * 2, bias * 2)
    np.testing.assert_allclose(model.outputs(X), 2 * outputs, atol=1e-4)
    with pytest.raises(InvalidParameterError, match="numbers"):
        model.set_head(weight[:1], bias)


def test_a_module_without_a_head_has_no_embeddings(table):
    with pytest.raises(InvalidParameterError, match="linear last layer"):
        engine(Plain).fit(*table).embeddings(table[0])
