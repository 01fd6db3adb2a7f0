"""Several tables in one call: the verdict over them, the files, and bad input."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from imbkit.bench import compare_tables
from imbkit.bench._ranks import average_ranks, friedman, wilcoxon_holm
from imbkit.bench._summary_several import summarise_several
from imbkit.exceptions import DataError, InvalidParameterError, OutputError

BASE = "none/boosting"
QUICK = {"strategies": ["class_weight"], "learners": ["logistic"], "cv": (2, 1), "n_jobs": 1}


@pytest.fixture(scope="session")
def several():
    """The module that makes summaries of single tables."""
    path = Path(__file__).with_name("several_summaries.py")
    spec = importlib.util.spec_from_file_location("several_summaries", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def judged(several):
    """Summarise tables with given scores; the ranking and the decisions agree."""

    def call(scores, problems=None, **options):
        summaries = several.many_summaries(scores, **options)
        return summarise_several(summaries, problems or {}, {}, wall_seconds=1.0)

    return call


def scores_of(n, k, lead=0.0, seed=0):
    """Scores of which every challenger's exceed the baseline's by `lead` in the mean."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0.5, 0.1, size=(n, 1)) + rng.normal(0, 0.02, size=(n, k))
    scores[:, 1:] += lead
    return scores


def entry(card, which):
    return next(e for e in card["entries"] if e["id"] == which)


def test_the_summary_is_plain_and_holds_the_scores(judged):
    scores = scores_of(6, 4)
    summary = judged(scores)
    json.dumps(summary, allow_nan=False)
    assert summary["schema"] == "imbkit.comparisons"
    for card in summary["questions"]:
        ids = [e["id"] for e in card["entries"]]
        order = [int(i.split("/")[0][1:]) if i != BASE else 0 for i in ids]
        assert np.array(card["scores"]) == pytest.approx(scores[:, order])
        ranks = [e["average_rank"] for e in card["entries"]]
        assert ranks == sorted(ranks)
        assert ranks == pytest.approx(average_ranks(scores, True)[order])
        assert np.array(card["tables"]).tolist() == [f"t{k}" for k in range(6)]
    # Decisions are read under the policy of the verdict, not under the first one.
    assert summary["questions"][1]["policy"] == "tuned"


@pytest.mark.parametrize("greater", [True, False])
def test_wins_ties_and_losses_are_counted_against_the_baseline(judged, greater):
    scores = np.full((5, 2), 0.5)
    scores[:, 1] += [0.1, 0.0, 0.0, -0.2, 0.3]
    card = judged(scores, greater=greater)["questions"][0]
    found = entry(card, "s1/logistic")
    counts = (found["wins"], found["ties"], found["losses"])
    assert counts == ((2, 2, 1) if greater else (1, 2, 2))
    assert found["mean_difference"] == pytest.approx(0.04)
    base = entry(card, BASE)
    assert (base["wins"], base["ties"], base["losses"]) == (0, 0, 0)
    assert base["mean_difference"] is base["p_value"] is None


def test_tests_are_friedmans_and_wilcoxons_with_holm(judged):
    scores = scores_of(10, 4, lead=0.02)
    card = judged(scores)["questions"][0]
    order = [int(e["id"].split("/")[0][1:]) if not e["baseline"] else 0 for e in card["entries"]]
    expected = wilcoxon_holm(scores)[np.ix_(order, order)]
    found = np.array(card["p_values"], dtype=float)
    off = ~np.eye(4, dtype=bool)
    assert found[off] == pytest.approx(expected[off])
    assert np.isnan(np.diag(found)).all()
    assert card["friedman"]["f_p_value"] == pytest.approx(friedman(scores).f_p_value)
    plain = sorted(stats.wilcoxon(scores[:, k] - scores[:, 0]).pvalue for k in (1, 2, 3))
    adjusted = np.maximum.accumulate(np.array(plain) * [3, 2, 1]).clip(max=1)
    challengers = [e["p_value"] for e in card["entries"] if not e["baseline"]]
    assert sorted(challengers) == pytest.approx(adjusted)


def test_a_clear_lead_over_enough_tables_beats_the_baseline(judged):
    summary = judged(scores_of(12, 4, lead=0.2))
    for card in summary["questions"]:
        assert card["outcome"] == "beaten"
        assert all(e["beats"] for e in card["entries"] if not e["baseline"])
        assert "3 entries beat the baseline, untouched + boosting" in card["sentence"]
        assert "beyond noise over these 12 tables" in card["sentence"]
        assert "12 wins, 0 ties, 0 losses" in card["sentence"]
        assert not any(BASE in group for group in card["cliques"])
        assert card["recommended"] == card["entries"][0]["id"]
    assert "with a tuned threshold" in summary["questions"][1]["sentence"]


