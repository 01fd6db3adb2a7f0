"""The recommended model in the ONNX format, kept only where it answers as the model does."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from imbkit._core.columns import NUMERIC, is_missing
from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import require, shorten
from imbkit._core.types import AnyArray
from imbkit.bench._files import write_bytes
from imbkit.pipeline import deployable

__all__ = ["save_onnx"]

N_COMPARED = 200
"""Rows that are scored by both; the reference implementation of ONNX is slow."""
TOLERANCE = 1e-4
"""Largest difference of two probabilities that rounding to 32 bits may explain."""
WHO = "compare"


class _CannotExportError(Exception):
    """Its text is the reason."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is exported: a classifier with probabilities, and its threshold, if it has one."""

    shipped: Any
    model: Any
    threshold: float | None
    positive: int


def save_onnx(model: Any, path: Path, X_sample: Any) -> str | None:
    """Save a classifier as ONNX, if the result answers as the model does.

    Parameters
    ----------
    model : estimator
        A fitted classifier; :func:`~imbkit.pipeline.deployable` says what ships of it.
    path : Path
        File to write, usually ``model.onnx``; its directory exists.
    X_sample : DataFrame of pandas or polars, or ndarray, of shape (n_rows, n_features)
        Rows to tell the inputs from, and to compare the answers on; the first 200 are
        compared.

    Returns
    -------
    str or None
        None if the file was written; otherwise the reason why this model has no such form.
        The file that was there is unchanged then.

    Raises
    ------
    MissingExtraError
        If skl2onnx is not installed.
    OutputError
        If the file cannot be written.

    Notes
    -----
    A frame has one input a column, named alike, of shape (n_rows, 1): text for texts, 32-bit
    floats for the rest. An array of numbers has one input, ``X``. The outputs are the label
    and the probabilities, in the order of the classes. A tuned threshold is part of the
    graph, and stands in the file's metadata under ``threshold``.

    The answers are compared by the reference implementation of ONNX. Probabilities may
    differ by 1e-4, labels where the probability is as near to the threshold. The converter
    is known to leave out the categories of histogram boosting, which this comparison finds.
    """
    converter = require("skl2onnx", "export", WHO)
    onnx = require("onnx", "export", WHO)
    try:
        parts = _parts_of(deployable(model, X_sample))
        table = wrap(X_sample, who=WHO)
        inputs = _inputs_of(table)
        graph = _convert(converter, parts, table, inputs)
        if parts.threshold is not None:
            _add_threshold(onnx, graph, parts)
        onnx.checker.check_model(graph)
        rows = table.take(np.arange(min(N_COMPARED, table.n_rows)))
        _compare(require("onnx.reference", "export", WHO), graph, parts, rows, inputs)
    except _CannotExportError as error:
        return str(error)
    except Exception as error:  # the converter fails in ways of its own
        return _reason(error)
    write_bytes(path, graph.SerializeToString())
    return None


def _parts_of(shipped: Any) -> _Parts:
    model, threshold, positive = shipped, None, 1
    if isinstance(shipped, FixedThresholdClassifier):
        model = shipped.estimator_
        threshold = 0.5 if shipped.threshold == "auto" else float(shipped.threshold)
        if shipped.response_method == "decision_function" or not hasattr(model, "predict_proba"):
            raise _CannotExportError("its threshold is not on a probability")
        label = shipped.classes_[1] if shipped.pos_label is None else shipped.pos_label
        positive = shipped.classes_.tolist().index(label)
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    if not hasattr(model, "predict_proba"):
        raise _CannotExportError(f"{type(model).__name__} has no probabilities")
    return _Parts(shipped, model, threshold, positive)


def _inputs_of(table: Rows[Any]) -> dict[str, AnyArray]:
    """Return what each input is given, by name: floats of 32 bits, or texts."""
    kinds = table.kinds()
    if isinstance(table.native, np.ndarray) and all(kind in NUMERIC for kind in kinds):
        return {"X": table.matrix().astype(np.float32)}
    return {
        name: _input_of(name, kinds[j], table.column(j))[:, None]
        for j, name in enumerate(table.names)
    }


