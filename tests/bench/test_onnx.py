"""The ONNX file answers as the model does, up to rounding to 32 bits; or there is none."""

import re
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

from imbkit.bench import _onnx
from imbkit.bench._onnx import save_onnx
from imbkit.exceptions import MissingExtraError, OutputError
from imbkit.thresholds import ThresholdClassifierCV

try:  # the converter and what runs its files come with an extra that tests need not have
    import google.protobuf
    import skl2onnx  # noqa: F401
except ImportError:
    pytest.skip("skl2onnx is not installed", allow_module_level=True)

X, y = make_classification(500, weights=[0.8], class_sep=0.7, random_state=0)
TEXT = np.array(["good", "fraud"])[y]
rng = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "amount": np.round(X[:, 0], 3),
        "count": rng.integers(0, 9, 500),
        "flag": rng.uniform(size=500) < 0.3,
        "country": rng.choice(["at", "br", "ch"], 500),
        "hole": np.where(rng.uniform(size=500) < 0.2, np.nan, X[:, 1]),
    }
)
NUMBERS = ["amount", "count", "flag", "hole"]

fill = lambda **named: [SimpleImputer(**named), StandardScaler()]
one_hot = lambda **named: make_column_transformer(
    (make_pipeline(*fill(**named)), NUMBERS),
    (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10), ["country"]),
)
coded = lambda: make_column_transformer(
    ("passthrough", NUMBERS), (OrdinalEncoder(), ["country"]), sparse_threshold=0
)
resampled = lambda *steps: make_pipeline(*steps, SMOTE(random_state=0), LogisticRegression())
boosting = lambda **named: HistGradientBoostingClassifier(max_iter=20, **named)
old_protobuf = int(google.protobuf.__version__.split(".")[0]) < 7
needs_old_protobuf = pytest.mark.skipif(
    not old_protobuf, reason="skl2onnx cannot convert histogram boosting beside protobuf 7"
)

MODELS = {
    "array": (LogisticRegression(), X),
    "narrow": (resampled(StandardScaler()), X.astype(np.float32)),
    "forest": (RandomForestClassifier(10, random_state=0), X),
    "trees": (ThresholdClassifierCV(GradientBoostingClassifier(n_estimators=10)), X),
    "numbers": (resampled(*fill()), FRAME[NUMBERS]),
    "bare frame": (GradientBoostingClassifier(n_estimators=10), FRAME[["amount", "count"]]),
    "one column": (LogisticRegression(), FRAME[["amount"]]),
    "frame": (resampled(one_hot()), FRAME),
    "category": (resampled(one_hot()), FRAME.astype({"country": "category"})),
    "polars": (ThresholdClassifierCV(resampled(one_hot())), pl.from_pandas(FRAME)),
    "threshold": (ThresholdClassifierCV(resampled(one_hot())), FRAME),
    "nested": (Pipeline([("scale", StandardScaler()), ("model", resampled())]), X),
    "boosting": pytest.param(boosting(), X, marks=needs_old_protobuf),
    "boosting frame": pytest.param(
        ThresholdClassifierCV(boosting()), FRAME[NUMBERS], marks=needs_old_protobuf
    ),
    "boosting codes": pytest.param(
        ThresholdClassifierCV(make_pipeline(coded(), boosting())), FRAME, marks=needs_old_protobuf
    ),
}