def test_being_clearly_behind_is_not_beating(judged):
    card = judged(scores_of(12, 4, lead=-0.2))["questions"][0]
    assert card["outcome"] == "not beaten"
    assert card["recommended"] == BASE
    assert max(e["p_value"] for e in card["entries"] if not e["baseline"]) < 0.05
    assert "nothing beat the baseline" in card["sentence"]
    # Where less is better, being below is a lead.
    lower = judged(scores_of(12, 4, lead=-0.2), greater=False)["questions"][0]
    assert lower["outcome"] == "beaten"
    assert lower["entries"][-1]["id"] == BASE


def test_noise_is_called_noise(judged):
    card = judged(scores_of(12, 4))["questions"][0]
    assert card["outcome"] == "not beaten"
    assert re.search(
        "nothing beat the baseline, .*beyond noise over these 12 tables", card["sentence"]
    )


def test_no_pair_is_looked_at_where_friedman_sees_nothing(judged, monkeypatch):
    scores = scores_of(12, 4, lead=0.2)
    found = friedman(scores)._replace(f_p_value=0.2)
    monkeypatch.setattr("imbkit.bench._summary_several.friedman", lambda scores: found)
    card = judged(scores)["questions"][0]
    assert card["outcome"] == "not beaten"
    assert [len(group) for group in card["cliques"]] == [4]
    assert min(e["p_value"] for e in card["entries"] if not e["baseline"]) < 0.05


def test_two_entries_need_no_friedman(judged):
    card = judged(scores_of(8, 2, lead=0.2))["questions"][0]
    assert card["friedman"] is None
    assert card["outcome"] == "beaten"
    assert "1 entry beat the baseline" in card["sentence"]


@pytest.mark.parametrize("n_tables", [2, 4])
def test_few_tables_allow_no_test(judged, n_tables):
    card = judged(scores_of(n_tables, 4, lead=0.2))["questions"][0]
    assert not card["diagram"]
    assert card["friedman"] is card["p_values"] is card["tables_needed"] is None
    assert card["cliques"] == []
    assert card["outcome"] == "undecided"
    assert f"{n_tables} tables allow no test over tables, which takes 5" in card["sentence"]
    assert f"ahead on {n_tables} of {n_tables}" in card["sentence"]
    assert {e["wins"] for e in card["entries"]} == {0, n_tables}
    assert all(e["average_rank"] for e in card["entries"])


def test_five_tables_are_drawn_but_cannot_suffice_for_many(judged):
    card = judged(scores_of(5, 4, lead=0.2))["questions"][0]
    assert card["diagram"]
    assert card["friedman"] is not None
    assert card["outcome"] == "undecided"
    # The clearest of 3 has p = 2 / 2**n at best, times 3: 0.094 with 6 tables, 0.047 with 7.
    assert card["tables_needed"] == 7
    assert "nothing could have: with 3 challengers it takes 7 tables" in card["sentence"]
    assert judged(scores_of(7, 4, lead=0.2))["questions"][0]["outcome"] == "beaten"
    assert judged(scores_of(6, 4, lead=0.2))["questions"][0]["outcome"] == "undecided"


def test_entries_that_failed_somewhere_have_no_rank(judged):
    scores = scores_of(8, 4, lead=0.2)
    scores[3, 2] = np.nan
    summary = judged(scores)
    card = summary["questions"][0]
    failed = card["entries"][-1]
    assert failed["id"] == "s2/logistic"
    assert failed["average_rank"] is failed["p_value"] is None
    assert "'t3'" in failed["left_out"]
    assert (failed["wins"], failed["losses"]) == (7, 0)
    assert [row[-1] is None for row in card["scores"]] == [k == 3 for k in range(8)]
    assert any("s2 + logistic has no rank" in text for text in summary["cautions"])
    # The others are ranked among themselves, as if it had not been there.
    rest = average_ranks(scores[:, [0, 1, 3]], True)
    assert sorted(e["average_rank"] for e in card["entries"][:-1]) == pytest.approx(sorted(rest))
    assert all(p is None for p in card["p_values"][-1])


def test_an_entry_that_one_table_lacks_has_no_rank(several):
    summaries = several.many_summaries(scores_of(6, 3))
    del summaries["t2"]["entries"][1]
    card = summarise_several(summaries, {}, {}, wall_seconds=0.0)["questions"][0]
    assert card["entries"][-1]["id"] == "s1/logistic"
    assert card["entries"][-1]["left_out"]


