"""Losses as plain functions: tensors in, one number a row out, nothing reduced or remembered.

What a loss knows of the classes arrives as an argument. Every function stays finite, value and
gradient, for logits up to 10,000 in float32: probabilities are only ever handled by their
logarithms.
"""

from imbkit.losses.functional._aggregate import bag_cross_entropy, bag_means, bag_squared_error
from imbkit.losses.functional._confusion import soft_confusion, spectral_norm
from imbkit.losses.functional._distillation import (
    class_directions,
    focal_distillation,
    norm_direction,
)
from imbkit.losses.functional._embedding import (
    cosine_margin,
    cosines,
    multi_similarity,
    multi_similarity_weights,
    orthogonal_projection,
    sface,
    unpg,
)
from imbkit.losses.functional._ldr import adapted_temperature, aldr_kl, ldr_kl, row_scaled
from imbkit.losses.functional._margins import binary_ldam, ldam, seesaw
from imbkit.losses.functional._multilabel import (
    asymmetric,
    asymmetric_softmax,
    decoupled_softmax,
    label_class_balanced,
    label_contrast,
    label_correlation,
    pu_multilabel,
)
from imbkit.losses.functional._priors import (
    balanced_softmax,
    binary_logit_adjusted,
    binary_vector_scaling,
    gradient_balance,
    label_weighted,
    logit_adjusted,
    vector_scaling,
)
from imbkit.losses.functional._random_slopes import random_slopes
from imbkit.losses.functional._ranking import (
    auc_margin,
    auc_margin_saddle,
    mann_whitney,
    mann_whitney_classes,
    smooth_average_precision,
    squared_hinge_means,
)
from imbkit.losses.functional._scale_free import z_loss, z_scores
from imbkit.losses.functional._sets import dice, label_columns, soft_counts, soft_score, tversky
from imbkit.losses.functional._shapes import binary_focal, comp_sum, focal, margin_gap, poly1
from imbkit.losses.functional._soft_top_k import log_soft_top_k, soft_top_k
from imbkit.losses.functional._stable import (
    binary_cross_entropy,
    columns_of,
    cross_entropy,
    log_complement,
    log_mean_exp,
    log_probability,
    masked_logsumexp,
    signed,
    unit_rows,
)
from imbkit.losses.functional._survival import cox
from imbkit.losses.functional._weights import (
    cluster_likelihood_weights,
    effective_number_weights,
    influence_weights,
    kl_dro_value,
    kl_dro_weights,
    loss_based_weights,
)

__all__ = [
    "adapted_temperature",
    "aldr_kl",
    "asymmetric",
    "asymmetric_softmax",
    "auc_margin",
    "auc_margin_saddle",
    "bag_cross_entropy",
    "bag_means",
    "bag_squared_error",
    "balanced_softmax",
    "binary_cross_entropy",
    "binary_focal",
    "binary_ldam",
    "binary_logit_adjusted",
    "binary_vector_scaling",
    "class_directions",
    "cluster_likelihood_weights",
    "columns_of",
    "comp_sum",
    "cosine_margin",
    "cosines",
    "cox",
    "cross_entropy",
    "decoupled_softmax",
    "dice",
    "effective_number_weights",
    "focal",
    "focal_distillation",
    "gradient_balance",
    "influence_weights",
    "kl_dro_value",
    "kl_dro_weights",
    "label_class_balanced",
    "label_columns",
    "label_contrast",
    "label_correlation",
    "label_weighted",
    "ldam",
    "ldr_kl",
    "log_complement",
    "log_mean_exp",
    "log_probability",
    "log_soft_top_k",
    "logit_adjusted",
    "loss_based_weights",
    "mann_whitney",
    "mann_whitney_classes",
    "margin_gap",
    "masked_logsumexp",
    "multi_similarity",
    "multi_similarity_weights",
    "norm_direction",
    "orthogonal_projection",
    "poly1",
    "pu_multilabel",
    "random_slopes",
    "row_scaled",
    "seesaw",
    "sface",
    "signed",
    "smooth_average_precision",
    "soft_confusion",
    "soft_counts",
    "soft_score",
    "soft_top_k",
    "spectral_norm",
    "squared_hinge_means",
    "tversky",
    "unit_rows",
    "unpg",
    "vector_scaling",
    "z_loss",
    "z_scores",
]
