"""Train with samplers and everything that belongs to the rows; ship without what only trains.

:class:`Pipeline` is imbalanced-learn's, with companions: weights, groups, amounts and whatever
else is given with the rows is resampled with them and reaches the steps that ask for it. How
they travel stands in ``_journey.py``; a sampler of your own takes part if its ``fit_resample``
takes ``sample_weight``, ``groups`` and ``**companions`` and leaves them in ``companions_``.

An object says how it ships by its method ``__deploy__()``, which returns a fitted object of
scikit-learn with the same predictions: a threshold classifier becomes scikit-learn's
FixedThresholdClassifier, and what cannot ship as plain scikit-learn raises an error that says
why. Pipelines need no such method: they lose their samplers, and each step is asked in turn.
:func:`deployable` walks that protocol and compares the result with the model.

To make a class of your own shippable, give it that method; nothing is registered.
"""

from imbkit.pipeline._deployable import deployable
from imbkit.pipeline._pipeline import Pipeline, make_pipeline

__all__ = ["Pipeline", "deployable", "make_pipeline"]
