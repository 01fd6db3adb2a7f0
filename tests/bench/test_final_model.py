"""The recommended model on the user's own table predicts as the cell's model on the matrix."""

import datetime
import json
from decimal import Decimal

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from imbkit.bench._cell import seed_estimator
from imbkit.bench._final_model import final_model, training_labels

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

N = 120
RNG = np.random.default_rng(0)
Y = (np.arange(N) % 4 == 0).astype(int)
A, B = RNG.normal(size=(2, N)) + Y
TEXT = np.where(RNG.random(N) < 0.3 + 0.4 * Y, "p", "q").astype(object)
GONE = RNG.random(N) < 0.15
WITH_NONE = np.where(GONE, None, TEXT)
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(int(9 * v)) for v in B]


def nullable(values, dtype):
    return pd.array(np.where(GONE, None, values), dtype=dtype)


def arrow(values, kind):
    return nullable(values, pd.ArrowDtype(getattr(pytest.importorskip("pyarrow"), kind)()))


TABLES = {
    "numbers": lambda: pd.DataFrame({"a": A, "b": B}),
    "array": lambda: np.column_stack([A, B]),
    "one column": lambda: A[:, None],
    "float32": lambda: np.column_stack([A, B]).astype(np.float32),
    "unnamed frame": lambda: pd.DataFrame(np.column_stack([A, B])),
    "unnamed mixed frame": lambda: pd.DataFrame({0: A, 1: TEXT}),
    "texts": lambda: pd.DataFrame({"t": TEXT, "u": np.where(A > 0, "x", "y")}),
    "constant left out": lambda: pd.DataFrame({"c": 1, "a": A, "t": TEXT}),
    "NaN": lambda: pd.DataFrame({"a": np.where(GONE, np.nan, A), "t": TEXT}),
    "None": lambda: pd.DataFrame({"a": A, "t": pd.Series(WITH_NONE, dtype=object)}),
    "None in numbers": lambda: pd.DataFrame(
        {"a": pd.Series(np.where(GONE, None, A), dtype=object), "t": TEXT}
    ),
    "category": lambda: pd.DataFrame({"a": A, "t": pd.Categorical(WITH_NONE)}),
    "integer levels": lambda: pd.DataFrame({"t": pd.Categorical((3 * A).astype(int)), "b": B}),
    "booleans": lambda: pd.DataFrame({"a": A, "f": B > 0}),
    "nullable booleans": lambda: pd.DataFrame({"f": nullable(B > 0, "boolean"), "t": TEXT, "b": B}),
    "nullable integers": lambda: pd.DataFrame(
        {"a": nullable((9 * A).astype(int), "Int64"), "b": B}
    ),
    "nullable floats": lambda: pd.DataFrame({"a": nullable(A, "Float64"), "t": TEXT}),
    "nullable strings": lambda: pd.DataFrame({"a": A, "t": nullable(TEXT, "string")}),
    "arrow strings": lambda: pd.DataFrame({"a": A, "t": arrow(TEXT, "string")}),
    "arrow floats": lambda: pd.DataFrame({"a": arrow(A, "float64"), "t": TEXT}),
    "decimals": lambda: pd.DataFrame({"a": [Decimal(f"{v:.3f}") for v in A], "t": TEXT}),
    "dates": lambda: pd.DataFrame({"a": A, "d": pd.to_datetime(DAYS)}),
    "time zone": lambda: pd.DataFrame(
        {"a": A, "d": pd.to_datetime(DAYS).tz_localize("Asia/Tokyo")}
    ),
    "object array": lambda: np.column_stack([A.astype(object), WITH_NONE]),
    "sparse": lambda: sparse.csr_array(np.column_stack([A * (A > 0), B])),
    "polars": lambda: pl.DataFrame({"a": A, "t": WITH_NONE.tolist()}),
    "polars enum": lambda: pl.DataFrame(
        {"a": A, "t": pl.Series(WITH_NONE.tolist(), dtype=pl.Enum(["q", "p"]))}
    ),
    "polars date": lambda: pl.DataFrame({"a": A, "d": DAYS}),
    "polars duration": lambda: pl.DataFrame(
        {"a": A, "d": [datetime.timedelta(hours=int(9 * v)) for v in B]}
    ),
    "polars null": lambda: pl.DataFrame(
        {"a": np.where(GONE, None, A).tolist(), "t": TEXT.tolist()},
        schema_overrides={"a": pl.Float64},
    ),
    "polars decimal": lambda: pl.DataFrame({"a": [Decimal(f"{v:.3f}") for v in A], "b": B}),
}


