"""The saved model: the same answers in another process, or no file at all."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from imbkit.bench._shipped import save_model
from imbkit.exceptions import OutputError
from imbkit.thresholds import ThresholdClassifierCV

X, y = make_classification(200, weights=[0.8], random_state=0)
rng = np.random.default_rng(0)
FRAME = pd.DataFrame({"amount": rng.normal(size=200), "country": rng.choice(["a", "b"], 200)})

CODES = make_column_transformer(
    (OrdinalEncoder(), ["country"]), remainder="passthrough", sparse_threshold=0
)
ONE_HOT = make_column_transformer((OneHotEncoder(), ["country"]), remainder="passthrough")
MODELS = {
    "linear": (make_pipeline(SMOTE(random_state=0), LogisticRegression()), X),
    "threshold": (
        ThresholdClassifierCV(make_pipeline(ONE_HOT, SMOTE(random_state=0), LogisticRegression())),
        FRAME,
    ),
    "boosting": (
        ThresholdClassifierCV(
            make_pipeline(
                CODES, HistGradientBoostingClassifier(max_iter=5, categorical_features=[0])
            )
        ),
        FRAME,
    ),
    "ensemble": (BalancedBaggingClassifier(n_estimators=2, random_state=0), X),
}


def test_a_new_process_gives_the_same_answers(tmp_path):
    given = {}
    for name, (model, table) in MODELS.items():
        untrusted = save_model(model.fit(table, y), tmp_path / f"{name}.skops", table)
        assert untrusted == sorted(set(untrusted))
        assert [each for each in untrusted if each.startswith("imbkit")] == []
        given[name] = (table, untrusted)
    (tmp_path / "given").write_bytes(pickle.dumps(given))
    code = """
import pickle, skops.io, sys
answers = {}
with open("given", "rb") as file:
    given = pickle.load(file)
for name, (table, untrusted) in given.items():
    model = skops.io.load(f"{name}.skops", trusted=untrusted)
    answers[name] = model.predict(table), model.predict_proba(table)
    print(name, "imbkit" in sys.modules, "imblearn" in sys.modules)
with open("answers", "wb") as file:
    pickle.dump(answers, file)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # What ships needs neither library, unless samplers are inside an ensemble: it comes last.
    loaded = [f"{name} False {name == 'ensemble'}" for name in MODELS]
    assert done.stdout.splitlines() == loaded
    answers = pickle.loads((tmp_path / "answers").read_bytes())
    for name, (model, table) in MODELS.items():
        np.testing.assert_array_equal(answers[name][0], model.predict(table))
        np.testing.assert_array_equal(answers[name][1], model.predict_proba(table))


def double(values):
    return 2 * values


class Forgetful(ClassifierMixin, BaseEstimator):
    """Answers otherwise once it was saved and loaded."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.answer_ = 1
        return self

    def predict(self, X):
        return np.full(len(X), self.answer_)

    def __getstate__(self):
        return {**super().__getstate__(), "answer_": 0}


class Homeless:
    """Put where no module has it."""


Homeless.__module__ = "__main__"
Homeless.__qualname__ = "Homeless"


def around(function):
    return make_pipeline(FunctionTransformer(function), LogisticRegression()).fit(X, y)


def strange_attribute():
    model = LogisticRegression().fit(X, y)
    model.extra_ = Homeless()
    return model


def generator_attribute():
    model = LogisticRegression().fit(X, y)
    model.extra_ = (i for i in range(3))
    return model


UNSAVABLE = {
    "lambda": (lambda: around(lambda values: values), "lambda.*no other process can import"),
    "script": (strange_attribute, "'__main__.Homeless'.*no other process can import"),
    "forgetful": (lambda: Forgetful().fit(X, y), "on loading: deployable: predict must be exactly"),
    "generator": (generator_attribute, "."),
    "unfitted": (LogisticRegression, "NotFittedError"),
}


@pytest.mark.parametrize(("make", "words"), UNSAVABLE.values(), ids=UNSAVABLE)
def test_what_cannot_be_saved_leaves_the_old_file(tmp_path, make, words):
    path = tmp_path / "model.skops"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=rf"^compare: the model must be one that skops.*{words}"):
        save_model(make(), path, X)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["model.skops"]


def test_a_full_disc_leaves_the_old_file(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        save_model(LogisticRegression().fit(X, y), tmp_path / "gone" / "model.skops", X)
