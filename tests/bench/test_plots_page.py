"""What is drawn and said of curves, probabilities, folds, money and other tables."""

import math
import re
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.bench._page_calibration import calibration_of
from imbkit.bench._page_curves import curves_of
from imbkit.bench._page_data import data_part
from imbkit.bench._page_folds import fold_plots, matrix_of
from imbkit.bench._page_money import money_of, rates_of, saving_sentences
from imbkit.bench._page_worlds import elsewhere_of, held_out_sentence, optimism_sentence
from imbkit.bench._plots import HEIGHT, WIDTH

SHARE = st.one_of(st.none(), st.floats(0, 1))


@st.composite
def bands(draw, low=0.0, high=1.0):
    xs = sorted(draw(st.lists(st.floats(low, high), max_size=8)))
    lists = [draw(st.lists(SHARE, min_size=len(xs), max_size=len(xs))) for _ in range(3)]
    return {"x": xs, "mean": lists[0], "low": lists[1], "high": lists[2]}


@st.composite
def bins(draw):
    p, q = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    ends = sorted([q, draw(st.floats(0, 1)), draw(st.floats(0, 1))])
    return {"rows": draw(st.integers(1, 99)), "predicted": p, "observed": ends[1]} | {
        "low": ends[0],
        "high": ends[2],
    }


def every_plot(summary):
    curves, calibration = curves_of(summary, {}), calibration_of(summary, {})
    yield from [p for group in (*curves.ranking, *curves.budget) for p in group]
    yield from curves.thresholds
    yield from calibration.plots if calibration else ()
    yield from fold_plots(summary, {})
    yield from data_part(summary).period_plots


def check(plot):
    """Every number of a drawing is inside it."""
    assert plot.title
    assert plot.finding.endswith(".")
    marks = [mark for path in plot.paths for mark in re.split("[MLz]", path.d) if mark]
    marks += [f"{m.x} {m.y}" for m in (*plot.dots, *plot.words)]
    for mark in marks:
        x, y = map(float, mark.split())
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_whatever_the_curves_no_mark_leaves_a_drawing(made, data):
    summary = made.rich_summary()
    for curves in summary["curves"]:
        for key in ("precision_recall", "roc", "budget_recall", "budget_precision"):
            curves[key] = data.draw(bands(low=1e-7))
        curves["objective"] = data.draw(bands(low=-5.0, high=5.0))
        curves["thresholds"] = data.draw(st.lists(st.floats(-6, 6), max_size=4))
        curves["reliability"] = data.draw(st.lists(bins(), max_size=4))
        curves["repaired"] = data.draw(st.lists(bins(), max_size=4))
    for entry in summary["entries"]:
        for estimate in entry["scores"].values():
            estimate["folds"] = data.draw(st.lists(SHARE, min_size=10, max_size=10))
    for period in summary["data"]["periods"][:3]:
        period |= {"rows": 0, "positives": 0}
    summary["data"]["periods"] = summary["data"]["periods"][: data.draw(st.integers(2, 24))]
    for plot in every_plot(summary):
        check(plot)


@pytest.mark.parametrize("name", ["binary", "rich", "hostile_rich", "crowded"])
def test_drawings_name_their_lines_and_axes(made, name):
    summary = getattr(made, f"{name}_summary")()
    curves = curves_of(summary, {})
    for plot in every_plot(summary):
        check(plot)
    for plot in curves.ranking[0]:
        words = [w.text for w in plot.words]
        assert {"baseline", "challenger", "Recall", "Precision"} <= set(words)
        styles = [p.style for p in plot.paths]
        # Bands come before the lines, so that they cover none.
        assert styles[-4:] == ["band base", "band", "line base", "line"]
        assert "chance" in styles


def test_a_baseline_alone_is_drawn_alone(made):
    summary = made.binary_summary()
    summary["curves"] = summary["curves"][:1]
    curves = curves_of(summary, {made.BASELINE: "untouched"})
    (ranking,) = curves.ranking
    assert [plot.title for plot in ranking] == [
        "Precision and recall: untouched",
        "ROC: untouched",
    ]
    assert "challenger" not in [w.text for plot in ranking for w in plot.words]
    summary["curves"] = []
    assert curves_of(summary, {}) is None
    assert calibration_of(summary, {}).plots == ()
    for entry in summary["entries"]:
        entry["calibration"] = None
    assert calibration_of(summary, {}) is None


def test_findings_compare_at_one_place(made):
    summary = made.binary_summary()
    base, smote = summary["curves"][:2]
    for curves, value in ((base, 0.25), (smote, 0.5)):
        n = len(curves["roc"]["x"])
        curves["roc"] |= {"mean": [value] * n}
    plot = curves_of(summary, {}).ranking[1][0]
    said = "With 1 % of the negatives flagged, 50 % (baseline: 25 %) of the positives are found."
    assert plot.finding.replace("\xa0", " ") == said