def run(path, table):
    """Score with onnxruntime; the inputs are made by hand, not by the code under test."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(path))
    if isinstance(table, np.ndarray):
        feed = {"X": table.astype(np.float32)}
    else:
        feed = {name: table[name].to_numpy()[:, None] for name in table.columns}
        for name, values in feed.items():
            feed[name] = values.astype(object if name == "country" else np.float32)
    assert [each.name for each in session.get_inputs()] == list(feed)
    label, scores = session.run(None, feed)
    return label, scores, session.get_modelmeta().custom_metadata_map


@pytest.mark.parametrize("target", [y, TEXT], ids=["numbers", "texts"])
@pytest.mark.parametrize(("model", "table"), MODELS.values(), ids=MODELS)
def test_onnxruntime_answers_as_the_model_does(tmp_path, model, table, target):
    tuned = isinstance(model, ThresholdClassifierCV)
    if tuned:
        model.set_params(pos_label=target[y == 1][0])
    model.fit(table, target)
    path = tmp_path / "model.onnx"
    assert save_onnx(model, path, table) is None
    label, scores, stored = run(path, table)
    wanted = model.predict_proba(table)
    np.testing.assert_allclose(scores, wanted, rtol=0, atol=1e-5)
    cut = model.threshold_ if tuned else 0.5
    column = list(model.classes_).index(target[y == 1][0])
    near = np.abs(wanted[:, column] - cut) < 1e-5
    assert near.mean() < 0.1
    assert label.shape == target.shape
    np.testing.assert_array_equal(label[~near], model.predict(table)[~near])
    assert stored.get("threshold") == (repr(model.threshold_) if tuned else None)
    if tuned:
        # Without the threshold the labels would be others.
        assert np.any(label != model.classes_[wanted.argmax(axis=1)])


def test_many_classes(tmp_path):
    target = np.digitize(X[:, 0], [-1, 1])
    model = LogisticRegression(max_iter=1000).fit(X, target)
    assert save_onnx(model, tmp_path / "model.onnx", X) is None
    label, scores, _ = run(tmp_path / "model.onnx", X)
    np.testing.assert_allclose(scores, model.predict_proba(X), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(label, model.predict(X))


def test_a_threshold_that_alerts_nothing(tmp_path):
    model = ThresholdClassifierCV(LogisticRegression()).fit(X, y)
    model.threshold_ = np.inf
    model.rule_ = type(model.rule_)(np.inf, "f1", 0.0, 0, 500)
    assert save_onnx(model, tmp_path / "model.onnx", X) is None
    label, _, stored = run(tmp_path / "model.onnx", X)
    assert set(label) == {0}
    assert stored["threshold"] == "inf"


dated = FRAME.assign(when=pd.Timestamp("2024-01-01"))
with_gaps = FRAME.assign(country=FRAME["country"].where(FRAME["amount"] > 0, None))
linear = LogisticRegression()
REFUSED = {
    "no probabilities": (RidgeClassifier(), X, "RidgeClassifier has no probabilities"),
    "margin": (ThresholdClassifierCV(LinearSVC()), X, "threshold is not on a probability"),
    "asked margin": (
        ThresholdClassifierCV(linear, response_method="decision_function"),
        X,
        "threshold is not on a probability",
    ),
    "function": (make_pipeline(FunctionTransformer(np.abs), linear), X, "FunctionTransformer"),
    "dates": (
        make_pipeline(make_column_transformer(("passthrough", ["amount"])), linear),
        dated,
        "column 'when' holds neither",
    ),
    "gaps": (resampled(one_hot()), with_gaps, "texts are missing in column 'country'"),
    "indicators": (resampled(one_hot(add_indicator=True)), FRAME, "."),
    "categories": (
        make_pipeline(coded(), boosting(categorical_features=[4])),
        FRAME,
        "answers otherwise in .* of 200 rows" if old_protobuf else 'install "protobuf<7"',
    ),
}


@pytest.mark.parametrize(("model", "table", "words"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_such_form_leaves_the_old_file(tmp_path, model, table, words):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    reason = save_onnx(model.fit(table, y), path, table)
    assert re.search(words, reason), reason
    assert "\n" not in reason
    assert path.read_bytes() == b"old"


def test_a_converter_that_errs_is_found_out(tmp_path, monkeypatch):
    model = ThresholdClassifierCV(linear).fit(X, y)
    convert = _onnx._convert

    def other_weights(converter, parts, table, inputs):
        proto = convert(converter, parts, table, inputs)
        for node in proto.graph.node:
            for attribute in node.attribute:
                if attribute.name == "intercepts":
                    attribute.floats[:] = [value + 0.01 for value in attribute.floats]
        return proto

    monkeypatch.setattr(_onnx, "_convert", other_weights)
    reason = save_onnx(model, tmp_path / "model.onnx", X)
    assert reason.startswith("the converted model answers otherwise in ")
    assert list(tmp_path.iterdir()) == []


def test_labels_are_compared_too(tmp_path, monkeypatch):
    model = ThresholdClassifierCV(linear).fit(X, y)
    monkeypatch.setattr(_onnx, "_add_threshold", lambda onnx, proto, parts: None)
    assert "answers otherwise" in save_onnx(model, tmp_path / "model.onnx", X)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(MissingExtraError, match=r"skl2onnx.*imbkit\[export\]"):
        save_onnx(LogisticRegression().fit(X, y), tmp_path / "model.onnx", X)


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        save_onnx(LogisticRegression().fit(X, y), tmp_path / "gone" / "model.onnx", X)
