"""The method that the guide adds as an example is a complete one."""

import re
import sys
import types

import numpy as np
import pytest

from imbkit._core import catalog as module
from imbkit.thresholds import BestMetric


@pytest.fixture(scope="module")
def blocks(root):
    text = (root / "doc/guide/adding_a_method.md").read_text("utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_example_is_accepted_and_works(blocks, monkeypatch):
    made = types.ModuleType("imbkit.planted")
    exec(blocks[0], vars(made))
    monkeypatch.setitem(sys.modules, made.__name__, made)
    monkeypatch.setattr(module, "FAMILIES", {"planted": ""})
    (entry,) = module.catalog()
    assert (entry.name, entry.kind) == ("BreakEven", "method")
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    scores = rng.normal(size=300) + truth
    alerts = scores >= (rule := entry.obj()).threshold(rule.curve(truth, scores))
    # Precision equals recall exactly where as many rows are alerted as are positive.
    assert alerts.sum() == truth.sum()


def test_the_example_of_a_limit_holds(blocks):
    limit = eval(blocks[1], {"Limit": dict})
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    scores = (rng.normal(size=300) + truth).round(1)
    one, other = BestMetric(**limit["when"]), BestMetric(**limit["other"])
    assert limit["equals"] == "BestMetric"
    curves = [rule.curve(truth, scores) for rule in (one, other)]
    np.testing.assert_array_equal(curves[0].objective, curves[1].objective)