def test_the_asked_budget_is_marked(made):
    summary = made.rich_summary()
    groups = curves_of(summary, {}).budget
    assert [group[0].title.split(":")[0] for group in groups] == [
        "Positives found",
        "Alerts that are right",
        "Amount caught",
    ]
    for plot in [p for group in groups for p in group]:
        assert "asked" in [w.text for w in plot.words]
        assert plot.finding.replace("\xa0", " ").startswith("With 1 % of the rows alerted, ")
    summary["budget"] = None
    assert "asked" not in [w.text for w in curves_of(summary, {}).budget[0][0].words]


def test_thresholds_of_all_entries_share_their_axes_and_the_best_is_named(made):
    summary = made.rich_summary()
    plots = curves_of(summary, {}).thresholds
    ticks = [[w for w in plot.words if w.style == "tick"] for plot in plots]
    assert ticks[0] == ticks[1] == ticks[2]
    band = summary["curves"][0]["objective"]
    best = band["x"][band["mean"].index(min(band["mean"]))]
    assert f"at a threshold of {best:.3g}; " in plots[0].finding
    assert "were from 0.18 to 0.4." in plots[0].finding
    feet = [p for p in plots[0].paths if p.style == "foot base"]
    assert len(feet) == len(summary["curves"][0]["thresholds"])


def test_thresholds_near_zero_get_room(made):
    summary = made.binary_summary()
    for curves in summary["curves"]:
        curves["thresholds"] = [0.001, 0.002]
    plot = curves_of(summary, {}).thresholds[0]
    first, second = (float(p.d[1:].split()[0]) for p in plot.paths if p.style == "foot base")
    assert second - first > 10


def test_calibration_says_how_far_probabilities_are_off(made):
    summary = made.binary_summary()
    shown = calibration_of(summary, {})
    bins = summary["curves"][1]["reliability"]
    gap = sum(b["rows"] * abs(b["predicted"] - b["observed"]) for b in bins)
    gap *= 100 / sum(b["rows"] for b in bins)
    assert f"{gap:.2g} percentage points on average before the repair" in shown.plots[1].finding
    assert "repair" not in shown.plots[0].finding
    first, second, third = shown.errors.rows[:3]
    assert (first.policy, first.lines) == ("as they come; nothing was repaired", 1)
    assert (second.policy, second.lines) == ("as they come", 2)
    assert (third.policy, third.lines) == ("repaired by a sigmoid", 0)
    assert [head.text for head in shown.errors.heads][:2] == ["Brier score", "Log-loss"]
    assert [cell.text for cell in second.cells][:3] == ["0.0520", "0.188", "0.052"]
    assert [cell.text for cell in third.cells][:4] == ["0.0127", "0.045", "0.052", "–"]
    assert [cell.text.replace("\N{NO-BREAK SPACE}", " ") for cell in third.cells][-2:] == [
        "6.09 %",
        "6.12 %",
    ]
    assert len([d for d in shown.plots[1].dots if d.style == "point after"]) == 9


def test_folds_are_paired_and_stand_in_time(made):
    summary = made.rich_summary()
    plot = fold_plots(summary, {})[1]
    base, best = (
        next(e for e in summary["entries"] if e["id"] == name)["policies"][2]["metrics"]
        for name in (made.BASELINE, made.ENSEMBLE)
    )
    pairs = list(zip(base["cost_per_1000"]["folds"], best["cost_per_1000"]["folds"], strict=True))
    ahead = sum(b < a for a, b in pairs)
    assert f"better than the baseline on {ahead} of 10 folds" in plot.finding
    gap = mean(b - a for a, b in pairs)
    assert f"{abs(gap):,.0f} on average" in plot.finding
    xs = [float(d.x) for d in plot.dots if d.style == "point"]
    assert xs == sorted(xs)
    assert "2025-02-14" in [w.text for w in plot.words]
    # Months are not equally long, which folds by number would be.
    assert len({round(b - a) for a, b in pairwise(xs)}) > 1
    by_number = fold_plots(made.binary_summary(), {})[0]
    assert "Fold" in [w.text for w in by_number.words]


def test_the_matrix_is_cut_to_the_best_and_never_rounds_to_certainty(made):
    summary = made.crowded_summary()
    matrix = matrix_of(summary, summary["pairs"][0], {}, 1)
    assert len(matrix.titles) == len(matrix.lines) == 15
    assert matrix.left_out.startswith(f"{len(summary['entries']) - 15} more")
    pairs = {
        "question": "ranking",
        "metric": "x",
        "entries": ["a", "b", "c"],
        "better": [[None, 0.999, 1.0], [0.0004, None, 0.95], [0.0, 0.02, None]],
    }
    matrix = matrix_of(summary, pairs, {}, 1)
    texts = [[cell.text for cell in line] for line in matrix.lines]
    assert texts == [["–", "> 99", "100"], ["< 1", "–", "95"], ["0", "2", "–"]]
    assert [cell.style for cell in matrix.lines[0]] == ["none", "p4", "p4"]
    assert [cell.style for cell in matrix.lines[2]] == ["p0", "p0", "none"]
    assert matrix.finding.startswith("Of 3 pairs, 3 are decided")
    assert matrix_of(summary, pairs | {"entries": ["a"]}, {}, 1) is None


