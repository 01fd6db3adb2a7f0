"""Distances between labels against brute force, and the matrices and trees that are refused."""

from collections import deque

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit.exceptions import DataError, ImbkitWarning
from imbkit.thresholds._label_metric import (
    checked_distances,
    label_distances,
    leaves,
    tree_distances,
)

ABC = np.array(["a", "b", "c"])


def edges_between(parents, start, end):
    """Length of the path between two nodes, by breadth-first search."""
    links = {}
    for child, parent in parents.items():
        if parent is not None:
            links.setdefault(child, set()).add(parent)
            links.setdefault(parent, set()).add(child)
    seen, queue = {start: 0}, deque([start])
    while queue:
        node = queue.popleft()
        for other in links.get(node, ()):
            if other not in seen:
                seen[other] = seen[node] + 1
                queue.append(other)
    return seen[end]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12), st.booleans())
def test_tree_distances_are_those_of_a_search(choices, root_has_an_entry):
    parents = {i + 1: choice % (i + 1) for i, choice in enumerate(choices)}
    if root_has_an_entry:
        parents[0] = None
    nodes = list(range(len(choices) + 1))
    found = tree_distances(nodes, parents, "who")
    expected = [[edges_between(parents, i, j) for j in nodes] for i in nodes]
    np.testing.assert_array_equal(found, expected)
    assert set(leaves(parents)) == set(parents) - set(parents.values())


def test_paths_are_a_tree():
    paths = ["normal", "attack/dos/smurf", "attack/dos/neptune", "attack/probe"]
    expected = [[0, 4, 4, 3], [4, 0, 2, 3], [4, 2, 0, 3], [3, 3, 3, 0]]
    np.testing.assert_array_equal(tree_distances(paths, None, "who"), expected)
    parents = {
        "normal": "", "attack": "", "attack/dos": "attack", "attack/probe": "attack",
        "attack/dos/smurf": "attack/dos", "attack/dos/neptune": "attack/dos",
    }  # fmt: skip
    np.testing.assert_array_equal(tree_distances(paths, parents, "who"), expected)


def test_named_metrics():
    labels = np.array([10, 1, 4])
    ordinal = [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    np.testing.assert_array_equal(label_distances("ordinal", labels, None, "who"), ordinal)
    numeric = [[0, 9, 6], [9, 0, 3], [6, 3, 0]]
    np.testing.assert_array_equal(label_distances("numeric", labels, None, "who"), numeric)
    discrete = label_distances("discrete", labels, None, "who")
    np.testing.assert_array_equal(discrete, np.ones((3, 3)) - np.eye(3))


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        ([[0, 1], [1, 0]], "one row and one column for each"),
        ([[0, 1, 2], [1, 0, 1]], "one row and one column for each"),
        ([[0, 1, 2], [1, 0, 1], [2, 1.5, 0]], "the same both ways"),
        ([[0, -1, 2], [-1, 0, 1], [2, 1, 0]], "not be negative"),
        ([[0, np.nan, 2], [np.nan, 0, 1], [2, 1, 0]], "finite"),
        ([[0, np.inf, 2], [np.inf, 0, 1], [2, 1, 0]], "finite"),
        ([[0, 1, 2], [1, 3, 1], [2, 1, 0]], "0 from a label to itself"),
        ([["x", 1, 2], [1, 0, 1], [2, 1, 0]], "hold numbers"),
    ],
)
def test_a_matrix_that_is_no_distance(matrix, text):
    with pytest.raises(DataError, match=text):
        checked_distances(matrix, ABC, "who")


def test_a_detour_that_is_shorter_is_a_warning():
    matrix = np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 1.0], [9.0, 1.0, 0.0]])
    with pytest.warns(ImbkitWarning, match=r"9 from 'a' to 'c', but 2 by way of 'b'"):
        found = checked_distances(matrix, ABC, "who")
    np.testing.assert_array_equal(found, matrix)


def test_a_frame_must_have_the_labels_in_order():
    matrix = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    frame = pd.DataFrame(matrix, index=list("abc"), columns=list("abc"))
    np.testing.assert_array_equal(checked_distances(frame, ABC, "who"), matrix)
    for wrong in (frame[list("bac")], frame.loc[list("bac")], pd.DataFrame(matrix)):
        with pytest.raises(DataError, match="of a frame of distances must be the labels"):
            checked_distances(wrong, ABC, "who")


@pytest.mark.parametrize(
    ("labels", "tree", "text"),
    [
        (["a", "b"], {"a": "b", "b": "a"}, "circle"),
        (["a", "b"], {"a": "x", "b": "y"}, "one root"),
        (["a", "c"], {"a": "x", "b": "x"}, "must be a node"),
        (["a", "b//c"], None, "must be paths"),
        ([0, 1], None, "must be paths"),
    ],
)
def test_bad_trees(labels, tree, text):
    with pytest.raises(DataError, match=text):
        tree_distances(labels, tree, "who")


@pytest.mark.parametrize("labels", [ABC, np.array([0.0, np.inf])])
def test_numeric_needs_numbers(labels):
    with pytest.raises(DataError, match="finite numbers"):
        label_distances("numeric", labels, None, "who")
