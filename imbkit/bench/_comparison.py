"""Run a comparison, write its files, and hold what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from imbkit._core.messages import require
from imbkit.bench._again import write_results
from imbkit.bench._conclude import conclude
from imbkit.bench._files import ensure_directory, write_text
from imbkit.bench._final_model import FinalModel, training_labels
from imbkit.bench._held_out import read_test
from imbkit.bench._options import Options
from imbkit.bench._plan import Plan, make_plan
from imbkit.bench._plan_card import plan_card
from imbkit.bench._progress import Progress, SilentProgress
from imbkit.bench._report import render_html, verdict_sentences
from imbkit.bench._rows import Row, RowStore
from imbkit.bench._run import run_plan
from imbkit.bench._schema import Summary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Source", "compare", "run_comparison"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table came from; for titles and for the recipe.

    Parameters
    ----------
    name : str
        Of the table, for people.
    target : str
        Name of the target column.
    dropped : tuple of str
        Columns left out on request.
    command : str
        The command line; empty from Python.
    reading : tuple of str
        Source lines that define ``X`` and the labels ``y``; empty from Python.
    test_name : str
        Of the test table.
    """

    name: str = "table"
    target: str = "target"
    dropped: tuple[str, ...] = ()
    command: str = ""
    reading: tuple[str, ...] = ()
    test_name: str = "test table"


