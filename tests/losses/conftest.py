"""Every loss of the catalogue at every setting of its card, and a batch for each kind of target."""

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np
import pytest
import torch
from torch import nn

from imbkit._core.catalog import catalog
from imbkit.losses import (
    AUCMarginLoss,
    BaseReweighter,
    ClassStats,
    ClassWeight,
    CompSumLoss,
    ConfusionAwareLoss,
    CrossEntropyLoss,
    EffectiveNumber,
    EnsLoss,
    FocalLoss,
    LogitAdjustedLoss,
    LossContext,
    MannWhitneyLoss,
    OrthogonalProjectionLoss,
    Reweighted,
)

N_TRAIN, N_ROWS, N_CLASSES, WIDTH, N_FEATURES = 60, 12, 3, 4, 5
KINDS = {
    "multiclass": ("multiclass",),
    "binary": ("one score", "two columns"),
    "multilabel": ("multilabel",),
    "survival": ("survival",),
    "aggregate": ("aggregate",),
}
PAIR = {"loss": CrossEntropyLoss(), "then": LogitAdjustedLoss()}
# What a card cannot say: classes that take other losses, or modules of torch.
MORE = {
    "Adversarial": (
        {"base": CrossEntropyLoss()},
        {"base": FocalLoss(), "norm": "l2", "share": 1.0, "steps": 2, "columns": [0, -1]},
    ),
    "DeferredLoss": (PAIR, {**PAIR, "start": 1.0}),
    "ModuleLoss": (
        {"module": nn.CrossEntropyLoss()},
        {"module": nn.BCEWithLogitsLoss(reduction="sum")},
    ),
    "NormDirectionLoss": (
        {},
        {"projector": nn.Linear(WIDTH, WIDTH)},
        {"class_means": np.eye(WIDTH)[:N_CLASSES]},
    ),
    "OneVsRest": tuple(
        {"loss": loss}
        for loss in (
            FocalLoss(),
            CompSumLoss(),
            LogitAdjustedLoss(),
            MannWhitneyLoss(),
            AUCMarginLoss(closed_form=False),
            EnsLoss(),
        )
    ),
    "Reweighted": (
        {"base": FocalLoss(), "reweighter": ClassWeight(), "normalize": "batch"},
        {"base": CrossEntropyLoss(), "reweighter": [ClassWeight(), EffectiveNumber()]},
    ),
    "SumLoss": (
        {"terms": [(1.0, CrossEntropyLoss()), (0.5, OrthogonalProjectionLoss())]},
        {"terms": [(1.0, FocalLoss()), (0.3, ConfusionAwareLoss())]},
        {"terms": [(2.0, CompSumLoss()), (0.5, CrossEntropyLoss())]},
    ),
}
# Kinds of targets where they are not those of `tasks`.
ONLY = {
    ("ModuleLoss", "CrossEntropyLoss"): ("multiclass", "two columns"),
    ("ModuleLoss", "BCEWithLogitsLoss"): ("multilabel",),
    ("NormDirectionLoss", "ndarray"): ("multiclass",),
}


