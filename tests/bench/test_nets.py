"""Nets as learners of a comparison, by the names of their losses."""

import sys

import numpy as np
import pytest
import skops.io
from joblib import parallel_config
from sklearn.base import clone

from imbkit._core.prior import induced_prior
from imbkit.bench._cell import seed_estimator
from imbkit.bench._more_learners import MORE_LEARNERS, more_learner_names, more_learners
from imbkit.bench._net_learners import is_net, net_learner
from imbkit.bench._options import Options
from imbkit.bench._panel import STRATEGIES, Task
from imbkit.bench._plan import make_plan
from imbkit.bench._recipe import SourceWriter
from imbkit.bench._shipped import save_model
from imbkit.exceptions import InvalidParameterError, MissingExtraError

NEEDS_TORCH = "torch and skorch are not installed (extra: nets)"
TASK = Task("binary", (0, 1), (2,), missing=True, n_train=300, fewest=40)
MANY = Task("multiclass", (0, 1), (2,), missing=True, n_train=300, fewest=40)


@pytest.fixture
def torch():
    """The tests that need it skip where it is not installed."""
    pytest.importorskip("skorch", reason=NEEDS_TORCH)
    return pytest.importorskip("torch", reason=NEEDS_TORCH)


def curved(n_rows=300, seed=0):
    """A rare class inside of a frequent one, and a category that says nothing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3)) * [1, 100, 0]
    y = (np.hypot(X[:, 0], X[:, 1] / 100) < 0.6).astype(int)
    X[:, 2] = rng.integers(0, 3, n_rows)
    return X, y


def test_which_names_are_nets():
    assert all(map(is_net, ["net", "net:focal", "Net:LDAM", "net:ce:crt", "net:"]))
    assert not any(map(is_net, ["nets", "network", "package.net:Name", "rvfl", None, 3]))


@pytest.mark.parametrize(
    ("given", "name", "loss", "stage"),
    [
        ("net", "net:cross-entropy", "cross_entropy", None),
        ("net:ce", "net:cross-entropy", "cross_entropy", None),
        ("net:balanced-softmax", "net:balanced-softmax", "balanced_softmax", None),
        ("net:balanced_softmax", "net:balanced-softmax", "balanced_softmax", None),
        ("NET:BSM", "net:balanced-softmax", "balanced_softmax", None),
        ("net:ldam-drw", "net:ldam-drw", "ldam_drw", None),
        ("net:ce:crt", "net:cross-entropy:crt", "cross_entropy", "crt"),
        ("net::tau-crt", "net:cross-entropy:tau-crt", "cross_entropy", "tau_crt"),
    ],
)
def test_a_net_by_its_name(torch, given, name, loss, stage):
    learner = net_learner(given, TASK)
    assert (learner.name, learner.model.loss, learner.model.two_stage) == (name, loss, stage)
    assert net_learner(learner.name, TASK).name == name
    assert learner.model.device == "cpu"
    assert learner.packages == ("torch", "skorch")


@pytest.mark.parametrize(
    ("given", "task", "words"),
    [
        ("net:focall", TASK, "no such loss. Got focall. Did you mean 'focal'"),
        ("net:ce:crtt", TASK, "no such second stage. Got crtt. Did you mean 'crt'"),
        ("net:asl:crt", TASK, "logits of all classes. Got net:asl:crt"),
        ("net:asl", MANY, "for a multiclass target. Got net:asl, for binary, multilabel"),
        ("net:z-loss", TASK, "for a binary target"),
        ("net:weighted-cox", TASK, "for survival"),
        ("net:focal-distillation", TASK, "not the outputs of a net that was trained"),
        ("net:adversarial", TASK, "cannot do without 'base'"),
        ("net:ce:crt:more", TASK, "net:LOSS:SECOND_STAGE. Got net:ce:crt:more"),
    ],
)
def test_a_wrong_name_is_refused_before_anything_runs(torch, given, task, words):
    with pytest.raises(InvalidParameterError) as caught:
        net_learner(given, task)
    assert words in str(caught.value)


def test_the_comparison_refuses_it_too(torch, run):
    X, y = curved()
    with pytest.raises(InvalidParameterError, match="Did you mean 'ldam'"):
        run(X, y, learners=["logistic", "net:ldamm"])


@pytest.mark.parametrize("package", ["torch", "skorch"])
def test_without_torch_the_extra_is_named(monkeypatch, run, package):
    if package == "skorch":  # torch is missed first
        pytest.importorskip("torch", reason=NEEDS_TORCH)
    monkeypatch.setitem(sys.modules, package, None)
    X, y = curved()
    with pytest.raises(MissingExtraError, match=rf'{package}.*pip install "imbkit\[nets\]"'):
        run(X, y, learners=["net:focal"])
    # Nothing else needs it.
    assert run(X, y, learners=["rvfl"], strategies=["none"]).summary["problems"] == []


def test_they_are_named_among_the_learners_that_run_only_where_named(monkeypatch):
    monkeypatch.setattr("imbkit.bench._net_learners.missing_packages", lambda extra: [])
    title = dict(more_learner_names())["net:LOSS"]
    assert "net:ce:crt" in title
    assert "pip" not in title
    monkeypatch.setattr("imbkit.bench._net_learners.missing_packages", lambda extra: ["torch"])
    assert title in dict(more_learner_names())["net:LOSS"]
    assert 'needs: pip install "imbkit[nets]"' in dict(more_learner_names())["net:LOSS"]


def test_ways_to_write_a_name_are_one_entry(torch):
    found = more_learners(["net:bsm", "net:balanced-softmax", "rvfl", "logistic", 3], TASK)
    assert set(found) == {"net:bsm", "net:balanced-softmax", "rvfl"}
    assert found["net:bsm"] is found["net:balanced-softmax"]
    assert "rvfl" in MORE_LEARNERS
    X, y = curved()
    options = Options(cv=(2, 1), learners=["net:bsm", "net:balanced_softmax"], quick=True)
    entries = make_plan(X, y, options, "y").entries
    assert [each.name for each in entries[1:]] == [
        "none/net:balanced-softmax",
        "class_weight/net:balanced-softmax",
        "random_under/net:balanced-softmax",
    ]
    assert not any(each.is_own for each in entries)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("net", False),
        ("net:focal", False),
        ("net:ldam", False),
        ("net:auc-margin", False),
        ("net:balanced-softmax", True),
        ("net:logit-adjusted", True),
        ("net:cb-focal", True),
        ("net:ldam-drw", True),
        ("net:any-loss", True),
        ("net:ce:tau", True),
    ],
)
def test_what_changes_the_shares_is_known_and_true(torch, name, changes):
    learner = net_learner(name, TASK)
    assert learner.changes_prior is changes
    X, y = curved()
    model = clone(learner.model).set_params(max_epochs=1, random_state=0).fit(X, y)
    # The fitted net itself says so; one held-out row more or less is no change.
    shares = np.bincount(y) / y.size
    assert np.allclose(induced_prior(model, y, [0, 1]), shares, atol=0.01) is not changes


def test_losses_of_pairs_get_batches_with_every_class(torch):
    assert net_learner("net:auc-margin", TASK).model.sampler == "class_balanced"
    assert net_learner("net:focal", TASK).model.sampler is None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_fits_and_predicts(torch, strategy):
    X, y = curved()
    X[::7, 0] = np.nan
    learner = net_learner("net:balanced-softmax", TASK)
    learner.model.set_params(max_epochs=40, lr=0.02, module_params={"hidden": (16,)})
    model = seed_estimator(STRATEGIES[strategy].build(learner, TASK), 0).fit(X, y)
    new, truth = curved(seed=1)
    chances = model.predict_proba(new)[:, 1]
    # The first column is not scaled like the second: only columns of one scale show the class.
    assert chances[truth == 1].mean() > chances[truth == 0].mean() + 0.1


def test_a_comparison_repairs_once_and_does_not_depend_on_workers(torch, run):
    X, y = curved(200)
    chosen = {"learners": ["net:balanced-softmax", "net:auc-margin"], "strategies": ["none"]}
    found = run(X, y, cv=(2, 1), **chosen).summary
    assert found["problems"] == []
    assert {"torch", "skorch"} <= set(found["versions"])
    cards = {each["id"]: each for each in found["entries"]}
    net = cards["none/net:balanced-softmax"]
    assert net["changes_prior"]
    assert not cards["none/net:auc-margin"]["changes_prior"]
    assert net["title"] == "untouched + net with balanced softmax"
    # Equal shares before; those of the table after, which a second shift would miss.
    assert net["calibration"]["before"]["mean"] > y.mean() + 0.05
    assert abs(net["calibration"]["after"]["mean"] - y.mean()) < 0.05
    with parallel_config("threading"):
        again = run(X, y, cv=(2, 1), n_jobs=2, **chosen).summary
    for name, card in cards.items():
        (other,) = (each for each in again["entries"] if each["id"] == name)
        assert other["policies"] == card["policies"], name
        assert other["calibration"] == card["calibration"], name


@pytest.mark.parametrize("kind", ["classes", "stages"])
def test_several_classes(torch, run, kind):
    X, y = curved(200)
    y = np.array(["low", "middle", "top"])[y + (X[:, 0] > 0)]
    order = ["low", "middle", "top"] if kind == "stages" else None
    learners = ["net:balanced-softmax"]
    found = run(X, y, learners=learners, strategies=["none"], cv=(2, 1), ordered=order).summary
    assert not [each for each in found["problems"] if each["where"] != "none/constant"]
    (net,) = (each for each in found["entries"] if each["id"] == "none/net:balanced-softmax")
    if kind == "stages":
        # No strategy changes the shares here, but this learner does.
        assert net["calibration"]["repairs"] == ["sigmoid"]


@pytest.mark.parametrize("name", ["net:balanced-softmax", "net:ldam-drw", "net:auc-margin"])
def test_the_model_is_saved_and_written_down(torch, tmp_path, name):
    X, y = curved()
    task = Task("binary", (0, 1), (2,), missing=False, n_train=300, fewest=40)
    model = seed_estimator(STRATEGIES["random_under"].build(net_learner(name, task), task), 3)
    model.set_params(model__max_epochs=2)
    fitted = clone(model).fit(X, y)
    trusted = save_model(fitted, tmp_path / "model.skops", X)
    # The numbers of a net are plain arrays: nothing of torch is to be trusted.
    assert {each.partition(".")[0] for each in trusted} <= {"imbkit", "numpy"}
    loaded = skops.io.load(tmp_path / "model.skops", trusted=trusted)
    assert list(loaded.named_steps) == ["columns", "model"]
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    writer = SourceWriter()
    source = writer.write(model)
    scope = {}
    exec("\n".join(writer.lines()), scope)
    assert "from imbkit.nets import ImbalancedNetClassifier" in writer.lines()
    again = eval(source, scope).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
