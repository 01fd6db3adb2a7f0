"""Stages compared: what models are trained on, the constant beside them, and what is judged."""

import json
import runpy
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from imbkit.bench import Learner, compare, compare_tables
from imbkit.bench import _ordered as ordered
from imbkit.bench._again import render_again
from imbkit.bench._cell import inner_splits, run_cell
from imbkit.bench._final_model import final_model, training_labels
from imbkit.bench._page import page_of
from imbkit.bench._report import render_html, verdict_sentences
from imbkit.bench._verdict import ROPE, rope_of
from imbkit.exceptions import DataError, InvalidParameterError, OutputError
from imbkit.ordinal import ProportionalOddsClassifier

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

STAGES = ["none", "cart", "buy"]
BASE, CONSTANT, ODDS = "none/logistic", "none/constant", "none/proportional_odds"


def staged(n_rows=300, n_columns=15, n_telling=8, cut=5.0, seed=2):
    """One score behind all stages, the last of them rare: what proportional odds is made for."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    score = X[:, :n_telling].sum(axis=1) + rng.logistic(size=n_rows) / 2
    y = np.where(score > cut, "buy", np.where(score > 0.3, "cart", "none"))
    return pd.DataFrame(X, columns=[f"f{i}" for i in range(n_columns)]), pd.Series(y, name="stage")


def small_stages(seed=0):
    """Three columns, and rows enough of every stage for any split."""
    X, y = staged(240, 3, 2, 2.4, seed)
    return X.assign(kind=np.where(X["f0"] > 0, "card", "cash")), y


def ask(X, y, **changes):
    options = {"ordered": STAGES, "learners": ["proportional_odds"], "cv": (2, 1), "n_jobs": 1}
    return compare(X, y, **(options | changes))


class Spy(ClassifierMixin, BaseEstimator):
    """Scores the stages by the first column, and notes what it was trained on."""

    seen: ClassVar[list[np.ndarray]] = []

    def __init__(self, categories=None):
        self.categories = categories

    def fit(self, X, y, sample_weight=None):
        self.seen.append((np.asarray(X)[:, 0].copy(), np.asarray(y).copy()))
        self.classes_ = np.array(self.categories)
        return self

    def predict_proba(self, X):
        share = np.exp(np.outer(np.asarray(X)[:, 0], [0, 1, 2]))
        return share / share.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def won(tmp_path_factory):
    """A comparison in which proportional odds beat the baseline, with its files and a test."""
    directory = tmp_path_factory.mktemp("won")
    X, y = staged()
    return ask(X, y, cv=(5, 1), output=directory, test=staged(200, seed=9)), directory


@pytest.fixture(scope="module")
def found():
    """A small comparison."""
    return ask(*small_stages(), cv=(3, 1))


def entry(summary, name):
    return next(each for each in summary["entries"] if each["id"] == name)


def column(summary, name, metric):
    return np.array(entry(summary, name)["scores"][metric]["folds"])


def test_the_panel(found):
    plan = found._plan
    titles = {each.name: each.title for each in plan.entries}
    assert titles == {
        BASE: "logistic regression of the last stage",
        CONSTANT: "constant share of the last stage",
        ODDS: "proportional odds",
    }
    assert found.summary["entries"][0]["id"] == BASE
    panel = ordered.stage_panel(plan.task)
    assert list(panel) == list(ordered.STAGE_LEARNERS)
    assert [name for name, each in panel.items() if each.ordered] == ["proportional_odds", "presto"]
    full = ask(*small_stages(), learners=None, budget_minutes=1e-9)
    assert [each.learner.name for each in full._plan.entries] == list(panel)
    quick = ask(*small_stages(), learners=None, quick=True, cv=None, budget_minutes=1e-9)
    assert [each.name for each in quick._plan.entries] == [e.name for e in full._plan.entries]
    assert len(quick._plan.splits) == 3


def test_ordered_models_are_trained_on_stages_and_the_others_on_the_last_one():
    X, y = small_stages()
    Spy.seen.clear()
    spies = [Learner("spy", "spy", Spy(), ordered=True), Learner("two", "two", GaussianNB())]
    made = ask(X, y, learners=spies)
    plan = made._plan
    assert {each.name for each in plan.entries} == {BASE, CONSTANT, "none/spy", "none/two"}
    # The first column is scaled in the pipeline; its order is not.
    assert all(set(np.unique(labels)) == {0, 1, 2} for _, labels in Spy.seen)
    # Each training side, after its inner folds.
    assert len(Spy.seen) == 2 * 4
    for split, (first, labels) in zip(plan.splits, Spy.seen[3::4], strict=True):
        order = np.argsort(plan.data.matrix[split.train, 0])
        assert np.array_equal(labels[np.argsort(first)], plan.data.stages[split.train][order])
    two = next(cell for cell in plan.cells if cell.learner == "two")
    assert not isinstance(two.estimator, ordered.LastStage)
    assert made.summary["problems"] == []


def test_every_entry_has_the_same_splits_and_every_stage_its_share_in_each(found):
    plan = found._plan
    stages = np.bincount(plan.data.stages)
    by_split = {}
    for cell in plan.cells:
        by_split.setdefault(cell.split.fold, []).append(cell.split)
    assert all(len({id(split) for split in splits}) == 1 for splits in by_split.values())
    for split in plan.splits:
        counts = np.bincount(plan.data.stages[split.test], minlength=3)
        assert (np.abs(counts - stages / 3) < 1).all()
        for _, test in inner_splits(split, plan.data):
            inner = np.bincount(plan.data.stages[split.train][test], minlength=3)
            assert (np.abs(inner - (stages - counts) / 3) < 1).all()


def test_scores_are_those_of_the_last_stage_by_hand(found):
    """Proportional odds fitted here, on the same rows, with the same columns."""
    plan = found._plan
    X, y = small_stages()
    model = final_model(plan, ODDS, found.rows()).estimator
    assert model[-1].categories == STAGES
    for split, loss, brier in zip(
        plan.splits,
        column(found.summary, ODDS, "log_loss"),
        column(found.summary, ODDS, "brier"),
        strict=True,
    ):
        fitted = model.fit(X.iloc[split.train], y[split.train])
        last = fitted.predict_proba(X.iloc[split.test])[:, STAGES.index("buy")]
        truth = (y[split.test] == "buy").to_numpy()
        assert loss == pytest.approx(sk.log_loss(truth, last), abs=1e-6)
        assert brier == pytest.approx(np.mean((truth - last) ** 2), abs=1e-6)


def test_of_two_stages_proportional_odds_is_the_baseline():
    X, y = small_stages()
    made = ask(X, (y == "buy").to_numpy(), ordered=True)
    assert column(made.summary, ODDS, "log_loss") == pytest.approx(
        column(made.summary, BASE, "log_loss"), rel=1e-3
    )


def test_the_constant_is_the_share_among_the_training_rows(found):
    plan = found._plan
    losses = column(found.summary, CONSTANT, "log_loss")
    for split, loss in zip(plan.splits, losses, strict=True):
        share, truth = plan.data.codes[split.train].mean(), plan.data.codes[split.test]
        assert loss == pytest.approx(sk.log_loss(truth, np.full(truth.size, share), labels=[0, 1]))


@pytest.mark.parametrize(
    "options",
    [
        {"learners": []},
        {"learners": ["constant"]},
        {"learners": ["logistic"], "strategies": ["class_weight"]},
        {"sample_weight": "f1"},
    ],
)
def test_the_constant_is_never_left_out(options):
    X, y = small_stages()
    made = ask(X.assign(f1=X["f1"].abs() + 0.1), y, **options)
    assert [each["id"] for each in made.summary["entries"]].count(CONSTANT) == 1
    assert made.summary["task"]["constant"] == CONSTANT
    assert entry(made.summary, CONSTANT)["title"] == "constant share of the last stage"
    shares = [plan_share(made._plan, split) for split in made._plan.splits]
    # Weights change models, but not the constant: its loss would be larger.
    losses = column(made.summary, CONSTANT, "log_loss")
    for (share, truth), loss in zip(shares, losses, strict=True):
        assert loss == pytest.approx(sk.log_loss(truth, np.full(truth.size, share)))


def plan_share(plan, split):
    return plan.data.codes[split.train].mean(), plan.data.codes[split.test]


def test_skill_is_the_part_of_the_constants_loss_that_is_saved(found):
    for skill, loss in (("log_loss_skill", "log_loss"), ("brier_skill", "brier")):
        constant = column(found.summary, CONSTANT, loss)
        for name in (BASE, ODDS, CONSTANT):
            expected = 1 - column(found.summary, name, loss) / constant
            assert column(found.summary, name, skill) == pytest.approx(expected)
        assert (column(found.summary, CONSTANT, skill) == 0).all()
        estimate = entry(found.summary, ODDS)["scores"][skill]
        assert estimate["low"] < estimate["mean"] < estimate["high"]
        assert estimate["bootstrap_low"] < estimate["mean"] < estimate["bootstrap_high"]
        assert found.summary["metrics"][skill]["greater_is_better"]
    first = list(found.summary["metrics"])[:4]
    assert first == [
        "log_loss",
        "log_loss_skill",
        "brier",
        "brier_skill",
    ]


def test_the_constant_is_no_challenger_and_costs_no_power(found):
    """Holm's method counts challengers: with one, the p-value is that of the pair."""
    verdict = found.summary["verdicts"][0]
    assert (verdict["metric"], verdict["baseline"], verdict["best"]) == ("log_loss", BASE, ODDS)
    alone = ask(*small_stages(), learners=[])
    assert [v["outcome"] for v in alone.summary["verdicts"]] == ["undecided", "undecided"]
    assert "had no challenger" in alone.verdict[0]


