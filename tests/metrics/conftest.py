"""What the tests of metrics share: imbalanced-learn's own functions as an oracle."""

import imblearn.metrics
import pytest


@pytest.fixture(scope="session")
def imbalanced_learn():
    """Its metrics; skip where the installed version cannot call the installed scikit-learn."""
    try:
        imblearn.metrics.specificity_score([0, 1], [0, 1])
    except ValueError as error:
        pytest.skip(f"imbalanced-learn's metrics fail with this scikit-learn: {error}")
    return imblearn.metrics
