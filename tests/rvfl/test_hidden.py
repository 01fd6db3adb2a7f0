"""The random layer: its columns, its chunks, its functions."""

import numpy as np
import pytest
from scipy import sparse

from imbkit.rvfl._activations import ACTIVATIONS
from imbkit.rvfl._device import on_device
from imbkit.rvfl._hidden import HiddenLayer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(37, 4))
DEVICE = on_device(None, "test")

PLAIN = {
    "hardlim": lambda z: np.heaviside(z, 0.5),
    "identity": lambda z: z,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.1 * z),
    "radbas": lambda z: np.exp(-(z**2)),
    "relu": lambda z: np.maximum(z, 0),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "sin": np.sin,
    "tanh": np.tanh,
    "tribas": lambda z: np.maximum(1 - np.abs(z), 0),
}


def layer(activation="relu", *, direct_link=True, output_bias=True, n_hidden=6):
    return HiddenLayer.drawn(
        4,
        n_hidden,
        1.5,
        np.random.RandomState(3),
        activation=activation,
        direct_link=direct_link,
        output_bias=output_bias,
    )


def test_every_activation_has_its_plain_form():
    assert set(PLAIN) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", PLAIN)
def test_columns_are_given_random_and_one(name):
    made = layer(name)
    H = made.expand(X, DEVICE)
    np.testing.assert_array_equal(H[:, :4], X)
    np.testing.assert_allclose(H[:, 4:10], PLAIN[name](X @ made.weights + made.bias), atol=1e-12)
    np.testing.assert_array_equal(H[:, 10], 1)
    assert H.shape[1] == made.width


@pytest.mark.parametrize("name", PLAIN)
def test_no_activation_overflows(name):
    values = ACTIVATIONS[name](np.array([-1e5, -800.0, -1e-300, 0.0, 800.0, 1e5]), np)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("direct_link", [True, False])
@pytest.mark.parametrize("output_bias", [True, False])
def test_parts_can_be_left_out(direct_link, output_bias):
    made = layer(direct_link=direct_link, output_bias=output_bias)
    H = made.expand(X, DEVICE)
    assert H.shape == (37, 4 * direct_link + 6 + output_bias) == (37, made.width)


@pytest.mark.parametrize("size", [1, 7, 37, 1000])
def test_chunks_make_up_the_whole(size):
    made = layer()
    parts = [(span, H.copy()) for span, H in made.chunks(X, size, DEVICE)]
    assert [span.start for span, _ in parts] == list(range(0, 37, size))
    np.testing.assert_allclose(np.vstack([H for _, H in parts]), made.expand(X, DEVICE), rtol=1e-14)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
def test_sparse_rows_give_the_same(kind):
    made = layer()
    np.testing.assert_allclose(made.expand(kind(X), DEVICE), made.expand(X, DEVICE), rtol=1e-13)


def test_single_precision_rows_are_computed_in_double():
    made, rows = layer(), X.astype(np.float32)
    np.testing.assert_array_equal(
        made.expand(rows, DEVICE), made.expand(rows.astype(float), DEVICE)
    )


def test_a_function_of_the_users_own():
    made = layer(lambda z: np.sqrt(np.abs(z)))
    expected = np.sqrt(np.abs(X @ made.weights + made.bias))
    np.testing.assert_allclose(made.expand(X, DEVICE)[:, 4:10], expected, rtol=1e-13)


def test_without_hidden_nodes_it_is_linear():
    H = layer(n_hidden=0).expand(X, DEVICE)
    np.testing.assert_array_equal(H, np.column_stack([X, np.ones(37)]))


def test_weights_are_within_their_ranges():
    made = HiddenLayer.drawn(
        50,
        400,
        0.3,
        np.random.RandomState(0),
        activation="relu",
        direct_link=True,
        output_bias=True,
    )
    assert -0.3 <= made.weights.min() < -0.29 < 0.29 < made.weights.max() <= 0.3
    assert 0 <= made.bias.min() < 0.01 < 0.29 < made.bias.max() <= 0.3