@dataclass(frozen=True)
class Case:
    """A loss or weighting, some settings, and a kind of target that it serves."""

    cls: type
    settings: Mapping = field(default_factory=dict)
    kind: str = "multiclass"

    @property
    def name(self):
        """Class and settings, for the names of tests."""
        said = ",".join(f"{k}={_short(v)}" for k, v in self.settings.items())
        return f"{self.cls.__name__}({said})-{self.kind.replace(' ', '_')}"

    @property
    def parameters(self):
        """Parameters of the constructor by name."""
        return inspect.signature(self.cls).parameters

    def bare(self):
        """Build the object alone."""
        return self.cls(**copy.deepcopy(dict(self.settings)))

    def build(self):
        """Build a loss; a weighting of rows is tried on the plainest."""
        made = self.bare()
        return Reweighted(CrossEntropyLoss(), made) if isinstance(made, BaseReweighter) else made

    @cached_property
    def traits(self):
        """An object to look at, for its needs and its link."""
        return self.build()

    def ready(self, labels=None, dtype=torch.float64):
        """Build a loss that has seen the training rows."""
        loss = self.build()
        self.see(loss, labels)
        for parameter in loss.parameters():  # a net gives its criterion the type of its module
            parameter.data = parameter.data.to(dtype)
        return loss

    def see(self, loss, labels=None):
        """Show a loss the training rows, as a net does at the start of a fit."""
        loss.setup(self.stats(labels))
        loss.see(np.random.default_rng(0).normal(size=(N_TRAIN, N_FEATURES)))

    def stats(self, labels=None):
        """Count the training rows."""
        if self.kind in ("survival", "aggregate"):
            return ClassStats(np.empty(0), N_TRAIN, self.kind, embedding_dim=WIDTH)
        if labels is None:
            labels = self.labels()
        size = N_CLASSES if self.kind == "multiclass" else 2
        return ClassStats.from_labels(labels, n_classes=size, embedding_dim=WIDTH)

    def labels(self, rare=False):
        """Return labels of the training rows; if `rare`, of one class one, of another none."""
        if self.kind == "multilabel":
            shares = np.array([1.0, 0.0, 0.0]) if rare else np.array([0.5, 0.25, 0.1])
            labels = np.random.default_rng(1).random((N_TRAIN, N_CLASSES)) < shares
            labels[0, 1] = rare or labels[0, 1]
            return labels.astype(np.int64)
        if self.kind == "multiclass":
            counts = (N_TRAIN - 1, 1, 0) if rare else (40, 15, 5)
        else:
            counts = (N_TRAIN, 0) if rare else (48, 12)
        return np.repeat(np.arange(len(counts)), counts)

    def batch(self, n=N_ROWS, *, seed=0, dtype=torch.float64, **fields):
        """Return a batch with everything that any loss could need."""
        given = fields.get("target")
        n = n if given is None else len(given)
        rng = torch.Generator().manual_seed(seed)

        def some(*shape):
            return torch.randn(*shape, generator=rng, dtype=torch.float64).to(dtype)

        outputs = self._outputs()
        model = nn.Linear(N_FEATURES, outputs or 1, dtype=dtype)
        for parameter in model.parameters():
            parameter.data = some(*parameter.shape)
        inputs = some(n, N_FEATURES)
        logits = 1.5 * some(n, outputs) if outputs else 1.5 * some(n)
        teachers = {"old": some(*logits.shape), "new": some(*logits.shape)}
        rows = torch.arange(n)
        batch = LossContext(
            logits=logits,
            target=self._target(n, some),
            embedding=some(n, WIDTH),
            index=(7 * rows) % N_TRAIN,
            group=rows // 3,
            time=torch.tensor([5.0, 3.0, 3.0, 1.0, 4.0, 2.0]).repeat(n)[:n].to(dtype),
            event=torch.tensor([1, 1, 0, 1, 0, 1]).repeat(n)[:n],
            head_weight=some(outputs or 1, WIDTH),
            head_bias=some(outputs or 1),
            inputs=inputs,
            model=model,
            teacher_logits=teachers,
            teacher_embedding=some(n, WIDTH),
            epoch=9,
            max_epochs=10,
        )
        if "cosine_head" in self.traits.needs or self.traits.link == "cosine":
            batch.logits = torch.tanh(batch.logits)
        return batch.changed(**fields)

    def odd_batches(self, dtype=torch.float32):
        """Return batches of one row, of one class, without a class, by what they are."""
        odd = {"one row": self.batch(1, dtype=dtype)}
        if self.kind == "survival":
            nothing = torch.zeros(N_ROWS, dtype=torch.int64)
            odd["no event"] = self.batch(dtype=dtype, event=nothing)
            odd["one time"] = self.batch(dtype=dtype, time=nothing.to(dtype))
        elif self.kind == "aggregate":
            odd["one bag"] = self.batch(dtype=dtype, group=torch.zeros(N_ROWS, dtype=torch.int64))
            odd["bags of one"] = self.batch(dtype=dtype, group=torch.arange(N_ROWS))
        else:
            for label in (0, 1):
                target = torch.full_like(self.batch().target, label)
                odd[f"only {label}"] = self.batch(dtype=dtype, target=target)
        if self.kind == "multiclass":
            target = torch.tensor([0, 2, 0, 0, 2, 0])
            odd["a class is missing"] = self.batch(dtype=dtype, target=target)
            odd["one row, rare"] = self.batch(dtype=dtype, target=torch.tensor([2]))
        if self.kind == "multilabel":
            target = self.batch().target.clone()
            target[:, 1] = 0
            odd["a label is missing"] = self.batch(dtype=dtype, target=target)
            target[:, 2], target[3] = -1, -1
            odd["a label and a row are unknown"] = self.batch(dtype=dtype, target=target)
        return odd

    def of(self, cls, settings):
        """Return the case of another class with the same kind of target."""
        return replace(self, cls=cls, settings=settings)

    def _outputs(self):
        """Return how many columns logits have; 0 for a single score a row."""
        if self.kind == "aggregate":
            return 0 if self.traits.link == "score" else N_CLASSES
        columns = {"one score": 0, "survival": 0, "two columns": 2}
        return columns.get(self.kind, N_CLASSES)

    def _target(self, n, some):
        """Return targets of n rows."""
        if self.kind == "multilabel":
            rows = torch.tensor([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 1, 0]])
            return rows.repeat(n, 1)[:n]
        if self.kind == "aggregate":
            per_bag = torch.arange(n) // 3
            return (per_bag % N_CLASSES) if self._outputs() else (per_bag % 2).to(some(1).dtype)
        classes = [0, 0, 1, 0, 1, 2] if self.kind == "multiclass" else [0, 1, 0]
        return torch.tensor(classes).repeat(n)[:n]


