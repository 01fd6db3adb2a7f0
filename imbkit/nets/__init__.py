"""Nets for tables with rare classes, behind scikit-learn's face.

A net is a body (`MLP`, ...), a loss of :mod:`imbkit.losses` and a batch sampler; the training
loop is skorch's.
"""

from imbkit.nets._bag_sampler import BagBatchSampler
from imbkit.nets._batch_sampler import BaseBatchSampler
from imbkit.nets._bodies import body_names, get_body
from imbkit.nets._class_balanced_sampler import ClassBalancedBatchSampler
from imbkit.nets._classifier import ImbalancedNetClassifier
from imbkit.nets._cosine_head import CosineHead
from imbkit.nets._cox import ImbalancedCoxNet
from imbkit.nets._difficulty_sampler import DifficultyBatchSampler
from imbkit.nets._dual_sampler import DualBatchSampler
from imbkit.nets._engine import ImbNet
from imbkit.nets._episodic_sampler import EpisodicBatchSampler
from imbkit.nets._mlp import MLP
from imbkit.nets._multilabel import ImbalancedMultiLabelNet
from imbkit.nets._norms import TauNormalization, TauNormalizedRetraining, WeightAlignment
from imbkit.nets._power_sampler import PowerBatchSampler, ProgressiveBatchSampler
from imbkit.nets._repeat_factor_sampler import RepeatFactorBatchSampler
from imbkit.nets._residual_mlp import ResidualMLP
from imbkit.nets._retraining import ClassifierRetraining, LearnableScaling, NearestClassMean
from imbkit.nets._row_sampler import InstanceBatchSampler
from imbkit.nets._sampler_names import batch_sampler_names, get_batch_sampler
from imbkit.nets._second_stage import BaseSecondStage, get_second_stage
from imbkit.nets._tabular_net import TabularNet

__all__ = [
    "BagBatchSampler",
    "BaseBatchSampler",
    "BaseSecondStage",
    "ClassBalancedBatchSampler",
    "ClassifierRetraining",
    "CosineHead",
    "DifficultyBatchSampler",
    "DualBatchSampler",
    "EpisodicBatchSampler",
    "ImbNet",
    "ImbalancedCoxNet",
    "ImbalancedMultiLabelNet",
    "ImbalancedNetClassifier",
    "InstanceBatchSampler",
    "LearnableScaling",
    "MLP",
    "NearestClassMean",
    "PowerBatchSampler",
    "ProgressiveBatchSampler",
    "RepeatFactorBatchSampler",
    "ResidualMLP",
    "TabularNet",
    "TauNormalization",
    "TauNormalizedRetraining",
    "WeightAlignment",
    "batch_sampler_names",
    "body_names",
    "get_batch_sampler",
    "get_body",
    "get_second_stage",
]
