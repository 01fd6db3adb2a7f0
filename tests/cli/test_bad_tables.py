"""The whole way from a bad file to one line and code 2, and from an odd one to its page."""

import html
import re

import numpy as np
import pytest

pd = pytest.importorskip("pandas")


def base(n_rows=90):
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % 5 == 0
    return pd.DataFrame({"a": rng.normal(size=n_rows) + y, "b": rng.normal(size=n_rows), "y": y})


def changed(**columns):
    return base().assign(**columns)


ROWS = np.arange(90)
BAD = {
    "one class": (changed(y=0), "at least two classes. Got only 0"),
    "a class of 1 row": (changed(y=ROWS == 3), "at least 3 distinct rows.*Got 1 for 'True'"),
    "a class of 2 rows": (changed(y=ROWS < 2), "at least 3 distinct rows.*Got 2 for 'True'"),
    "a missing label": (changed(y=[None, *"ab" * 44, "a"]), "1 missing of 90 in 'y'"),
    "constant": (changed(a=1, b=2.5), "more than one value. Got 2 constant or empty"),
    "all missing": (changed(a=np.nan, b=None), "more than one value. Got 2 constant or empty"),
    "infinite": (changed(a=[np.inf, *ROWS[1:]]), "must be finite. Got 1 infinite values in 'a'"),
    "lists": (changed(a=[[1]] * 90), "'a', which holds"),
    "measurements": (changed(y=base().a), "Got 90 distinct fractions in y"),
    "many labels": (changed(y=np.repeat(ROWS, 1)), "at least 3 distinct rows"),
}


@pytest.mark.parametrize(("table", "words"), BAD.values(), ids=BAD)
def test_bad_tables(run, tmp_path, table, words):
    table.to_parquet(tmp_path / "t.parquet")
    done = run("compare", "t.parquet", "--target", "y", "--quick")
    assert done.code == 2
    assert done.out == ""
    assert re.fullmatch(rf"imbkit compare: error: .*{words}.*\n", done.err), done.err
    assert not (tmp_path / "imbkit-report").exists()


def test_objects_of_several_types(run, tmp_path, monkeypatch):
    # No file format keeps them apart, so they come in at the reader.
    table = changed(a=[1, "x"] * 45)
    monkeypatch.setattr("imbkit.bench.read_table", lambda path: table)
    (tmp_path / "t.csv").touch()
    done = run("compare", "t.csv", "--target", "y", "--quick")
    assert done.code == 2
    assert "'a', which holds int and str" in done.err


def test_another_runs_directory_and_a_strangers(run, tmp_path):
    base().to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    done = run("compare", "t.csv", "--target", "y", "--quick", "--output", "mine")
    assert done.code == 2
    assert "other files in mine" in done.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_file_in_the_place_of_the_directory(run, tmp_path):
    base().to_csv(tmp_path / "t.csv", index=False)
    done = run("compare", "t.csv", "--target", "y", "--quick", "--output", "t.csv")
    assert done.code == 2
    assert "output directory must be one that files can be written to" in done.err


HOSTILE = '<script>alert("1")</script>\'\u202e\n' + "x" * 10_000


def test_odd_columns_end_in_a_page(run, tmp_path):
    n_rows = 51_000
    rng = np.random.default_rng(0)
    y = rng.random(n_rows) < 0.01
    table = pd.DataFrame(
        {
            HOSTILE: rng.normal(size=n_rows) + y,
            "when": pd.date_range("2020-01-01", periods=n_rows, freq="min"),
            "level": [f"l{i % 50_000}" for i in range(n_rows)],
            "label": np.where(y, '</title>"\u202e\n', "good"),
        }
    )
    table.to_parquet(tmp_path / "t.parquet")
    line = "t.parquet --target label --quick --folds 2 --learner logistic --strategy none"
    done = run("compare", *line.split(), "--jobs", "1")
    assert done.code == 0, done.err
    page = (tmp_path / "imbkit-report" / "report.html").read_text("utf-8")
    assert page.count("<script") == 1  # the page's own, which sorts tables
    assert "\u202e" not in page
    assert html.escape("<script>alert(") in page
    assert len(page) < 2_000_000