def test_every_model_has_its_difference_from_the_baseline():
    made = ask(*small_stages(), learners=["proportional_odds", GaussianNB()], cv=(4, 1))
    differences = made.summary["against_baseline"]
    names = [ODDS, "none/GaussianNB"]
    assert [(d["metric"], d["id"]) for d in differences] == [
        (metric, name) for metric in ("log_loss", "brier") for name in names
    ]
    for metric in ("log_loss", "brier"):
        pairs = [
            column(made.summary, name, metric) - column(made.summary, BASE, metric)
            for name in names
        ]
        found = [d for d in differences if d["metric"] == metric]
        assert [d["difference"] for d in found] == pytest.approx([p.mean() for p in pairs])
        # Nadeau and Bengio's test, then Holm's adjustment for two challengers.
        ratio = made._plan.splits[0].test.size / made._plan.splits[0].train.size
        scales = [np.sqrt(p.var(ddof=1) * (1 / 4 + ratio)) for p in pairs]
        reach = stats.t.ppf(0.975, 3)
        assert [d["low"] for d in found] == pytest.approx(
            [p.mean() - reach * s for p, s in zip(pairs, scales, strict=True)], rel=1e-2
        )
        raw = [2 * stats.t.sf(abs(p.mean()) / s, 3) for p, s in zip(pairs, scales, strict=True)]
        small, large = sorted(raw)
        expected = {small: min(2 * small, 1), large: max(min(2 * small, 1), large)}
        assert [d["p_value"] for d in found] == pytest.approx([expected[p] for p in raw], rel=2e-2)
    table = page_of(made.summary).differences
    assert [row.title for row in table.rows] == [
        entry["title"] for entry in made.summary["entries"] if entry["id"] in names
    ]
    assert "Every model against the baseline" in render_html(made.summary)