class Comparison:
    """What :func:`compare` found; printing it prints the verdict.

    Parameters
    ----------
    plan : Plan
        What was compared.
    rows : sequence of dict
        One a cell.
    summary : dict
        What the rows come to.
    model : FinalModel
        The recommended model, unfitted.
    y : array-like of shape (n_rows,)
        The labels.

    Attributes
    ----------
    summary : dict
        Everything, as plain numbers and words that ``json.dumps`` accepts.

    See Also
    --------
    compare : Makes one.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from imbkit.bench import compare
    >>> X, y = make_classification(300, weights=[0.8], random_state=0)
    >>> found = compare(X, y, strategies=["class_weight"], learners=["logistic"], cv=(2, 1))
    >>> [entry["id"] for entry in found.summary["entries"]]
    ['none/hist_gradient_boosting', 'class_weight/logistic']
    >>> found.summary["task"]["positive"]
    '1'
    """

    def __init__(
        self, plan: Plan, rows: Sequence[Row], summary: Summary, model: FinalModel, y: Any
    ) -> None:
        self.summary = summary
        self._plan = plan
        self._rows = tuple(rows)
        self._model = model
        self._y = y

    @property
    def verdict(self) -> list[str]:
        """The verdict in sentences: ranking, decisions, what is saved, and what limits them."""
        return [sentence for _, sentence in verdict_sentences(self.summary)]

    def rows(self) -> list[Row]:
        """Return one dictionary a cell, in the order in which the cells finished."""
        return list(self._rows)

    def frame(self) -> "pd.DataFrame":
        """Return one row a strategy, learner and threshold policy, with the metrics' means.

        Returns
        -------
        pandas.DataFrame
            Columns ``strategy``, ``learner``, ``policy``, ``threshold`` and one a metric.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", "Comparison.frame")
        records = []
        for entry in self.summary["entries"]:
            scores = {name: estimate["mean"] for name, estimate in entry["scores"].items()}
            for policy in entry["policies"]:
                threshold = policy["threshold"]
                records.append(
                    {
                        "strategy": entry["strategy"],
                        "learner": entry["learner"],
                        "policy": policy["policy"],
                        "threshold": threshold["mean"] if threshold else None,
                        **scores,
                        **{name: e["mean"] for name, e in policy["metrics"].items()},
                    }
                )
        frame: pd.DataFrame = pandas.DataFrame.from_records(records)
        return frame

    def report(self, path: str | Path) -> Path:
        """Write the page.

        Parameters
        ----------
        path : str or Path
            File to write, e.g. ``"report.html"``; its directory exists.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            If it cannot be written.
        MissingExtraError
            If jinja2 is not installed.
        """
        write_text(Path(path), render_html(self.summary))
        return Path(path)

    def recipe(self) -> str:
        """Return the Python source that trains the recommended model."""
        return self.summary["recipe"]

    def best_estimator(self) -> BaseEstimator:
        """Return the recommended model, fitted on the whole table.

        Returns
        -------
        estimator
            For two classes scikit-learn's FixedThresholdClassifier, with the median of the
            thresholds that were chosen in the comparison. It takes the features without the
            columns that were named for time, groups or weights. A model of stages has no
            threshold: its ``predict_proba`` has a column a stage, in the order of its
            ``classes_``.
        """
        plan = self._plan
        labels = training_labels(plan.target, self._y, of_stages=self._model.of_stages)
        return self._model.fit(plan.X, labels, plan.data.weight)

    def __repr__(self) -> str:
        return "\n".join(self.verdict)

    def _repr_html_(self) -> str:
        page = escape(render_html(self.summary), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 45em; border: 0"></iframe>'


def compare(
    X: Any,
    y: ArrayLike,
    *,
    strategies: Sequence[object] | None = None,
    learners: Sequence[object] | None = None,
    metric: str | None = None,
    objective: Any = None,
    cv: Any = None,
    groups: Any = None,
    time: Any = None,
    label_delay: Any = None,
    sample_weight: Any = None,
    costs: Mapping[str, Any] | None = None,
    alerts: float | None = None,
    alerts_per_day: float | None = None,
    prevalence: float | None = None,
    test: tuple[Any, Any] | None = None,
    positive: Any = None,
    ordered: Any = None,
    n_jobs: int | None = None,
    random_state: int = 0,
    output: str | Path | None = None,
    budget_minutes: float | None = None,
    quick: bool = False,
    onnx: bool = False,
) -> Comparison:
    """Compare strategies for a rare class on your own table, without leaks.

    Every strategy is run with every learner on the same splits, next to the baseline: the
    untouched strong learner with a tuned threshold. Whatever learns from data (imputation,
    scaling, encoding, resampling, thresholds) learns on training sides only, and equal rows
    never stand on both sides of a split.

    Parameters
    ----------
    X : DataFrame of pandas or polars, ndarray or sparse matrix, shape (n_rows, n_columns)
        The features: numbers, texts, categories, booleans or dates, possibly missing.
    y : array-like of shape (n_rows,)
        Labels, none missing.
    strategies : list, default=None
        Names of the panel (see ``imbkit list``), names of imbalanced-learn's samplers and
        ensembles, import paths, instances, or :class:`Strategy` objects; the panel if None.
    learners : list, default=None
        Names of the panel, ``"rvfl"``, classifiers, or import paths; the panel if None.
    metric : str, default=None
        Ranking measure of the first verdict: ``"average_precision"`` (the default; with
        stages ``"log_loss"``),
        ``"roc_auc"``, ``"brier"``, ``"log_loss"``, ``"recall_at_fpr_0.01"``, or
        ``"recall_at_precision_0.9"`` with any other number. A count metric given here is
        taken as the objective.
    objective : str, Constraint or AlertBudget, default=None
        Count metric of the second verdict, for which thresholds (of many classes the weights
        of their probabilities) are tuned; ``"mcc"`` if None. Or a promise:
        ``"recall_at_precision:0.9"``, ``"precision_at_recall:0.8"``, ``"recall_at_fpr:0.01"``,
        with ``"@0.95"`` behind it for the confidence of its bound, or such a rule of
        :mod:`imbkit.thresholds`. Thresholds are then tuned to keep the limit, decisions are
        judged by the rate before ``_at_``, and the page says whether the limit was kept.
    cv : int, pair of int, or splitter, default=None
        Folds, or folds and repeats; (5, 2) if None, (3, 1) if `quick`. From a splitter's
        training sides, rows equal to a test row are removed.
    groups : str or array-like of shape (n_rows,), default=None
        Rows of a group stay on the same side of every split, e.g. those of a customer. A
        text names a column of `X`, which is then no feature; so with `time` and
        `sample_weight`.
    time : str or array-like of shape (n_rows,), default=None
        When each row happened: dates or numbers. The splits then go forward in time, as those
        of :class:`~imbkit.splits.PrequentialSplit`, and a random split of the baseline stands
        beside them.
    label_delay : str, timedelta or float, default=None
        How long after a row its label is known, e.g. ``"7d"``; a number in the unit of `time`
        if that holds numbers. Rows whose labels were not known yet are not trained on.
    sample_weight : str or array-like of shape (n_rows,), default=None
        Training weights. Strategies and learners that would lose them are left out. Test rows
        count once each.
    costs : mapping, default=None
        ``"fn_cost"`` and ``"fp_cost"``, what a missed positive and a false alarm cost, and
        perhaps ``"tp_gain"``, what a caught positive brings: each a number, a column of `X`
        (which stays a feature) or an array of shape (n_rows,). Thresholds are then tuned for
        the least cost, and decisions are judged by it unless there is an `objective`.
    alerts : float, default=None
        Rows of the whole table that can be looked at; a part of the table has its part of
        them. Without costs and `objective`, decisions are judged by the recall among these.
    alerts_per_day : float, default=None
        The same for each day; needs `time`.
    prevalence : float, default=None
        A share of positives to translate the results to, beside the table's own.
    test : tuple of (X_test, y_test), default=None
        A table on which the baseline and the recommended model, trained on all of `X`, are
        scored once. Nothing else touches it.
    positive : label or list of labels, default=None
        Labels that are positive; all others are negative. None takes the rarer of two
        labels, and compares more than two as they are.
    ordered : list of labels or True, default=None
        The labels as stages, from first to last, such as ``["none", "cart", "buy"]``; True
        takes the order of an ordered categorical, or of numbers. The question is then how
        well models give the probability of the last stage: logistic regression of the last
        stage, which is the baseline, proportional odds, PRESTO and histogram boosting, always
        beside a constant. See the Notes.
    n_jobs : int, default=None
        Cells to run at a time, as joblib understands it. It does not change any result.
    random_state : int, default=0
        Seed of splits, samplers and learners.
    output : str or Path, default=None
        Directory for ``report.html``, ``summary.json``, ``rows.jsonl``, ``recipe.py`` and
        ``model.skops``. An interrupted run with the same arguments goes on where it stopped.
    budget_minutes : float, default=None
        No cell starts later than this.
    quick : bool, default=False
        Three strategies and three folds.
    onnx : bool, default=False
        Write ``model.onnx``, too, where skl2onnx supports the model; the page says if not.
        Needs the extra ``export``.

    Returns
    -------
    Comparison
        Verdicts, numbers, page, recipe and model.

    Raises
    ------
    DataError
        If table or target cannot be compared; the message says what to do.
    InvalidParameterError
        If a parameter is wrong.
    OutputError
        If `output` holds something else, or cannot be written.

    See Also
    --------
    imbkit.thresholds.ThresholdClassifierCV : The tuned threshold, for a model of your own.

    Notes
    -----
    Intervals and the comparison of two entries use the corrected resampled t [1]_, because
    training sides overlap. The verdict adjusts for the number of challengers by Holm's
    method. Memory: the table, one matrix of floats of its size, and a memory-mapped copy of
    that matrix on disk which all workers share.

    With `ordered`, models of stages are trained on all of them, the others on the last one
    against the rest; every model is judged by its probability of the last stage as it comes,
    on the same splits, which hold every stage in equal shares. The constant is the share of
    the last stage among the training rows, and skill is the part of its loss that a model
    saves. What is recommended is what gives better probabilities beyond noise.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
       Learning 52, 239-281 (2003), doi:10.1023/A:1024068626366.

    Examples
    --------
    >>> from imbkit.bench import compare
    >>> from imbkit.datasets import load_glass
    >>> X, y = load_glass(return_X_y=True)
    >>> found = compare(X, y, positive="headlamps", quick=True, learners=["logistic"])
    >>> found.summary["verdicts"][0]["outcome"]
    'not beaten'
    >>> found.frame().shape[0]  # the baseline and three strategies, under two policies each
    8
    """
    return run_comparison(
        X,
        y,
        source=Source(target=str(getattr(y, "name", None) or "target")),
        strategies=strategies,
        learners=learners,
        metric=metric,
        objective=objective,
        cv=cv,
        groups=groups,
        time=time,
        label_delay=label_delay,
        sample_weight=sample_weight,
        costs=costs,
        alerts=alerts,
        alerts_per_day=alerts_per_day,
        prevalence=prevalence,
        test=test,
        positive=positive,
        ordered=ordered,
        n_jobs=n_jobs,
        random_state=random_state,
        output=output,
        budget_minutes=budget_minutes,
        quick=quick,
        onnx=onnx,
    )


def run_comparison(
    X: Any, y: ArrayLike, *, source: Source, progress: Progress | None = None, **options: Any
) -> Comparison:
    """Do the work of `compare`, for the command line, too."""
    start = monotonic()
    asked = Options(**options).checked()
    plan = make_plan(X, y, asked, source.target)
    test = read_test(plan, asked)
    directory = None if asked.output is None else Path(asked.output)
    if directory is not None:
        ensure_directory(directory)
    store = RowStore(directory, plan.fingerprint)
    card = plan_card(plan, name=source.name, dropped=list(source.dropped), command=source.command)
    store.describe(card)
    run_plan(
        plan,
        store,
        n_jobs=asked.n_jobs,
        budget_seconds=None if asked.budget_minutes is None else 60 * asked.budget_minutes,
        progress=progress or SilentProgress(),
    )
    planned = {cell.name for cell in plan.cells}
    rows = [row for row in store if row["cell"] in planned]
    end = conclude(plan, card, rows, y, test, source, directory, onnx=asked.onnx, start=start)
    store.describe(card, end.card)
    comparison = Comparison(plan, rows, end.summary, end.model, y)
    if directory is not None:
        write_results(end.summary, directory)
    return comparison
