"""Losses and weightings by name."""

import inspect

import numpy as np
import pytest
import torch
from torch import nn

from imbkit import losses as family
from imbkit._core.catalog import catalog
from imbkit.exceptions import InvalidParameterError
from imbkit.losses import (
    BaseLoss,
    BaseReweighter,
    ClassStats,
    ClassWeight,
    CompSumLoss,
    CrossEntropyLoss,
    Deferred,
    EffectiveNumber,
    FocalLoss,
    LDAMLoss,
    ModuleLoss,
    OneVsRest,
    Reweighted,
    SumLoss,
    get_loss,
    get_reweighter,
    loss_names,
    reweighter_names,
)
from imbkit.losses._names import PRESETS

CLASSES = [entry.obj for entry in catalog("losses") if entry.card and entry.obj.names]
NAMED = [(name, cls) for cls in CLASSES for name in cls.names]
# As the specification of the family writes them.
SHORT = {
    "la": "logit_adjusted",
    "bsm": "balanced_softmax",
    "vs": "vector_scaling",
    "auc": "auc_margin",
    "ap": "soap_ap",
    "mw": "mann_whitney",
    "ce": "cross_entropy",
}


def getter(cls):
    return get_loss if issubclass(cls, BaseLoss) else get_reweighter


def missing(cls):
    """Return the parameters without which nothing is made."""
    parameters = inspect.signature(cls).parameters.values()
    return [each.name for each in parameters if each.default is each.empty]


# Names ------------------------------------------------------------------------------------------


def test_a_name_means_one_thing():
    for kind in (BaseLoss, BaseReweighter):
        names = [name for name, cls in NAMED if issubclass(cls, kind)]
        names += list(PRESETS) if kind is BaseLoss else []
        assert len(names) == len(set(names))
        assert all(name == name.lower().replace("-", "_") for name in names)


def test_first_names_are_listed():
    first = {cls.names[0] for cls in CLASSES if issubclass(cls, BaseLoss)}
    assert loss_names() == sorted(first | set(PRESETS))
    weightings = {cls.names[0] for cls in CLASSES if issubclass(cls, BaseReweighter)}
    assert reweighter_names() == sorted(weightings)


def test_every_class_of_the_family_has_a_name():
    every = [getattr(family, name) for name in family.__all__]
    kinds = [each for each in every if inspect.isclass(each) and hasattr(each, "card")]
    assert {each for each in kinds if not each.names} == {ModuleLoss}


@pytest.mark.parametrize(("name", "cls"), NAMED, ids=[name for name, _ in NAMED])
def test_a_name_makes_its_class(name, cls):
    if missing(cls):
        with pytest.raises(InvalidParameterError, match="cannot do without") as error:
            getter(cls)(name)
        assert all(f"'{each}'" in str(error.value) for each in missing(cls))
        return
    made = getter(cls)(name)
    assert type(made) is cls
    assert type(getter(cls)(f" {name.upper().replace('_', '-')} ")) is cls
    assert repr(made) == repr(getter(cls)(cls)) == repr(getter(cls)(made)) == repr(cls())
    assert getter(cls)(name) is not made


@pytest.mark.parametrize(("short", "name"), SHORT.items())
def test_short_names(short, name):
    assert type(get_loss(short)) is type(get_loss(name))


@pytest.mark.parametrize(("name", "cls"), NAMED, ids=[name for name, _ in NAMED])
def test_unknown_parameters_are_refused_and_near_ones_named(name, cls):
    known = list(inspect.signature(cls).parameters)
    with pytest.raises(InvalidParameterError, match=r"Got zzzzz\.") as error:
        getter(cls)(name, zzzzz=1)
    assert cls.__name__ in str(error.value)
    assert all(f"'{each}'" in str(error.value) for each in known)
    for each in known:
        if len(each) > 2 and each[:-1] not in known:
            with pytest.raises(InvalidParameterError, match=f"Did you mean .*'{each}'"):
                getter(cls)(name, **{each[:-1]: 1})


@pytest.mark.parametrize(
    ("given", "near"),
    [("focl", "'focal'"), ("ldm", "'ldam'"), ("cb-foc", "'cb_focal'"), ("balanced", "balanced_")],
)
def test_near_names_of_losses(given, near):
    with pytest.raises(InvalidParameterError, match=rf"no such loss\. Got {given}.*{near}"):
        get_loss(given)


def test_names_that_are_like_none_are_answered_by_all():
    with pytest.raises(InvalidParameterError, match="Names are 'adversarial', 'aggregate'"):
        get_loss("zzz")
    with pytest.raises(InvalidParameterError, match="Names are 'balanced', 'cb', 'class_weight'"):
        get_reweighter("zzz")
    with pytest.raises(InvalidParameterError, match="Did you mean 'class_weight'"):
        get_reweighter("class-wieght")


@pytest.mark.parametrize(
    "given",
    [None, 3, 0.5, [], {}, dict, np.ones(2), torch.ones(2), lambda z, y: z.mean(), ClassWeight()],
)
def test_what_is_no_loss_is_refused(given):
    with pytest.raises(InvalidParameterError, match="loss must be a name, a loss or a module"):
        get_loss(given)