def test_the_region_of_equivalence_is_a_hundredth_of_the_constants_loss(found):
    constant = column(found.summary, CONSTANT, "log_loss").mean()
    assert found.summary["verdicts"][0]["rope"] == pytest.approx(ROPE * constant)
    card = found.summary["metrics"]["log_loss"]
    assert rope_of(card, np.ones(3), np.array([0.2, np.nan, 0.4])) == pytest.approx(0.3 * ROPE)
    assert rope_of(card, np.ones(3)) == ROPE


def test_probabilities_are_judged_as_they_come_and_none_is_repaired(found):
    assert {row["repair"] for row in found.rows()} == {"none"}
    assert all(row["repaired"] == [] and row["reliability"] for row in found.rows())
    for each in found.summary["entries"]:
        assert (each["calibration"]["after"], each["calibration"]["repairs"]) == (None, [])
        before = each["calibration"]["before"]
        assert before["log_loss"] == pytest.approx(each["scores"]["log_loss"]["mean"])
    text = render_html(found.summary)
    assert "none is repaired, the baseline as little as the others" in text
    assert "repaired by a sigmoid" not in text


def test_where_a_strategy_changes_shares_all_are_repaired_alike():
    made = ask(*small_stages(), strategies=["none", "class_weight"])
    assert {row["repair"] for row in made.rows()} == {"sigmoid"}
    names = {each["id"]: each["title"] for each in made.summary["entries"]}
    assert names["class_weight/proportional_odds"] == "class weights + proportional odds"
    text = render_html(made.summary)
    assert "for all entries alike" in text
    assert "repaired by a sigmoid" in text