@pytest.mark.parametrize("kind", TABLES)
def test_same_predictions_as_on_the_matrix(small, kind):
    X = TABLES[kind]()
    plan = small.run(X, Y, strategies=["smote"], cv=(3, 1), budget_minutes=1e-9)._plan
    assert not plan.problems
    for entry, cell in zip(plan.entries, plan.cells, strict=False):
        assert cell.name.startswith(entry.name)
        ours = final_model(plan, entry.name, []).fit(X, Y, None)
        matrix = plan.table.matrix
        theirs = seed_estimator(clone(cell.estimator), plan.data.seed).fit(matrix, Y)
        np.testing.assert_allclose(
            ours.estimator_.predict_proba(X),
            theirs.predict_proba(matrix),
            # Single precision is kept on the table itself, but not in the matrix.
            rtol=1e-2 if kind == "float32" else 1e-6,
        )


TARGETS = {
    "integers": Y,
    "list": Y.tolist(),
    "booleans": Y == 1,
    "floats": Y.astype(float),
    "texts": np.where(Y, "bad", "good"),
    "text objects": np.where(Y, "bad", "good").astype(object),
    "integer objects": Y.astype(object),
    "boolean objects": (Y == 1).astype(object),
    "new strings": np.where(Y, "bad", "good").astype(np.dtypes.StringDType()),
    "category": pd.Series(np.where(Y, "bad", "good"), dtype="category"),
    "nullable integers": pd.Series(Y, dtype="Int64"),
    "nullable booleans": pd.Series(Y == 1, dtype="boolean"),
    "nullable strings": pd.Series(np.where(Y, "bad", "good"), dtype="string"),
    "polars": pl.Series(np.where(Y, "bad", "good")),
    "polars enum": pl.Series(np.where(Y, "bad", "good").tolist(), dtype=pl.Enum(["bad", "good"])),
    "one-column frame": pd.DataFrame({"y": Y}),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_any_target(small, kind):
    X, y = TABLES["numbers"](), TARGETS[kind]
    found = small.run(X, y, strategies=[], learners=[], budget_minutes=1e-9)
    model = found.best_estimator()
    rare = np.asarray(y).reshape(-1).tolist()[0]
    assert np.mean((model.predict(X) == rare) == Y) > 0.8
    chance = model.predict_proba(X)[:, model.classes_.tolist().index(rare)]
    assert chance[Y == 1].mean() > chance[Y == 0].mean()


@pytest.mark.parametrize("make", [np.array, lambda y: pd.Series(y, dtype="Int64"), list])
def test_many_classes(small, make):
    X = TABLES["numbers"]()
    y = make((np.arange(N) % 3 * 10).tolist())
    found = small.run(X, y, strategies=[], learners=[], budget_minutes=1e-9)
    assert set(found.best_estimator().predict(X)) <= {0, 10, 20}


def test_several_positive_labels_from_python(small):
    X = TABLES["numbers"]()
    y = np.array(["a", "b", "c", "d"])[np.arange(N) % 4]
    found = small.run(X, y, positive=["b", "c"], strategies=[], learners=[], budget_minutes=1e-9)
    assert training_labels(found._plan.target, y).tolist() == np.isin(y, ["b", "c"]).tolist()
    scope = {"X": X, "y": y}
    exec(found.recipe(), scope)
    expected = found.best_estimator().predict_proba(X)
    np.testing.assert_allclose(scope["model"].predict_proba(X), expected)


def test_the_threshold_is_the_median_of_those_chosen(small):
    found = small.run(TABLES["numbers"](), Y)
    for entry in found._plan.entries:
        chosen = [
            row["policies"]["tuned"]["threshold"]
            for row in found.rows()
            if f"{row['strategy']}/{row['learner']}" == entry.name
        ]
        model = final_model(found._plan, entry.name, found.rows())
        assert len(set(chosen)) == 3
        assert model.threshold == np.median(chosen)
        assert model.pos_label == 1
        assert model.whole().threshold == np.median(chosen)


def test_random_splits_beside_those_in_time_have_no_say(small):
    found = small.run(TABLES["numbers"](), Y, time=np.arange(N), strategies=[], learners=[])
    parts = {"main": [], "random": []}
    for row in found.rows():
        parts[row["part"]].append(row["policies"]["tuned"]["threshold"])
    assert np.median(parts["main"]) != np.median(parts["main"] + parts["random"])
    model = final_model(found._plan, found.summary["recommended"], found.rows())
    assert model.threshold == np.median(parts["main"])


def test_the_threshold_of_an_alert_budget_is_that_of_the_budget(small):
    found = small.run(TABLES["numbers"](), Y, alerts=20, strategies=[], learners=[])
    cuts = [row["policies"]["budget"]["threshold"] for row in found.rows()]
    model = final_model(found._plan, found.summary["recommended"], found.rows())
    assert model.threshold == np.median(cuts)


def test_without_a_chosen_threshold_it_is_one_half(small):
    found = small.run(TABLES["numbers"](), Y, strategies=[], learners=[])
    assert final_model(found._plan, found.summary["recommended"], []).threshold == 0.5


@pytest.mark.parametrize(("silent", "expected"), [(1, "finite"), (2, np.inf), (3, np.inf)])
def test_where_alerts_are_not_worth_it_the_model_raises_none(small, silent, expected):
    found = small.run(TABLES["numbers"](), Y, strategies=[], learners=[])
    given = json.loads(json.dumps(found.rows()))
    cuts = [row["policies"]["tuned"]["threshold"] for row in given]
    for row in given[:silent]:
        row["policies"]["tuned"]["threshold"] = None
    model = final_model(found._plan, found.summary["recommended"], given)
    assert model.threshold == (max(cuts[1:]) if expected == "finite" else expected)
    assert (model.fit(TABLES["numbers"](), Y, None).predict(TABLES["numbers"]()) == 1).any() == (
        expected == "finite"
    )


def test_weights_reach_the_model_and_the_threshold_cuts_it(small):
    weight = np.where(np.arange(N) % 3 == 0, 5.0, 0.5)
    found = small.run(TABLES["numbers"](), Y, sample_weight=weight, strategies=["none"], cv=(2, 1))
    model = final_model(found._plan, "none/logistic", found.rows())
    X = TABLES["numbers"]()
    fitted = model.fit(X, Y, weight)
    plain = clone(model.estimator).fit(X, Y, model__sample_weight=weight)
    chance = plain.predict_proba(X)
    np.testing.assert_array_equal(fitted.predict_proba(X), chance)
    np.testing.assert_array_equal(fitted.predict(X), (chance[:, 1] >= model.threshold).astype(int))
    unweighted = clone(model.estimator).fit(X, Y).predict_proba(X)
    assert np.abs(unweighted - chance).max() > 0.01


@pytest.mark.parametrize("weight", [None, np.ones(N)])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_model_is_not_fitted_in_place(small, classes, weight):
    X, y = TABLES["numbers"](), np.arange(N) % classes
    found = small.run(X, y, strategies=[], learners=[], budget_minutes=1e-9)
    model = final_model(found._plan, found.summary["recommended"], [])
    model.fit(X, y, weight)
    with pytest.raises(NotFittedError):
        check_is_fitted(model.estimator)


def test_every_random_part_is_seeded(small):
    found = small.run(TABLES["numbers"](), Y, random_state=7, budget_minutes=1e-9)
    states = {
        value
        for name, value in final_model(found._plan, "smote/logistic", [])
        .whole()
        .get_params()
        .items()
        if name.split("__")[-1] == "random_state" and name.startswith("estimator__")
    }
    assert states == {7}