def test_money_is_held_against_nothing_everything_and_the_baseline(made):
    summary = made.rich_summary()
    money = money_of(summary, {})
    assert [line.title.split(" (")[-1] for line in money.lines] == [
        "Alert nothing",
        "Alert every row",
        "baseline)",
        "recommended)",
    ]
    assert [line.recommended for line in money.lines] == [False, False, False, True]
    assert (money.lines[0].saved, money.lines[1].saved) == ("0", "−1,632")
    assert max(float(line.part) for line in money.lines) == 100
    assert "Costs differ by row" in money.cut
    summary["money"] |= {"cut": 0.05, "constant": True}
    assert "best threshold is 0.05; the thresholds tuned" in money_of(summary, {}).cut
    summary["recommended"] = made.BASELINE
    assert len(money_of(summary, {}).lines) == 3
    assert saving_sentences(summary, {})[0][1].endswith("than alerting every row.")
    summary["recommended_policy"] = "tuned"
    assert money_of(summary, {}).lines[-1].title.endswith("by expected loss (row by row)")
    assert not money_of(summary, {}).lines[-1].recommended
    assert "Decided row by row, by expected loss, it is" in saving_sentences(summary, {})[0][1]
    assert money_of(made.binary_summary(), {}) is None
    assert saving_sentences(made.multiclass_summary(), {}) == []


def test_a_loss_is_not_called_a_saving(made):
    summary = made.rich_summary()
    summary["money"] |= {"everything": 10.0}
    assert " more than alerting every row" in saving_sentences(summary, {})[0][1]
    for entry in summary["entries"]:
        for policy in entry["policies"]:
            policy["metrics"]["cost_per_1000"] = made._nothing()
    assert "Not known" in saving_sentences(summary, {})[0][1]
    money = money_of(summary, {})
    assert money.lines[-1].cost == "–"


def test_base_rates_say_how_many_alerts_would_be_true(made):
    summary = made.rich_summary()
    line = summary["base_rates"]["lines"][1]
    true, total = line["true_alerts"], line["true_alerts"] + line["false_alerts"]
    said = rates_of(summary, {}).finding.replace("\xa0", " ")
    assert said.startswith("Among 9,583 rows a day of which 1 % are positive, ")
    assert f"{true:.0f} of {total:.0f} alerts would be true: {100 * true / total:.3g} %" in said
    kinds = [line.kind for line in rates_of(summary, {}).lines]
    assert kinds == ["as in the table", "as asked", "0.0098 times"]
    summary["base_rates"]["lines"] = [line | {"true_alerts": 0.0, "false_alerts": 0.0}]
    assert "there would be no alert" in rates_of(summary, {}).finding
    assert "a day" not in rates_of(made.binary_summary(), {}).finding
    assert rates_of(made.multiclass_summary(), {}) is None


def test_the_test_table_has_its_scores_and_cautions(made):
    summary = made.rich_summary()
    found = elsewhere_of(summary, {})
    assert [head.text for head in found.table.heads] == ["Cost per 1,000 rows", "Average precision"]
    assert found.table.rows[1].cells[1].text == "0.740"
    assert found.table.rows[1].cells[1].span == "0.720 to 0.760"
    assert found.table.rows[1].tags == ("recommended",)
    assert "mscan, worm" in found.cautions[0]
    assert "330 rows" in found.cautions[1]
    assert held_out_sentence(summary).endswith(
        "(95 % interval 0.720 to 0.760), the baseline 0.700; on the folds it had 0.803."
    )
    summary["held_out"] |= {"unseen_labels": [], "repeated_rows": 0}
    assert elsewhere_of(summary, {}).cautions == ()
    summary["held_out"]["entries"] = []
    assert "could not be scored" in held_out_sentence(summary)
    assert elsewhere_of(made.binary_summary(), {}) is None
    assert held_out_sentence(made.binary_summary()) == ""


def test_a_random_split_is_only_shown_beside_the_one_in_time(made):
    summary = made.rich_summary()
    said = optimism_sentence(summary)
    assert said.index("0.810") < said.index("0.930")
    assert "an optimism of +0.120" in said
    for key in ("time_mean", "random_mean"):
        assert optimism_sentence(summary | {"optimism": summary["optimism"] | {key: None}}) == ""
    assert optimism_sentence(made.binary_summary()) == ""


def test_numbers_that_no_axis_can_hold_leave_the_drawing_whole(made):
    summary = made.rich_summary()
    for curves in summary["curves"]:
        curves["thresholds"] = [math.inf, -math.inf, 0.0, 1.0]
        curves["objective"]["x"][0] = -1e300
    for plot in every_plot(summary):
        check(plot)