def test_a_winner_is_recommended_and_said_to_be_one(won):
    summary = won[0].summary
    verdict = summary["verdicts"][0]
    assert (verdict["outcome"], verdict["best"]) == ("beaten", ODDS)
    assert verdict["high"] < 0
    assert summary["recommended"] == ODDS
    page = page_of(summary)
    assert page.advice[2] == "It beat the baseline beyond noise, in probability."
    assert "the last of 3 stages" in page.asked
    assert page.compared.startswith("2 models beside a constant, each against the baseline: log")
    assert page.stages == "none < cart < buy"


def test_the_recommended_model_gives_a_probability_of_every_stage(won):
    found = won[0]
    X, _ = staged()
    model = found.best_estimator()
    assert model.classes_.tolist() == STAGES
    assert model[-1].categories == STAGES
    assert isinstance(model[-1], ProportionalOddsClassifier)
    assert model.predict_proba(X).shape == (300, 3)
    assert set(model.predict(X)) <= set(STAGES)


def test_the_recipe_runs_and_agrees_with_the_saved_model(won, tmp_path, capsys):
    found, directory = won
    X, y = staged()
    text = (directory / "recipe.py").read_text()
    assert text == found.recipe()
    script = directory / "with_table.py"
    script.write_text(text.replace("# X and y are your table and its labels.", "X, y = TABLE"))
    space = runpy.run_path(script, init_globals={"TABLE": (X, y)})
    assert "agree on 100.00% of the rows" in capsys.readouterr().out
    last = found.best_estimator().predict_proba(X)[:, STAGES.index("buy")]
    assert np.array_equal(space["probability"], last)
    threshold = np.median([r["policies"]["tuned"]["threshold"] for r in rows_of(found, ODDS)])
    assert np.array_equal(space["alert"], last >= threshold)
    assert "imbkit.ordinal._proportional_odds.ProportionalOddsClassifier" in text


def rows_of(found, name):
    return [row for row in found.rows() if f"{row['strategy']}/{row['learner']}" == name]


