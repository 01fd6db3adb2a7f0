"""The same numbers from torch as from NumPy, torch only where it is asked for, and its errors."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import imbkit.rvfl._device as module
from imbkit.exceptions import InvalidParameterError, MissingExtraError
from imbkit.rvfl import (
    EDRVFLClassifier,
    GEIFRVFLClassifier,
    IFRVFLClassifier,
    RVFLClassifier,
    RVFLClassifierCV,
    RVFLRegressor,
)
from imbkit.rvfl._activations import ACTIVATIONS
from imbkit.rvfl._device import NumpyDevice, on_device
from imbkit.rvfl._hidden import HiddenLayer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
Y = (X[:, 0] + 0.5 * RNG.normal(size=300) > 1.0).astype(int)
V = RNG.uniform(0, 2, 300)

MODELS = {
    "rvfl": RVFLClassifier(20, class_weight="balanced"),
    "rvfl dual": RVFLClassifier(400, activation="tanh"),
    "rvfl chunks": RVFLClassifier(20, chunk_size=37, activation="sigmoid"),
    "cv": RVFLClassifierCV(20),
    "if": IFRVFLClassifier(20, kernel_width="median", neighbor_correction="prior"),
    "ge": GEIFRVFLClassifier(20, kernel_width="median", neighbor_correction="prior"),
    "ge local": GEIFRVFLClassifier(20, fuzzy=None, graph="lfda", weighting="wls"),
    "ed": EDRVFLClassifier(20, n_layers=3, activation="sin"),
    "ed chunks": EDRVFLClassifier(20, n_layers=3, chunk_size=37, voting="hard"),
    "own activation": RVFLClassifier(20, activation=np.cos),
    "regressor": RVFLRegressor(20),
}
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.fixture
def device(request):
    """A device of torch, where it is there."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch finds no accelerator")
    return request.param


devices = pytest.mark.parametrize("device", DEVICES, indirect=True)


def values(model, rows):
    named = "decision_function" if hasattr(model, "decision_function") else "predict"
    return getattr(model, named)(rows)


def fitted(name, device, rows=X):
    from sklearn.base import clone

    model = clone(MODELS[name]).set_params(device=device, random_state=1)
    return model.fit(rows, X[:, 1] if name == "regressor" else Y, sample_weight=V)


@devices
@pytest.mark.parametrize("name", MODELS)
def test_torch_gives_what_numpy_gives(name, device):
    here, there = fitted(name, None), fitted(name, device)
    assert_allclose(there.coef_, here.coef_, rtol=1e-6, atol=1e-8)
    assert_allclose(values(there, X), values(here, X), rtol=1e-6, atol=1e-6)


@devices
@pytest.mark.parametrize("name", ["rvfl", "rvfl dual", "ed"])
def test_sparse_rows_on_a_device(name, device):
    rows = np.where(np.abs(X) < 0.5, 0, X)
    here, there = fitted(name, None, rows), fitted(name, device, sparse.csr_array(rows))
    assert_allclose(values(there, sparse.csr_array(rows)), values(here, rows), atol=1e-6)


@devices
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_on_a_device(name, device):
    layer = HiddenLayer.drawn(
        5,
        30,
        2.0,
        np.random.RandomState(0),
        activation=name,
        direct_link=True,
        output_bias=True,
    )
    there = on_device(device, "test")
    H = there.get(layer.expand(X, there))
    assert H.dtype == np.float64
    # To the last digits: nothing passes through single precision.
    assert_allclose(H, layer.expand(X, NumpyDevice()), rtol=1e-11, atol=1e-13)


@devices
def test_a_device_may_change_between_parts(device):
    both = RVFLClassifier(20, random_state=0, device=device).partial_fit(X[:150], Y[:150], [0, 1])
    both.set_params(device=None).partial_fit(X[150:], Y[150:])
    alone = RVFLClassifier(20, random_state=0).fit(X, Y)
    assert_allclose(both.coef_, alone.coef_, rtol=1e-6, atol=1e-8)


@devices
@pytest.mark.parametrize("name", ["rvfl", "ge", "ed"])
def test_a_pickle_needs_no_device(name, device):
    import pickle

    model = fitted(name, device)
    text = pickle.dumps(model)
    assert b"torch" not in text
    again = pickle.loads(text).set_params(device=None)
    assert_allclose(values(again, X), values(model, X), rtol=1e-6, atol=1e-6)


def test_cuda_without_an_accelerator():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if torch.cuda.is_available():
        pytest.skip("torch finds an accelerator")
    with pytest.raises(InvalidParameterError, match=r"needs an accelerator.*Use 'auto', 'cpu'"):
        RVFLClassifier(device="cuda").fit(X, Y)


def test_auto_without_an_accelerator_is_numpy():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if torch.cuda.is_available():
        pytest.skip("torch finds an accelerator")
    assert isinstance(on_device("auto", "test"), NumpyDevice)


@pytest.fixture
def without_torch(monkeypatch):
    """As if torch were not installed."""
    monkeypatch.setitem(sys.modules, "torch", None)


def test_auto_without_torch_is_numpy(without_torch):
    assert isinstance(on_device("auto", "test"), NumpyDevice)
    one, other = fitted("rvfl", None), fitted("rvfl", "auto")
    assert_array_equal(one.coef_, other.coef_)


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_a_device_of_torch_without_torch(without_torch, name):
    with pytest.raises(MissingExtraError, match=r"imbkit\[nets\]"):
        RVFLClassifier(device=name).fit(X, Y)


def test_auto_takes_what_torch_finds(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(module, "TorchDevice", lambda where: asked.append(where) or "found")
    assert on_device("auto", "test") == "found"
    assert asked == ["cuda"]


def test_an_unknown_device():
    with pytest.raises(ValueError, match="device"):
        RVFLClassifier(device="tpu").fit(X, Y)


def test_torch_is_imported_only_when_asked_for():
    pytest.importorskip("torch", reason="torch is not installed")
    code = (
        "import sys, numpy as np\n"
        "from imbkit.rvfl import EDRVFLClassifier, RVFLClassifier\n"
        "X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2\n"
        "for each in (RVFLClassifier(5), EDRVFLClassifier(5)):\n"
        "    each.fit(X, y).predict(X)\n"
        "assert 'torch' not in sys.modules\n"
        "RVFLClassifier(5, device='cpu').fit(X, y)\n"
        "assert 'torch' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