@pytest.mark.parametrize("given", [None, 3, dict, FocalLoss(), nn.CrossEntropyLoss()])
def test_what_is_no_weighting_is_refused(given):
    with pytest.raises(InvalidParameterError, match="reweighter must be a name or a weighting"):
        get_reweighter(given)


# Parameters, objects, modules of torch ----------------------------------------------------------


def test_parameters_of_names_classes_and_objects():
    for given in ("focal", FocalLoss, FocalLoss(gamma=5.0)):
        assert get_loss(given, gamma=1.5, alpha=0.3).extra_repr() == "gamma=1.5, alpha=0.3"
    assert get_loss(FocalLoss(alpha=0.2), gamma=0.5).alpha == 0.2
    with pytest.raises(InvalidParameterError, match="gamma must be"):
        get_loss("focal", gamma="x")
    with pytest.raises(InvalidParameterError, match="gamma must be"):
        get_loss(FocalLoss(), gamma=-1)
    for given in ("class-weight", ClassWeight, ClassWeight("sqrt")):
        assert get_reweighter(given, scheme=0.3).scheme == 0.3


def test_a_parameter_may_be_called_as_what_is_asked_for():
    assert isinstance(get_loss("one_vs_rest", loss=FocalLoss()).loss, FocalLoss)
    assert isinstance(get_reweighter("drw", reweighter=ClassWeight()).reweighter, ClassWeight)


def test_an_object_is_copied_with_all_that_it_knows():
    given = LDAMLoss(scale=1.0)
    given.setup(ClassStats.from_labels([0, 0, 0, 1]))
    made = get_loss(given)
    assert made is not given
    assert made.margins is not given.margins
    assert torch.equal(made.margins, given.margins)
    other = get_loss(Reweighted(FocalLoss(), ClassWeight()), normalize="batch")
    assert other.normalize == "batch"
    assert isinstance(other.base, FocalLoss)


def test_modules_of_torch_are_wrapped():
    given = nn.CrossEntropyLoss(label_smoothing=0.1)
    made = get_loss(given)
    assert isinstance(made, ModuleLoss)
    assert made.module is not given
    assert given.reduction == "mean"
    assert (made.level, made.link) == ("sample", "softmax")
    z, y = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 3
    assert torch.isclose(made(z, y), given(z, y))
    assert get_loss(nn.CrossEntropyLoss, label_smoothing=0.1)(z, y) == made(z, y)
    with pytest.raises(InvalidParameterError, match="Give the class instead of the object"):
        get_loss(given, label_smoothing=0.2)
    with pytest.raises(InvalidParameterError, match="Did you mean 'label_smoothing'"):
        get_loss(nn.CrossEntropyLoss, label_smooth=0.1)


def test_labels_as_integers_reach_a_module_of_torch_as_numbers():
    made = get_loss(nn.BCEWithLogitsLoss())
    assert made.link == "sigmoid"
    z, y = torch.tensor([[1.0, -2.0], [0.5, 3.0]]), torch.tensor([[1, 0], [0, 1]])
    each = nn.functional.binary_cross_entropy_with_logits(z, y.float(), reduction="none")
    assert torch.isclose(made(z, y), each.sum() / 2)  # labels are summed within a row
    assert torch.isclose(made(z[:, 0], y[:, 0]), each[:, 0].mean())


def test_a_loss_of_ones_own_is_taken():
    class Squared(BaseLoss):
        def per_item(self, batch):
            return batch.logits[:, 0] ** 2

    assert isinstance(get_loss(Squared), Squared)
    assert isinstance(get_loss(Squared()), Squared)
    assert repr(Squared()) == "Squared()"
    with pytest.raises(InvalidParameterError, match="Squared: has no parameters"):
        get_loss(Squared(), gamma=1)


# Presets ----------------------------------------------------------------------------------------


def test_presets():
    drw = get_loss("ldam-drw")
    assert isinstance(drw, Reweighted)
    assert isinstance(drw.base, LDAMLoss)
    (deferred,) = drw.reweighter
    assert isinstance(deferred, Deferred)
    assert (deferred.start, deferred.reweighter.beta) == (0.8, 0.9999)
    assert {"counts", "epoch"} <= drw.needs
    focal = get_loss("cb-focal")
    assert isinstance(focal.base, FocalLoss)
    assert isinstance(focal.reweighter[0], EffectiveNumber)
    assert (get_loss("gce").tau, get_loss("mae").tau) == (1.7, 2.0)
    assert isinstance(get_loss("gce", tau=1.5), CompSumLoss)
    assert all(isinstance(get_loss(name), BaseLoss) for name in PRESETS)
    for name in PRESETS:
        with pytest.raises(InvalidParameterError, match=f"^{name}: "):
            get_loss(name, zzzzz=1)


def test_combinations_take_objects_by_name():
    terms = [(1.0, CrossEntropyLoss()), (0.5, FocalLoss())]
    assert isinstance(get_loss("sum_loss", terms=terms), SumLoss)
    made = get_loss("reweighted", base=get_loss("focal"), reweighter=get_reweighter("cb"))
    assert isinstance(made, Reweighted)
    assert isinstance(get_loss("ovr", loss=get_loss("asl")), OneVsRest)