def _short(value):
    """Return how a setting is shown in the name of a test."""
    if isinstance(value, nn.Module):
        return type(value).__name__
    if isinstance(value, list | tuple):
        return "+".join(map(_short, value))
    return type(value).__name__ if isinstance(value, np.ndarray) else str(value)


def _kinds(cls, settings):
    """Return the kinds of targets that an object serves."""
    for (name, shown), kinds in ONLY.items():
        if name == cls.__name__ and shown in map(_short, settings.values()):
            return kinds
    loss = Case(cls, settings).build()
    if settings.get("alpha") and cls is FocalLoss:  # the first and the second class
        return ["one score", "two columns", "multilabel"]
    return [kind for task, kinds in KINDS.items() if task in loss.tasks for kind in kinds]


@cache
def every_case():
    """Return all cases of all classes of the family that have a card."""
    found = []
    for entry in catalog("losses"):
        if entry.card is not None and entry.available:
            for place, settings in enumerate(MORE.get(entry.name, entry.card.cases)):
                kinds = _kinds(entry.obj, settings)
                # Two columns are three without one: once for a class is enough, to save time.
                spared = {"two columns"} if place and "multiclass" in kinds else set()
                found += [Case(entry.obj, settings, kind) for kind in kinds if kind not in spared]
    return found


def every_limit():
    """Return (case, case that must equal it) for all limits that cards declare."""
    entries = {entry.name: entry for entry in catalog("losses") if entry.card}
    for entry in entries.values():
        for limit in entry.card.limits:
            other = entries[limit.equals].obj
            shared = set(_kinds(entry.obj, limit.when)) & set(_kinds(other, limit.other))
            assert shared, f"{entry.name} and {limit.equals} have no kind of target in common"
            for kind in sorted(shared):
                yield Case(entry.obj, limit.when, kind), Case(other, limit.other, kind)


def made_of(case, *names):
    """Whether a loss is one of these, or has one inside."""
    return not {type(each).__name__ for each in case.traits.modules()}.isdisjoint(names)


# What a test asks for by the name of its argument, and which cases it is given then.
WANTED = {
    "loss_case": lambda case: True,
    "class_case": lambda case: case.kind in ("multiclass", "one score", "two columns"),
    "counted_case": lambda case: case.kind not in ("survival", "aggregate"),
    "label_case": lambda case: case.kind == "multilabel" and not made_of(case, "ModuleLoss"),
    "learnable_case": lambda case: any(True for _ in case.traits.parameters()),
    "row_case": lambda case: case.traits.level != "batch" and not made_of(case, *DRAWN),
    "score_case": lambda case: case.kind == "one score",
    "turned_case": lambda case: (
        case.kind in ("multiclass", "multilabel") and not ORDERED & set(case.settings)
    ),
    "weighted_case": lambda case: not made_of(case, "ModuleLoss", *DRAWN),
}
DRAWN = ("EnsLoss", "SmoothAdversarialCompSumLoss")  # a row's random number is by its place
ORDERED = {"new_classes", "class_means"}  # settings that go by the positions of classes


def pytest_generate_tests(metafunc):
    """Give a test the cases that it asks for, each class once, or all limits."""
    for name in WANTED.keys() & set(metafunc.fixturenames):
        cases = [case for case in every_case() if WANTED[name](case)]
        metafunc.parametrize(name, cases, ids=[case.name for case in cases])
    if "loss_class" in metafunc.fixturenames:
        kept = {(case.cls, str(case.settings)): case for case in every_case()}
        metafunc.parametrize("loss_class", kept.values(), ids=[one.name for one in kept.values()])
    if "loss_limit" in metafunc.fixturenames:
        pairs = list(every_limit())
        names = [f"{mine.name}={other.cls.__name__}" for mine, other in pairs]
        metafunc.parametrize("loss_limit", pairs, ids=names)


@pytest.fixture
def default_dtype():
    """Set torch's default type of numbers; the usual one comes back afterwards."""
    before = torch.get_default_dtype()
    yield torch.set_default_dtype
    torch.set_default_dtype(before)


@pytest.fixture(scope="session")
def cases_made_of():
    """Return the cases that a class has part in."""
    return lambda name: [case for case in every_case() if made_of(case, name)]
