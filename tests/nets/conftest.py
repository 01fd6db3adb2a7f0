"""Small nets on small tables, on one thread."""

import numpy as np
import pytest
import torch

SMALL = {"module_params": {"hidden": (8,)}, "max_epochs": 3, "lr": 0.02, "batch_size": 32}
SMALL |= {"random_state": 0, "device": "cpu"}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Threads would only get in each other's way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def net():
    """A function that makes a small classifier."""
    from imbkit.nets import ImbalancedNetClassifier

    def made(**more):
        return ImbalancedNetClassifier(**{**SMALL, **more})

    return made


@pytest.fixture(scope="session")
def rare():
    """Two classes, the second in about one row of eight."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    return X, (X[:, 0] + rng.normal(size=300) > 1.6).astype(int)


@pytest.fixture(scope="session")
def blobs():
    """Three classes of 400, 60 and 20 rows, and 200 rows of each to test on."""

    def drawn(sizes, seed):
        rng = np.random.default_rng(seed)
        y = np.repeat([0, 1, 2], sizes)
        centres = np.array([[0.0, 0.0], [2.2, 0.0], [0.0, 2.2]])
        return centres[y] + rng.normal(size=(len(y), 2)), y

    return (*drawn([400, 60, 20], 0), *drawn([200, 200, 200], 1))
