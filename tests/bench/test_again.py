"""The rows alone make the page again: the same summary, whatever became of the table."""

import json

import numpy as np
import pytest

from imbkit.bench import _again
from imbkit.bench._again import render_again
from imbkit.exceptions import OutputError

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def untimed(summary):
    return {**summary, "timing": None}


def written(directory):
    return json.loads((directory / "summary.json").read_text(encoding="utf-8"))


def rows_of(directory):
    records = map(json.loads, (directory / "rows.jsonl").read_text().splitlines())
    return [record for record in records if "cell" in record]


@pytest.fixture(scope="module")
def rich(small, tmp_path_factory):
    """A run with money, alerts, time, groups and a test table, and its directory."""
    directory = tmp_path_factory.mktemp("rich")
    X, y = small.small_table()
    days = np.datetime64("2024-01-01") + np.arange(240) // 6
    X = X.assign(when=days, card=np.arange(240) % 80, amount=np.exp(X["b"]))
    late, y_late = small.small_table(n_rows=80, n_positive=20, seed=1)
    found = small.run(
        X,
        y,
        strategies=["none", "smote"],
        time="when",
        groups="card",
        label_delay="2d",
        costs={"fn_cost": "amount", "fp_cost": 0.5},
        alerts_per_day=2,
        prevalence=0.01,
        test=(late.assign(amount=np.exp(late["b"])), y_late),
        output=directory,
    )
    return found, directory


@pytest.fixture
def copied(rich, tmp_path):
    """A copy of its rows alone."""
    (tmp_path / "rows.jsonl").write_bytes((rich[1] / "rows.jsonl").read_bytes())
    return tmp_path


def test_the_same_summary(rich, copied):
    again = render_again(copied)
    assert untimed(again) == untimed(rich[0].summary)
    assert again["timing"]["entries"] == rich[0].summary["timing"]["entries"]
    assert again["timing"]["wall_seconds"] > 0
    assert written(copied) == again
    assert (copied / "report.html").read_text().lower().startswith("<!doctype html>")
    assert again["held_out"]["entries"]
    assert again["recipe"]


def test_rendering_leaves_the_rows_alone(rich, copied):
    before = (copied / "rows.jsonl").read_bytes()
    render_again(copied)
    assert (copied / "rows.jsonl").read_bytes() == before


def test_every_mean_of_the_page_is_that_of_the_rows(rich):
    """Recomputed from the file with nothing but the standard library's parser."""
    _, directory = rich
    rows = [row for row in rows_of(directory) if row["part"] == "main"]
    page = written(directory)
    seen = 0
    for entry in page["entries"]:
        own = [r for r in rows if f"{r['strategy']}/{r['learner']}" == entry["id"]]
        assert len(own) == len(page["folds"])
        for name, estimate in entry["scores"].items():
            values = [r["scores"][name] for r in own]
            assert estimate["folds"] == values
            assert estimate["mean"] == pytest.approx(np.mean(values))
            seen += 1
        for policy in entry["policies"]:
            for name, estimate in policy["metrics"].items():
                values = [r["policies"][policy["policy"]][name] for r in own]
                assert estimate["mean"] == pytest.approx(np.mean(values))
                seen += 1
        for label, estimate in entry["recalls"].items():
            number = [c["label"] for c in page["data"]["classes"]].index(label)
            values = [r["recalls"]["tuned"][str(number)] for r in own]
            assert estimate["mean"] == pytest.approx(np.mean(values))
    assert seen > 100
    beside = [r["scores"]["average_precision"] for r in rows_of(directory) if r["part"] == "random"]
    assert page["optimism"]["random_mean"] == pytest.approx(np.mean(beside))
    baseline = page["entries"][0]["scores"]["average_precision"]["mean"]
    assert page["optimism"]["time_mean"] == pytest.approx(baseline)


def test_a_changed_digit_is_told(copied):
    path = copied / "rows.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    number = next(k for k, line in enumerate(lines) if '"cell"' in line)
    lines[number] = lines[number].replace('"n_test": ', '"n_test": 1', 1)
    path.write_text("".join(lines))
    with pytest.raises(OutputError, match=f"line {number + 1} of .*was changed"):
        render_again(copied)
    assert not (copied / "report.html").exists()


def test_a_killed_run_is_rendered_as_far_as_it_went(rich, copied):
    """Without the end of the run, and with a last line that was being written."""
    path = copied / "rows.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:6]) + lines[6][:50])
    summary = render_again(copied)
    done = sum(entry["done"] for entry in summary["entries"])
    assert done == 4
    assert sum(p["count"] for p in summary["problems"] if p["kind"] == "not run") == (
        sum(entry["missing"] for entry in summary["entries"])
    )
    assert (summary["recipe"], summary["held_out"]) == ("", None)
    assert (copied / "report.html").exists()


def test_a_run_stopped_by_its_budget(tmp_path, table, run):
    found = run(*table, output=tmp_path, budget_minutes=1e-9)
    assert untimed(render_again(tmp_path)) == untimed(found.summary)
    assert {p["kind"] for p in found.summary["problems"]} == {"not run"}


def test_a_finished_run_that_was_interrupted_before(tmp_path, table, run):
    run(*table, strategies=["none"], output=tmp_path, budget_minutes=1e-9)
    found = run(*table, strategies=["none"], output=tmp_path)
    assert found.summary["problems"] == []
    assert untimed(render_again(tmp_path)) == untimed(found.summary)


def test_entries_that_were_left_out_later_are_not_shown(tmp_path, table, run):
    run(*table, strategies=["none", "smote"], output=tmp_path)
    found = run(*table, strategies=["none"], output=tmp_path)
    summary = render_again(tmp_path)
    assert untimed(summary) == untimed(found.summary)
    assert len(summary["entries"]) == 2


def test_many_classes_come_back(tmp_path, small, run):
    X, _ = small.small_table()
    y = np.array(["a", "b", "c"])[np.arange(240) % 3]
    found = run(X, y, strategies=["none"], output=tmp_path)
    assert untimed(render_again(tmp_path)) == untimed(found.summary)
    assert found.summary["curves"] == []
    assert found.summary["base_rates"] is None


def test_no_directory(tmp_path):
    with pytest.raises(OutputError, match="none in"):
        render_again(tmp_path / "nowhere")


def test_a_number_that_json_lacks_is_an_error_not_a_file(rich, tmp_path):
    summary = {**rich[0].summary, "odd": float("nan")}
    with pytest.raises(ValueError, match="JSON"):
        _again.write_results(summary, tmp_path)
    assert list(tmp_path.iterdir()) == []