def _input_of(name: str, kind: str, column: AnyArray) -> AnyArray:
    if kind in NUMERIC:
        return column.astype(np.float32)
    if kind not in ("string", "category"):
        raise _CannotExportError(f"column {shorten(name)} holds neither numbers nor texts")
    if is_missing(column).any():
        raise _CannotExportError(f"texts are missing in column {shorten(name)}")
    return column.astype(object)


def _convert(converter: Any, parts: _Parts, table: Rows[Any], inputs: dict[str, AnyArray]) -> Any:
    types = require("skl2onnx.common.data_types", "export", WHO)
    declared = [
        (
            name,
            (types.StringTensorType if values.dtype == object else types.FloatTensorType)(
                [None, values.shape[1]]
            ),
        )
        for name, values in inputs.items()
    ]
    first = parts.model.steps[0][1] if isinstance(parts.model, Pipeline) else parts.model
    model = parts.model
    if len(inputs) > 1 and not isinstance(first, ColumnTransformer):
        # Most converters take one input; this step puts the columns side by side.
        model = Pipeline([("columns", FunctionTransformer().fit(table.native)), ("model", model)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other libraries, about each other
        return converter.convert_sklearn(model, initial_types=declared, options={"zipmap": False})


def _add_threshold(onnx: Any, proto: Any, parts: _Parts) -> None:
    """Let the graph's first output be the label at the threshold."""
    graph, helper, kinds = proto.graph, onnx.helper, onnx.TensorProto
    label, scores = (output.name for output in graph.output)
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = ["label_without_threshold" if name == label else name for name in names]
    classes = parts.shipped.classes_
    texts = classes.dtype.kind in "OUT"
    kind = kinds.STRING if texts else kinds.INT64
    graph.initializer.extend(
        [
            helper.make_tensor("threshold", kinds.FLOAT, [1], [parts.threshold]),
            helper.make_tensor("positive_column", kinds.INT64, [1], [parts.positive]),
            helper.make_tensor("one_dimension", kinds.INT64, [1], [-1]),
            *(
                helper.make_tensor(
                    name, kind, [1], [str(classes[at]).encode() if texts else int(classes[at])]
                )
                for name, at in (
                    ("positive_label", parts.positive),
                    ("negative_label", 1 - parts.positive),
                )
            ),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Gather", [scores, "positive_column"], ["positive_score"], axis=1),
            # These operators are as old as any graph that comes out of the converter.
            helper.make_node("Less", ["positive_score", "threshold"], ["is_below"]),
            helper.make_node(
                "Where", ["is_below", "negative_label", "positive_label"], ["label_column"]
            ),
            helper.make_node("Reshape", ["label_column", "one_dimension"], [label]),
        ]
    )
    helper.set_model_props(proto, {"threshold": repr(parts.threshold)})


def _compare(
    reference: Any, proto: Any, parts: _Parts, rows: Rows[Any], inputs: dict[str, AnyArray]
) -> None:
    """Refuse a graph whose answers differ by more than rounding."""
    feed = {name: values[: rows.n_rows] for name, values in inputs.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        label, scores = reference.ReferenceEvaluator(proto).run(None, feed)
    wanted = parts.model.predict_proba(rows.native)
    other = ~np.isclose(scores, wanted, rtol=0.0, atol=TOLERANCE).all(axis=1)
    if parts.threshold is None:
        best = np.sort(wanted, axis=1)
        margin = best[:, -1] - best[:, -2]
    else:
        margin = np.abs(wanted[:, parts.positive] - parts.threshold)
    wrong = np.ravel(label) != parts.shipped.predict(rows.native)
    other |= wrong & (margin > 2 * TOLERANCE)
    if other.any():
        reason = f"the converted model answers otherwise in {np.count_nonzero(other):,} of "
        raise _CannotExportError(reason + f"{rows.n_rows:,} rows")


def _reason(error: Exception) -> str:
    """Return in one line why something failed, from where it began."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = f"{type(cause).__name__}: {' '.join(str(cause).split())}"[:300]
    if "Expected an int, got a boolean" in text:
        text += ' (this converter needs an older protobuf: pip install "protobuf<7")'
    return text