def test_the_test_table_has_the_constant_too(won):
    found = won[0]
    card = found.summary["held_out"]
    assert [each["id"] for each in card["entries"]] == [BASE, CONSTANT, ODDS]
    X, y = staged(200, seed=9)
    truth = (y == "buy").to_numpy()
    last = found.best_estimator().predict_proba(X)[:, 2]
    assert card["entries"][2]["scores"]["log_loss"] == pytest.approx(sk.log_loss(truth, last))
    share = (staged()[1] == "buy").mean()
    constant = sk.log_loss(truth, np.full(200, share))
    assert card["entries"][1]["scores"]["log_loss"] == pytest.approx(constant)


def test_decisions_alone_do_not_outrank_probabilities(won):
    """A challenger that decides better, and whose probabilities are worse beyond noise."""
    from imbkit.bench._plan_card import plan_card
    from imbkit.bench._summary import summarise

    found = won[0]
    rows = json.loads(json.dumps(found.rows()))
    for row in rows:
        better = row["learner"] == "proportional_odds"
        row["policies"]["tuned"]["mcc"] = 0.5 + 0.3 * better + 0.001 * row["fold"]
    card = plan_card(found._plan, name="t", dropped=[], command="")
    assert summarise(card, rows, wall_seconds=0)["recommended"] == ODDS
    for row in rows:
        worse = row["learner"] == "proportional_odds"
        row["scores"]["log_loss"] = 0.1 + 0.2 * worse + 0.001 * row["fold"]
    summary = summarise(card, rows, wall_seconds=0)
    assert [verdict["outcome"] for verdict in summary["verdicts"]] == ["not beaten", "beaten"]
    assert summary["recommended"] == BASE
    assert any("No model is better than the constant" in text for text in summary["cautions"])


def test_no_model_better_than_the_constant_is_said():
    rng = np.random.default_rng(0)
    y = np.array(STAGES)[np.repeat([0, 1, 2], [150, 60, 30])]
    made = ask(rng.normal(size=(240, 4)), y)
    assert any("No model is better than the constant" in text for text in made.verdict)


def test_rows_resume_and_make_the_page_again(tmp_path):
    X, y = small_stages()
    first = ask(X, y, output=tmp_path)
    before = (tmp_path / "rows.jsonl").read_text().count('"cell"')
    again = ask(X, y, output=tmp_path)
    assert (tmp_path / "rows.jsonl").read_text().count('"cell"') == before
    assert untimed(again.summary) == untimed(first.summary)
    assert untimed(render_again(tmp_path)) == untimed(again.summary)
    # The same classes in another order are another comparison.
    with pytest.raises(OutputError, match="must be new, empty, or hold this same comparison"):
        ask(X, y, ordered=["cart", "none", "buy"], output=tmp_path)


def untimed(summary):
    return {**summary, "timing": None}


def test_cells_depend_on_nothing_of_the_test_side(found):
    plan = found._plan
    cell = next(cell for cell in plan.cells if cell.learner == "proportional_odds")
    test = cell.split.test
    codes, stages = plan.data.codes.copy(), plan.data.stages.copy()
    codes[test], stages[test] = 1 - codes[test], 2 - stages[test]
    other = run_cell(cell, replace(plan.data, codes=codes, stages=stages))
    row = run_cell(cell, plan.data)
    assert row["policies"]["tuned"]["threshold"] == other["policies"]["tuned"]["threshold"]
    assert row["scores"] != other["scores"]


