"""Ship a fitted model without the parts that only training needs.

An object says how it ships by its method ``__deploy__()``, which returns a fitted object of
scikit-learn with the same predictions: a threshold classifier becomes scikit-learn's
FixedThresholdClassifier, and what cannot ship as plain scikit-learn raises an error that says
why. Pipelines need no such method: they lose their samplers, and each step is asked in turn.
:func:`deployable` walks that protocol and compares the result with the model.

To make a class of your own shippable, give it that method; nothing is registered.
"""

from imbkit.pipeline._deployable import deployable

__all__ = ["deployable"]
