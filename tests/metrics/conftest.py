"""What the tests of metrics share: imbalanced-learn's own functions as an oracle."""

import imblearn
import imblearn.metrics
import pytest


@pytest.fixture(scope="session")
def imbalanced_learn():
    """Its metrics; skip with 0.14.1, which cannot call scikit-learn 1.8. Newer ones must do."""
    try:
        imblearn.metrics.specificity_score([0, 1], [0, 1])
    except ValueError as error:
        if imblearn.__version__ != "0.14.1":
            raise
        pytest.skip(f"imbalanced-learn's metrics fail with this scikit-learn: {error}")
    return imblearn.metrics