@pytest.mark.parametrize(
    "options",
    [
        {"time": np.arange(240) // 4},
        {"groups": np.arange(240) // 3},
        {"costs": {"fn_cost": 10, "fp_cost": 1}, "alerts": 20, "prevalence": 0.01},
        {"sample_weight": np.linspace(0.5, 2, 240)},
        {"metric": "average_precision", "objective": "recall_at_precision:0.2"},
        {"strategies": ["random_under"]},
    ],
    ids=["time", "groups", "money", "weight", "promise", "sampler"],
)
def test_with_what_is_known_of_the_rows(options):
    made = ask(*small_stages(), **options)
    assert not [p for p in made.summary["problems"] if p["kind"] == "failed"]
    assert entry(made.summary, CONSTANT)["done"] == 2
    page = render_html(made.summary)
    assert ("Ranking judged by" in page) == ("metric" in options)
    assert json.loads(json.dumps(made.summary, allow_nan=False)) == made.summary


def test_presto_is_among_them(monkeypatch):
    monkeypatch.setattr(ordered, "PENALTIES", 3)
    made = ask(*small_stages(), learners=["presto"], cv=(2, 1))
    assert not [p for p in made.summary["problems"] if p["kind"] != "warning"]
    assert (column(made.summary, "none/presto", "log_loss_skill") > 0).all()
    model = final_model(made._plan, "none/presto", made.rows())
    assert model.of_stages
    labels = training_labels(made._plan.target, small_stages()[1], of_stages=True)
    fitted = model.fit(small_stages()[0], labels, None)
    assert fitted.classes_.tolist() == STAGES
    assert fitted[-1].alphas_.size <= 3


def test_an_order_the_wrong_way_round_is_doubted():
    X, y = small_stages()
    made = ask(X, y, ordered=STAGES[::-1], budget_minutes=1e-9)
    assert any("'none', is the commonest one: is the order" in text for text in made.verdict)


def test_the_data_card_has_the_stages_in_their_order(found):
    data = found.summary["data"]
    assert [card["label"] for card in data["stages"]] == STAGES
    assert [card["positive"] for card in data["stages"]] == [False, False, True]
    assert [card["label"] for card in data["classes"]] == ["an earlier stage", "buy"]
    assert [line.label for line in page_of(found.summary).data.classes] == STAGES


def test_sentences_and_pages_name_the_constant(found):
    labels = dict(verdict_sentences(found.summary))
    assert labels["Constant"].startswith("Giving every row the share of the last stage among")
    assert "proportional odds 0." in labels["Constant"]
    assert "Probability" in labels
    assert labels["Constant"].replace("\xa0", " ")[:40] in render_html(found.summary)


@pytest.mark.parametrize("learner", ["presto", "proportional_odds", "constant"])
def test_learners_of_stages_need_stages(learner, table):
    words = f"needs a target whose classes have an order. Got {learner} without an order.*--ordered"
    with pytest.raises(InvalidParameterError, match=words):
        compare(*table, learners=[learner])


@pytest.mark.parametrize("learner", [ProportionalOddsClassifier(), "ProportionalOddsClassifier"])
def test_so_do_classes_of_that_kind(learner, table):
    with pytest.raises(InvalidParameterError, match="needs a target whose classes have an order"):
        compare(*table, learners=[learner])


def test_a_class_of_that_kind_is_told_the_order():
    made = ask(*small_stages(), learners=["ProportionalOddsClassifier"])
    model = final_model(made._plan, "none/ProportionalOddsClassifier", made.rows())
    assert (model.of_stages, model.estimator[-1].categories) == (True, STAGES)


def test_a_learner_of_stages_must_have_categories():
    with pytest.raises(InvalidParameterError, match=r"^Learner: .*a parameter categories"):
        Learner("plain", "plain", LogisticRegression(), ordered=True)


def test_an_ensemble_hides_the_stages():
    made = ask(*small_stages(), strategies=["under_ensemble"], budget_minutes=1e-9)
    (problem,) = [p for p in made.summary["problems"] if p["kind"] == "left out"]
    assert "proportional odds must know the stages, which a wrapper hides" in problem["text"]


def test_the_fold_makers_refuse_a_stage_of_two_rows():
    X, y = small_stages()
    y = y.copy()
    y.iloc[:2] = "returned"
    with pytest.raises(DataError, match="2 for 'returned'. Merge it with the stage beside it"):
        ask(X, y, ordered=[*STAGES, "returned"])


def test_several_tables_are_refused():
    tables = {"a": small_stages(), "b": small_stages(1)}
    with pytest.raises(InvalidParameterError, match="ordered must not be given with several tabl"):
        compare_tables(tables, ordered=STAGES)
