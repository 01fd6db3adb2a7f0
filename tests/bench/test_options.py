"""What is asked of a comparison: contradictions are found before the table is looked at."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

from imbkit.bench._options import Options
from imbkit.exceptions import InvalidParameterError

DAYS = np.arange(9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prevalence": 0}, r"number between 0 and 1\. Got 0\. Write 0\.001"),
        ({"prevalence": 1}, "between 0 and 1"),
        ({"prevalence": -0.1}, "between 0 and 1"),
        ({"prevalence": 1.5}, r"between 0 and 1\. Got 1\.5"),
        ({"prevalence": np.nan}, "between 0 and 1"),
        ({"prevalence": "0.1"}, "between 0 and 1"),
        ({"prevalence": True}, "between 0 and 1"),
        ({"label_delay": "7d"}, r"label delay needs a time column. Got 7d. .*--time \(time=\)"),
        ({"label_delay": 0}, "label delay needs a time column"),
        ({"alerts_per_day": 10}, r"alerts per day need a time column. Got 10. .*--alerts"),
        ({"alerts": 3, "alerts_per_day": 3, "time": DAYS}, "per day, not both"),
        ({"time": DAYS, "cv": KFold(3)}, "must not be a splitter where time is given"),
        ({"costs": {"fn": 1}}, r"keys fn_cost, fp_cost and tp_gain|'fn_cost'.*Got 'fn'"),
        ({"costs": [1, 2]}, "costs must be a mapping"),
        ({"budget_minutes": 0}, "must be positive"),
        ({"budget_minutes": float("nan")}, "must be positive"),
    ],
)
def test_bad_options(options, words):
    with pytest.raises(InvalidParameterError, match=words):
        Options(**options).checked()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"prevalence": 1e-9},
        {"prevalence": np.float32(0.5)},
        {"time": "when", "label_delay": "7d", "alerts_per_day": 3, "cv": (3, 1)},
        {"costs": {"fn_cost": 1, "fp_cost": "amount", "tp_gain": DAYS}, "alerts": 4},
    ],
)
def test_good_options(options):
    asked = Options(**options)
    assert asked.checked() is asked


@pytest.mark.parametrize("costs", [{}, {"fn_cost": None, "fp_cost": None, "tp_gain": None}])
def test_costs_without_any_are_none(costs):
    assert Options(costs=costs).checked() == Options()


def test_seeds():
    assert Options(random_state=7).seed == 7
    assert Options(random_state=np.int64(7)).seed == 7
    assert 0 <= Options(random_state=None).seed < 2**32
    with pytest.raises(InvalidParameterError, match="less than 2"):
        _ = Options(random_state=2**32).seed
