"""Losses of torch for rare classes: one design for all of them.

A loss is called as torch's own, ``loss(logits, target)``. Most need counts of the training rows
first, ``loss.setup(ClassStats.from_labels(y))``, and some more of a batch than logits: each says
so by `needs`. :class:`imbkit.nets.ImbalancedNetClassifier` takes care of all that; they serve
any loop of torch as well. Weights of rows are objects of their own (`Reweighted`), and
combinations have names (`get_loss`).

Below the classes lie plain functions (`functional`). A new member is a subclass of
`_base.BaseLoss` with `per_item`, its `names`, `tasks`, `needs` and `card`, in a file of its own,
and a line in ``__all__``.
"""

from imbkit.losses import functional
from imbkit.losses._adversarial import Adversarial
from imbkit.losses._aggregate import AggregateLoss
from imbkit.losses._aldr_kl import ALDRKLLoss
from imbkit.losses._any_loss import AnyLoss
from imbkit.losses._asymmetric import AsymmetricLoss
from imbkit.losses._auc_margin import AUCMarginLoss
from imbkit.losses._balanced_softmax import BalancedSoftmaxLoss
from imbkit.losses._base import BaseLoss
from imbkit.losses._class_weight import ClassWeight
from imbkit.losses._cluster_likelihood import ClusterLikelihood
from imbkit.losses._comp_sum import CompSumLoss
from imbkit.losses._confusion_aware import ConfusionAwareLoss
from imbkit.losses._context import LossContext
from imbkit.losses._cross_entropy import CrossEntropyLoss
from imbkit.losses._decoupled_softmax import DecoupledSoftmaxLoss
from imbkit.losses._deferred import Deferred, DeferredLoss
from imbkit.losses._dice_nlp import DiceNLPLoss
from imbkit.losses._effective_number import EffectiveNumber
from imbkit.losses._ens_loss import EnsLoss
from imbkit.losses._equalized import EqualizedLoss
from imbkit.losses._equalized_v2 import EqualizedV2Loss
from imbkit.losses._focal import FocalLoss
from imbkit.losses._focal_distillation import FocalDistillationLoss
from imbkit.losses._hybrid_multilabel import HybridMultilabelLoss
from imbkit.losses._influence_balanced import InfluenceBalanced
from imbkit.losses._kl_dro import KLDRO
from imbkit.losses._label_class_balanced import LabelClassBalancedLoss
from imbkit.losses._ldam import LDAMLoss
from imbkit.losses._ldr_kl import LDRKLLoss
from imbkit.losses._logit_adjusted import LogitAdjustedLoss
from imbkit.losses._loss_based import LossBased
from imbkit.losses._mann_whitney import MannWhitneyLoss
from imbkit.losses._module_loss import ModuleLoss
from imbkit.losses._multi_focal import MultiFocalLoss
from imbkit.losses._multi_similarity import MultiSimilarityLoss
from imbkit.losses._names import get_loss, get_reweighter, loss_names, reweighter_names
from imbkit.losses._norm_direction import NormDirectionLoss
from imbkit.losses._normalized_softmax import NormalizedSoftmaxLoss
from imbkit.losses._one_vs_rest import OneVsRest
from imbkit.losses._orthogonal_projection import OrthogonalProjectionLoss
from imbkit.losses._poly1 import Poly1Loss
from imbkit.losses._pu_multilabel import PUMultilabelLoss
from imbkit.losses._reweighting import BaseReweighter, Reweighted
from imbkit.losses._seesaw import SeesawLoss
from imbkit.losses._sface import SFaceLoss
from imbkit.losses._smooth_adversarial import SmoothAdversarialCompSumLoss
from imbkit.losses._soap import SOAPLoss
from imbkit.losses._soft_top_k import SoftTopKLoss
from imbkit.losses._stats import ClassStats
from imbkit.losses._sum_loss import SumLoss
from imbkit.losses._tversky import FocalTverskyLoss, TverskyLoss
from imbkit.losses._unpg import UNPGLoss
from imbkit.losses._vector_scaling import VectorScalingLoss
from imbkit.losses._weighted_cox import WeightedCoxLoss
from imbkit.losses._z_loss import ZLoss

__all__ = [
    "ALDRKLLoss",
    "AUCMarginLoss",
    "Adversarial",
    "AggregateLoss",
    "AnyLoss",
    "AsymmetricLoss",
    "BalancedSoftmaxLoss",
    "BaseLoss",
    "BaseReweighter",
    "ClassStats",
    "ClassWeight",
    "ClusterLikelihood",
    "CompSumLoss",
    "ConfusionAwareLoss",
    "CrossEntropyLoss",
    "DecoupledSoftmaxLoss",
    "Deferred",
    "DeferredLoss",
    "DiceNLPLoss",
    "EffectiveNumber",
    "EnsLoss",
    "EqualizedLoss",
    "EqualizedV2Loss",
    "FocalDistillationLoss",
    "FocalLoss",
    "FocalTverskyLoss",
    "HybridMultilabelLoss",
    "InfluenceBalanced",
    "KLDRO",
    "LDAMLoss",
    "LDRKLLoss",
    "LabelClassBalancedLoss",
    "LogitAdjustedLoss",
    "LossBased",
    "LossContext",
    "MannWhitneyLoss",
    "ModuleLoss",
    "MultiFocalLoss",
    "MultiSimilarityLoss",
    "NormDirectionLoss",
    "NormalizedSoftmaxLoss",
    "OneVsRest",
    "OrthogonalProjectionLoss",
    "PUMultilabelLoss",
    "Poly1Loss",
    "Reweighted",
    "SFaceLoss",
    "SOAPLoss",
    "SeesawLoss",
    "SmoothAdversarialCompSumLoss",
    "SoftTopKLoss",
    "SumLoss",
    "TverskyLoss",
    "UNPGLoss",
    "VectorScalingLoss",
    "WeightedCoxLoss",
    "ZLoss",
    "functional",
    "get_loss",
    "get_reweighter",
    "loss_names",
    "reweighter_names",
]