def test_tables_without_a_baseline_are_left_out(judged):
    scores = scores_of(6, 3)
    scores[4, 0] = np.nan
    summary = judged(scores)
    card = summary["questions"][0]
    assert "t4" not in card["tables"]
    assert len(card["scores"]) == 5
    assert all(e["average_rank"] is not None for e in card["entries"])
    assert any(
        "'t4'" in text and "baseline was not finished" in text for text in summary["cautions"]
    )
    nothing = judged(np.full((3, 2), np.nan))
    assert "was not scored on any table" in nothing["questions"][0]["sentence"]
    alone = judged(np.column_stack([scores_of(6, 1), np.full(6, np.nan)]))
    assert "no challenger was scored on every table" in alone["questions"][0]["sentence"]


def test_the_order_of_tables_changes_nothing_but_their_order(several):
    summaries = several.many_summaries(scores_of(9, 4, lead=0.01))
    turned = dict(reversed(summaries.items()))
    first, second = (
        summarise_several(s, {}, {}, wall_seconds=0.0)["questions"][0] for s in (summaries, turned)
    )
    assert first["scores"] == second["scores"][::-1]
    assert first["sentence"] == second["sentence"]
    assert first["cliques"] == second["cliques"]


@pytest.fixture
def tables(small):
    """Two small tables of two classes."""
    return {name: small.small_table(120, 30, seed) for seed, name in enumerate(["east", "west"])}


def test_tables_are_compared_one_by_one_and_together(tables, tmp_path):
    found = compare_tables(tables, output=tmp_path, **QUICK)
    assert list(found.comparisons) == ["east", "west"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "east", "report.html", "summary.json", "west",
    ]  # fmt: skip
    for name in tables:
        own = json.loads((tmp_path / name / "summary.json").read_text("utf-8"))
        assert own["data"]["name"] == name
        assert own["entries"] == found.comparisons[name].summary["entries"]
        assert (tmp_path / name / "rows.jsonl").is_file()
    assert json.loads((tmp_path / "summary.json").read_text("utf-8")) == found.summary
    page = (tmp_path / "report.html").read_text("utf-8")
    links = re.findall(r'href="([^#"]+)"', page)
    assert links == ["east/report.html", "west/report.html"]
    assert all((tmp_path / link).is_file() for link in links)
    assert repr(found) == "\n".join(found.verdict)
    assert found._repr_html_().startswith("<iframe srcdoc=")
    frame = found.frame()
    assert frame.table.tolist() == ["east"] * 4 + ["west"] * 4
    card = found.summary["questions"][0]
    scored = [[found.comparisons[t].summary["entries"] for t in tables][k] for k in range(2)]
    for k, entries in enumerate(scored):
        means = {e["id"]: e["scores"]["average_precision"]["mean"] for e in entries}
        assert card["scores"][k] == [means[e["id"]] for e in card["entries"]]
    # A page elsewhere has nothing beside it to link to.
    (tmp_path / "east" / "deep").mkdir()
    other = found.report(tmp_path / "east" / "deep" / "page.html").read_text("utf-8")
    assert re.findall(r'href="([^#"]+)"', other) == []


def test_a_run_goes_on_and_takes_further_tables(tables, tmp_path, small, timeless):
    first = compare_tables(tables, output=tmp_path, **QUICK)
    before = (tmp_path / "east" / "rows.jsonl").read_bytes()
    more = tables | {"north": small.small_table(120, 30, 7)}
    second = compare_tables(more, output=tmp_path, **QUICK)
    assert (tmp_path / "east" / "rows.jsonl").read_bytes() == before
    assert list(second.comparisons) == ["east", "west", "north"]
    for name in tables:
        rows = [map(timeless, found.comparisons[name].rows()) for found in (first, second)]
        assert list(rows[0]) == list(rows[1])


def test_a_table_that_proves_unusable_does_not_take_the_others_along(tables, tmp_path):
    X, y = tables["west"]
    odd = {"odd": (X.assign(a=1.0, b=2.0, kind="x"), y)}
    found = compare_tables(odd | tables, output=tmp_path, **QUICK)
    assert list(found.comparisons) == ["east", "west"]
    (card,) = [card for card in found.summary["tables"] if card["problem"]]
    assert card["name"] == "odd"
    assert "more than one value" in card["problem"]
    assert any("'odd' could not be compared" in text for text in found.verdict)
    assert "not compared" in (tmp_path / "report.html").read_text("utf-8")
    with pytest.raises(DataError, match="at least one table .*'odd'.*more than one value"):
        compare_tables(odd | {"odd2": (odd["odd"][0].copy(), y)}, **QUICK)


