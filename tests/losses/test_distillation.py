"""Losses that hold a net to a teacher."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses import (
    FocalDistillationLoss,
    LossContext,
    NormDirectionLoss,
    functional,
    get_loss,
)

Z = torch.tensor([[2.0, 1, -1], [0.5, 2.5, 0], [-1, 0, 3], [1, -0.5, 0.2]], dtype=torch.float64)
T = torch.tensor([[1.0, 2, 0], [0.1, 3.0, 0.4], [-2, 0.3, 2], [2, -1.5, 1.2]], dtype=torch.float64)
Y = torch.tensor([0, 1, 2, 1])  # the teacher is right about the second and third row


def softmax(row):
    e = np.exp(np.asarray(row, dtype=float))
    return e / e.sum()


def embeddings(n=6, d=3, seed=0):
    draw = torch.Generator().manual_seed(seed)
    s = torch.randn(n, d, generator=draw, dtype=torch.float64)
    return s, 1.5 * torch.randn(n, d, generator=draw, dtype=torch.float64)


# --- distillation of logits


def test_a_student_like_its_teacher_loses_nothing():
    for kind in ("kl", "lm"):
        assert functional.focal_distillation(Z, Z, Y, kind=kind).abs().max() < 1e-12
        loss = FocalDistillationLoss(kind=kind)
        found = loss(Z, Y, teacher_logits={"old": Z, "new": Z})
        expected = torch.nn.functional.cross_entropy(Z, Y)
        assert found.item() == pytest.approx(expected.item(), abs=1e-10)


def test_distillation_by_hand():
    kl = functional.focal_distillation(Z, T, Y, alpha=1.5, beta=4.0, temperature=3.0)
    lm = functional.focal_distillation(Z, T, Y, alpha=1.5, beta=4.0, kind="lm")
    for i in range(4):
        p, q = softmax(T[i] / 3), softmax(Z[i] / 3)
        weight = 5.5 if i in (1, 2) else 1.5
        assert kl[i].item() == pytest.approx(weight * (p * np.log(p / q)).sum(), abs=1e-10)
        gap = (Z[i] - T[i]).numpy()
        assert lm[i].item() == pytest.approx(weight * (gap**2).mean() / 2, abs=1e-10)


def test_the_divergence_at_high_temperature_is_the_squared_difference():
    z, t = (each - each.mean(1, keepdim=True) for each in (Z, T))
    kl = 1e6 * functional.focal_distillation(z, t, Y, temperature=1e3)
    lm = functional.focal_distillation(z, t, Y, kind="lm")
    assert ((kl / lm - 1).abs() < 1e-3).all()


def test_the_loss_is_the_sum_of_its_parts():
    parts = {"old": T, "new": -T}
    for kind, usual in (("kl", 1.0), ("lm", 0.4)):
        expected = functional.cross_entropy(Z, Y)
        for t in parts.values():
            expected = expected + usual * functional.focal_distillation(Z, t, Y, kind=kind)
        found = FocalDistillationLoss(kind=kind)(Z, Y, teacher_logits=parts)
        assert found.item() == pytest.approx(expected.mean().item(), abs=1e-10)


@pytest.mark.parametrize("columns", [2, 3])
def test_the_old_teacher_is_compared_on_old_classes(columns):
    # Class 1 is new: the old classes are 0 and 2.
    old = T[:, [0, 2]] if columns == 2 else T
    loss = FocalDistillationLoss(new_classes=(1,), boost=3.0)
    found = loss(Z, Y, teacher_logits={"old": old})
    moved = Z + torch.tensor([0.0, 3.0, 0.0], dtype=torch.float64)
    among = torch.tensor([0, -1, 1, -1])
    far = functional.focal_distillation(Z[:, [0, 2]], T[:, [0, 2]], among)
    expected = functional.cross_entropy(moved, Y) + far
    assert found.item() == pytest.approx(expected.mean().item(), abs=1e-10)


def test_a_new_class_is_never_what_an_old_teacher_is_right_about():
    z, y = torch.zeros(2, 3, dtype=torch.float64), torch.tensor([0, 2])
    old = torch.tensor([[5.0, 0.0], [5.0, 0.0]], dtype=torch.float64)
    kwargs = {"kind": "lm", "coefficient": 1.0, "boost": 0.0, "beta": 1.0}
    loss = FocalDistillationLoss(new_classes=[2], **kwargs)
    rows = loss.per_item(LossContext(z, y, teacher_logits={"old": old})) - math.log(3)
    assert rows.tolist() == pytest.approx([2 * 6.25, 6.25], abs=1e-10)


def test_without_distillation_it_is_cross_entropy():
    found = FocalDistillationLoss(coefficient=0.0)(Z, Y, teacher_logits={"old": T})
    expected = torch.nn.functional.cross_entropy(Z, Y)
    assert found.item() == pytest.approx(expected.item(), abs=1e-12)


def test_validation_looks_at_the_labels_alone():
    loss = FocalDistillationLoss(new_classes=(1,))
    found = loss(Z, Y, teacher_logits={"old": T}, training=False)
    expected = torch.nn.functional.cross_entropy(Z, Y)
    assert found.item() == pytest.approx(expected.item(), abs=1e-12)


def test_two_classes_may_be_one_log_odds():
    s, t, y = Z[:, 0], T[:, 1], torch.tensor([0, 1, 1, 0])
    two = [torch.stack([torch.zeros_like(each), each], 1) for each in (s, t)]
    loss = FocalDistillationLoss()
    one = loss(s, y, teacher_logits={"old": t}).item()
    assert one == pytest.approx(loss(two[0], y, teacher_logits={"old": two[1]}).item(), abs=1e-10)


def test_a_teacher_gets_no_slope():
    z, t = Z.clone().requires_grad_(), T.clone().requires_grad_()
    FocalDistillationLoss()(z, Y, teacher_logits={"old": t}).backward()
    assert t.grad is None
    assert z.grad.abs().max() > 0


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
@pytest.mark.parametrize("kind", ["kl", "lm"])
def test_distillation_stays_finite(size, kind):
    z = (size * Z).float().requires_grad_()
    loss = FocalDistillationLoss(new_classes=(2,), kind=kind)
    value = loss(z, Y, teacher_logits={"old": (-size * T).float(), "new": T.float()})
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("kind", ["kl", "lm"])
def test_slopes_of_the_distillation(kind):
    loss = FocalDistillationLoss(new_classes=(1,), kind=kind)
    z = Z.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, Y, teacher_logits={"old": T}), (z,))


def test_teachers_that_do_not_fit_are_refused():
    with pytest.raises(InvalidParameterError, match="teacher"):
        FocalDistillationLoss()(Z, Y)
    with pytest.raises(InvalidParameterError, match="logits of a teacher"):
        FocalDistillationLoss()(Z, Y, teacher_embedding=Z)
    with pytest.raises(DataError, match=r"\(4, 2\)"):
        FocalDistillationLoss((1,))(Z, Y, teacher_logits={"old": T[:, :1]})
    with pytest.raises(DataError, match=r"\(4, 3\)"):
        FocalDistillationLoss((1,))(Z, Y, teacher_logits={"new": T[:, :2]})
    with pytest.raises(DataError, match="new_classes"):
        FocalDistillationLoss((3,))(Z, Y, teacher_logits={"old": T})
    with pytest.raises(DataError, match="not all"):
        FocalDistillationLoss((0, 1, 2))(Z, Y, teacher_logits={"old": T})


# --- norm and direction


def test_an_aligned_and_long_student_loses_nothing():
    t = torch.tensor([[1.0, 1.0], [2.0, 2.0], [0.0, 3.0]], dtype=torch.float64)
    y = torch.tensor([0, 0, 1])
    s = 7 * t
    rows = functional.norm_direction(s, t.norm(dim=1), functional.class_directions(t, y, 2)[y])
    assert rows.abs().max() < 1e-12
    loss = NormDirectionLoss()
    assert loss(Z[:3, :2], y, embedding=s, teacher_embedding=t).item() == pytest.approx(
        0, abs=1e-12
    )
    zero = torch.zeros_like(s)
    assert loss(Z[:3, :2], y, embedding=zero, teacher_embedding=t).item() == 1.0
    opposite = loss(Z[:3, :2], y, embedding=-s, teacher_embedding=t)
    assert opposite.item() == pytest.approx(2.0, abs=1e-12)


def test_norm_and_direction_by_hand():
    s, t = embeddings()
    y = torch.tensor([0, 1, 0, 1, 1, 0])
    expected = []
    for i in range(6):
        mean = t[y == y[i]].mean(0).numpy()
        length = max(np.linalg.norm(s[i]), np.linalg.norm(t[i]))
        expected.append(1 - s[i].numpy() @ mean / np.linalg.norm(mean) / length)
    z = torch.zeros(6, 2, dtype=torch.float64)
    found = NormDirectionLoss()(z, y, embedding=s, teacher_embedding=t).item()
    assert found == pytest.approx(np.mean(expected), abs=1e-10)
    means = [t[y == k].mean(0).tolist() for k in (0, 1)]
    given = NormDirectionLoss(class_means=means)
    rows = [given(z[[i]], y[[i]], embedding=s[[i]], teacher_embedding=t[[i]]) for i in range(6)]
    assert [each.item() for each in rows] == pytest.approx(expected, abs=1e-10)


def test_a_projector_bridges_widths_and_learns():
    s, t = embeddings(d=3)[0], embeddings(d=5)[1]
    y, z = torch.tensor([0, 1, 0, 1, 1, 0]), torch.zeros(6, 2)
    plain = NormDirectionLoss()
    assert "learnable" not in plain.needs
    with pytest.raises(DataError, match="projector"):
        plain(z, y, embedding=s, teacher_embedding=t)
    loss = NormDirectionLoss(projector=torch.nn.Linear(3, 5).double())
    assert "learnable" in loss.needs
    loss(z, y, embedding=s, teacher_embedding=t).backward()
    assert loss.projector.weight.grad.abs().max() > 0


def test_a_doubled_weight_is_a_repeated_row():
    s, t = embeddings()
    y, z = torch.tensor([0, 1, 0, 1, 1, 0]), torch.randn(6, 2, generator=torch.Generator())
    twice = torch.tensor([0, 1, 1, 2, 3, 4, 5])
    v = torch.tensor([1.0, 2, 1, 1, 1, 1], dtype=torch.float64)
    loss = NormDirectionLoss()
    one = loss(z, y, embedding=s, teacher_embedding=t, sample_weight=v)
    two = loss(z[twice], y[twice], embedding=s[twice], teacher_embedding=t[twice])
    assert one.item() == pytest.approx(two.item(), abs=1e-10)
    loss = FocalDistillationLoss()
    one = loss(s, y, teacher_logits={"old": t}, sample_weight=v)
    two = loss(s[twice], y[twice], teacher_logits={"old": t[twice]})
    assert one.item() == pytest.approx(two.item(), abs=1e-10)


@pytest.mark.parametrize("size", [0.0, 1e-6, 50.0, 1e4])
def test_norm_and_direction_stay_finite(size):
    s, t = embeddings()
    s = (size * s).float().requires_grad_()
    y = torch.tensor([0, 0, 0, 0, 0, 1])
    for goal in (t.float(), torch.zeros(6, 3)):
        value = NormDirectionLoss()(torch.zeros(6, 3), y, embedding=s, teacher_embedding=goal)
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(s.grad).all()


def test_slopes_of_norm_and_direction():
    s, t = embeddings(4)
    y, z = torch.tensor([0, 1, 0, 1]), torch.zeros(4, 2)
    loss = NormDirectionLoss()
    assert torch.autograd.gradcheck(
        lambda s: loss(z, y, embedding=s, teacher_embedding=t), (s.requires_grad_(),)
    )


def test_half_precision_is_computed_in_float32():
    s, t = (each.bfloat16() for each in embeddings())
    y, z = torch.tensor([0, 1, 0, 1, 1, 0]), torch.zeros(6, 2).bfloat16()
    assert NormDirectionLoss()(z, y, embedding=s, teacher_embedding=t).dtype == torch.float32
    assert FocalDistillationLoss()(s, y, teacher_logits={"old": t}).dtype == torch.float32


def test_copies_give_the_same():
    s, t = embeddings()
    y, z = torch.tensor([0, 1, 0, 1, 1, 0]), torch.zeros(6, 2)
    loss = NormDirectionLoss(class_means=t[:2].tolist(), projector=torch.nn.Linear(3, 3).double())
    expected = loss(z, y, embedding=s, teacher_embedding=t).item()
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), get_loss(loss)):
        assert other(z, y, embedding=s, teacher_embedding=t).item() == expected


def test_what_norm_and_direction_need_is_asked_for():
    s, t = embeddings()
    y, z = torch.tensor([0, 1, 0, 1, 1, 0]), torch.zeros(6, 2)
    with pytest.raises(InvalidParameterError, match="embedding"):
        NormDirectionLoss()(z, y, teacher_embedding=t)
    with pytest.raises(InvalidParameterError, match="teacher"):
        NormDirectionLoss()(z, y, embedding=s)
    with pytest.raises(InvalidParameterError, match="embedding of a teacher"):
        NormDirectionLoss()(z, y, embedding=s, teacher_logits={"old": z})
    with pytest.raises(DataError, match=r"class_means must have shape \(2, 3\)"):
        NormDirectionLoss(class_means=torch.zeros(3, 3).numpy())(
            z, y, embedding=s, teacher_embedding=t
        )


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (FocalDistillationLoss, {"new_classes": [0.5]}),
        (FocalDistillationLoss, {"new_classes": "old"}),
        (FocalDistillationLoss, {"kind": "mse"}),
        (FocalDistillationLoss, {"beta": -1.0}),
        (FocalDistillationLoss, {"temperature": 0.0}),
        (FocalDistillationLoss, {"coefficient": -0.1}),
        (NormDirectionLoss, {"class_means": [1.0, 2.0]}),
        (NormDirectionLoss, {"class_means": [[math.nan]]}),
        (NormDirectionLoss, {"projector": 3}),
    ],
)
def test_bad_parameters_are_refused(cls, params):
    with pytest.raises(InvalidParameterError, match=next(iter(params))):
        cls(**params)
