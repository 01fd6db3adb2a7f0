"""Friends before the nearest enemy, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit._core.neighborhood import Neighborhood
from imbkit._kernels import neighborhood as kernels


def twin(X, codes, alive, row, width):
    """Friends of one row before its nearest enemy, and the enemy, from all distances."""
    squared = np.zeros(len(X))
    for j in range(X.shape[1]):
        squared += (X[row, j] - X[:, j]) ** 2
    order = np.lexsort((np.arange(len(X)), squared))
    order = order[alive[order] & (order != row)]
    enemies = np.flatnonzero(codes[order] != codes[row])
    first = enemies[0] if len(enemies) else len(order)
    friends = order[:first][:width]
    enemy = order[first] if len(friends) < width and len(enemies) else -1
    return [*friends, *[-1] * (width - len(friends))], enemy


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("kind", ["normal", "lattice", "few", "equal"])
@given(
    n=st.integers(1, 150),
    d=st.integers(1, 6),
    width=st.integers(1, 5),
    classes=st.integers(1, 3),
    dead=st.floats(0, 0.9),
    seed=st.integers(0, 999),
)
def test_friends_and_enemy_are_those_of_all_distances(
    apart, kind, n, d, width, classes, dead, seed
):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) if kind == "normal" else rng.integers(0, 3, (n, d)) * 0.1
    if kind == "few":
        X = X[rng.integers(0, min(3, n), n)]
    elif kind == "equal":
        X = np.ones((n, d))
    codes = rng.integers(0, classes, n) * (X[:, 0] > 0.05)
    hood = Neighborhood(X, codes, path="tree", n_jobs=1)
    gone = np.flatnonzero(rng.random(n) < dead)
    hood.remove(gone)
    hood._search._forget(width)
    hood._search._work(np.arange(n), apart)
    for row in range(n):
        friends, enemy = twin(X, codes, hood.alive, row, width)
        assert hood._search.enemy[row] == enemy
        found = hood._search.friends[row]
        if apart and friends[-1] >= 0:
            # Any friends before the nearest enemy will do, if there are enough.
            friends = twin(X, codes, hood.alive, row, n)[0]
            assert len(set(found)) == width
            assert set(found) <= set(friends) - {-1}
        else:
            assert found.tolist() == friends


@given(n=st.integers(1, 200), seed=st.integers(0, 999))
def test_nodes_are_marked_with_the_one_code_of_their_rows(n, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    codes = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
    hood = Neighborhood(X, codes, path="tree", n_jobs=1)
    tree, marks = hood._search.rows.tree, hood._search.marks
    for node in np.flatnonzero(tree.right >= 0):
        held = np.unique(codes[tree.order[tree.start[node] : tree.stop[node]]])
        assert marks[node] == (held[0] if len(held) == 1 else -1)


def test_one_compilation_serves_all_tables():
    kernels.warm()
    X = np.random.default_rng(0).normal(size=(90, 3))
    hood = Neighborhood(X, (X[:, 0] > 0).astype(np.int8), path="tree")
    hood.pure(np.arange(90), 3)
    assert len(kernels.find_friends.signatures) == 1
    assert len(kernels.mark.signatures) == 1