def test_names_become_directories_that_no_system_confuses(tables, tmp_path):
    (X, y), (U, v) = tables.values()
    names = {"../a b": (X, y), "A_B": (U, v), "שלום": (X.copy(), y), "report.html": (U.copy(), v)}
    found = compare_tables(names, output=tmp_path, **QUICK)
    directories = [card["directory"] for card in found.summary["tables"]]
    assert directories == ["a_b", "A_B-2", "table", "report.html-2"]
    assert all((tmp_path / d / "report.html").is_file() for d in directories)


def three_classes(X, y):
    return X.copy(), np.where(np.arange(y.size) % 7 == 0, 2, y)


BAD = {
    "one table": (lambda t: {"east": t["east"]}, DataError, "at least two tables.*Got 1"),
    "no mapping": (lambda t: [t["east"]] * 2, InvalidParameterError, "map names to pairs"),
    "name": (lambda t: t | {3: t["east"]}, InvalidParameterError, "name must be a text. Got 3"),
    "no pair": (lambda t: t | {"x": t["east"][0]}, InvalidParameterError, "'x' must be a pair"),
    "kinds": (
        lambda t: t | {"odd": three_classes(*t["east"])},
        DataError,
        "all tables must have two classes.*Got 3 classes in 'odd', two classes in the others",
    ),
    "one class": (
        lambda t: t | {"x": (t["east"][0].copy(), np.zeros(120))},
        DataError,
        "table 'x': the target must have at least two classes. Got only 0",
    ),
    "missing label": (
        lambda t: t | {"x": (t["east"][0].copy(), [None, *"ab" * 59, "a"])},
        DataError,
        "table 'x': .*missing",
    ),
    "lengths": (
        lambda t: t | {"x": (t["east"][0].iloc[:100], t["east"][1])},
        DataError,
        "table 'x' must have the same number of rows. Got 100 and 120",
    ),
    "twice": (
        lambda t: t | {"again": t["east"]},
        DataError,
        "tables must be different. Got the same features under 'east', 'again'",
    ),
}


@pytest.mark.parametrize(("change", "error", "words"), BAD.values(), ids=BAD)
def test_bad_tables_are_refused_before_anything_runs(tables, tmp_path, change, error, words):
    with pytest.raises(error, match=rf"^compare_tables: .*{words}"):
        compare_tables(change(tables), output=tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


BAD_OPTIONS = {
    "unknown": ({"metrik": "f1"}, "compare has. Got metrik. Did you mean 'metric'"),
    "test": ({"test": (1, 2)}, "test must not be given with several tables"),
    "groups": ({"groups": [1, 2]}, "groups must name a column.*Got list"),
    "time": ({"time": np.arange(3)}, "time must name a column"),
    "costs": ({"costs": {"fn_cost": np.ones(3)}}, "fn_cost must name a column"),
    "budget": ({"budget_minutes": 0}, "budget_minutes must be positive"),
    "positive": ({"positive": "maybe"}, "table 'east': a positive label must occur.*'maybe'"),
}


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_bad_options_are_refused_before_anything_runs(tables, tmp_path, options, words):
    with pytest.raises(InvalidParameterError, match=words):
        compare_tables(tables, output=tmp_path / "out", **QUICK | options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["thesis.txt", "rows.jsonl", "summary.json"])
def test_a_strangers_directory_is_left_alone(tables, tmp_path, name):
    (tmp_path / name).write_text('{"schema": "imbkit.comparison"}')
    with pytest.raises(OutputError, match=rf"new, empty, or hold .*{re.escape(name)}"):
        compare_tables(tables, output=tmp_path, **QUICK)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_positive_class_makes_tables_alike(tables):
    X, y = tables["east"]
    odd = three_classes(X, y)
    found = compare_tables({"west": tables["west"], "odd": odd}, positive=1, **QUICK)
    assert found.summary["kind"] == "binary"
    assert {card["rare"] for card in found.summary["tables"]} == {"1"}


def test_minutes_are_shared_out(tables, monkeypatch):
    import imbkit.bench._several as module

    shares = []

    def stand_in(X, y, *, budget_minutes, **rest):
        shares.append(budget_minutes)
        raise DataError("compare: no. Stop")

    monkeypatch.setattr(module, "run_comparison", stand_in)
    with pytest.raises(DataError, match="2 that cannot"):
        compare_tables(tables, budget_minutes=10, **QUICK)
    assert shares == pytest.approx([5, 10], abs=0.1)
