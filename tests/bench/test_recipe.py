"""Source that makes an estimator makes the same estimator."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder
from sklearn.utils import estimator_html_repr

from imbkit.bench import plain_table
from imbkit.bench._recipe import CannotWriteError, SourceWriter

HOSTILE = 'a"b\\n\n\u202e</script>\t{x}'


def made_from_source(value):
    writer = SourceWriter()
    source = writer.write(value)
    scope: dict[str, object] = {}
    exec("\n".join(writer.lines()), scope)
    return eval(source, scope), source


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        0.1,
        1e-300,
        "plain",
        HOSTILE,
        "back\\slash",
        ["a", ("b",), ("c", 1)],
        {"k": [1, 2]},
        np.float64(0.25),
        np.str_("text"),
    ],
)
def test_literals(value):
    made, source = made_from_source(value)
    assert made == value
    assert source.isprintable()


def test_not_a_number():
    made, _ = made_from_source(float("nan"))
    assert np.isnan(made)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        LogisticRegression(C=0.1, max_iter=1000),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
        FunctionTransformer(plain_table),
        Pipeline(
            [
                ("columns", ColumnTransformer([("c", OneHotEncoder(), ["x", HOSTILE])])),
                ("sampler", SMOTE(k_neighbors=3, random_state=0)),
                ("model", HistGradientBoostingClassifier(categorical_features=[0, 1])),
            ]
        ),
    ],
)
def test_estimators(estimator):
    made, source = made_from_source(estimator)
    assert repr(made) == repr(estimator)
    assert type(made) is type(estimator)
    assert max(map(len, source.splitlines())) <= 100
    assert estimator_html_repr(made)


def test_imports_are_public():
    writer = SourceWriter()
    writer.write(HistGradientBoostingClassifier())
    writer.write(LogisticRegression())
    writer.write(SMOTE())
    assert writer.lines() == [
        "from imblearn.over_sampling import SMOTE",
        "from sklearn.ensemble import HistGradientBoostingClassifier",
        "from sklearn.linear_model import LogisticRegression",
    ]


@pytest.mark.parametrize("value", [lambda x: x, object(), FunctionTransformer(lambda x: x)])
def test_what_has_no_source(value):
    with pytest.raises(CannotWriteError):
        SourceWriter().write(value)
