"""``imbkit inspect``: from a file to the data card, on the terminal and in data.json."""

import json

import numpy as np
import pytest

from imbkit.bench._inspect import inspect_table

pd = pytest.importorskip("pandas")


@pytest.fixture
def payments(tmp_path):
    """A table with a key, a customer and a time."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "amount": rng.gamma(2.0, 10.0, 200),
            "hour": rng.integers(0, 24, 200),
            "customer": rng.integers(0, 30, 200),
            "when": np.arange(200),
            "fraud": np.where(rng.random(200) < 0.2, "yes", "no"),
        }
    )
    frame.to_parquet(tmp_path / "payments.parquet")
    return frame


def test_it_prints_the_card_and_writes_it(run, payments, tmp_path):
    done = run("inspect", "payments.parquet", "--target", "fraud")
    assert (done.code, done.err) == (0, "")
    assert "payments.parquet" in done.out
    assert "'when' never falls" in done.out
    assert done.out.endswith("Data: imbkit-inspect/data.json\n")
    found = json.loads((tmp_path / "imbkit-inspect" / "data.json").read_text("utf-8"))
    assert (found["schema"], found["schema_version"]) == ("imbkit.data", 1)
    y = payments.pop("fraud")
    expected = inspect_table(payments, y, name="payments.parquet", target_name="fraud")
    assert found["data"] == json.loads(json.dumps(expected))


def test_json_is_all_that_is_printed(run, payments, tmp_path):
    argv = "inspect payments.parquet --target fraud --time when --group customer --drop hour"
    done = run(*argv.split(), "--positive", "no", "--output", "deep/there", "--json")
    assert (done.code, done.err) == (0, "")
    card = json.loads(done.out)["data"]
    assert done.out == (tmp_path / "deep" / "there" / "data.json").read_text("utf-8")
    assert (card["time_column"], card["group_column"], card["dropped"]) == (
        "when",
        "customer",
        ["hour"],
    )
    assert [c["name"] for c in card["columns"]] == ["amount"]
    assert [c["label"] for c in card["classes"] if c["positive"]] == ["no"]


def test_without_a_table_it_looks_at_the_shipped_one(run):
    done = run("inspect")
    assert done.code == 0
    assert "thyroid patients" in done.out


def test_a_second_time_it_overwrites_its_own_file_and_no_other(run, payments, tmp_path):
    argv = ["inspect", "payments.parquet", "--target", "fraud", "--output", "here"]
    assert run(*argv).code == 0
    assert run(*argv).code == 0
    for foreign in ('{"schema": "mine"}', "[1]", "no json", "\x00"):
        (tmp_path / "here" / "data.json").write_text(foreign)
        done = run(*argv)
        assert done.code == 2
        assert "must be of an earlier inspection" in done.err
        assert (tmp_path / "here" / "data.json").read_text() == foreign


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("payments.parquet", "--target must name the column that holds the classes"),
        ("payments.parquet --target frod", "Did you mean 'fraud'"),
        ("payments.parquet --target fraud --time whem", "Did you mean 'when'"),
        ("payments.parquet --target fraud --time fraud", "a column must be in the table"),
        ("payments.parquet --target fraud --group amont", "Did you mean 'amount'"),
        ("payments.parquet --target fraud --positive maybe", "must occur in the target"),
        ("payments.parquet --target fraud --drop key", "'key'"),
        ("payments.parquet --target amount", "at most 100 classes"),
        ("nothing.csv --target fraud", "nothing.csv"),
        ("payments.parquet --target fraud --output payments.parquet", "output directory"),
        ("payments.parquet --target fraud --tiem when", "Did you mean --time or"),
    ],
)
def test_bad_input_is_one_line_and_code_2(run, payments, tmp_path, argv, words):
    done = run("inspect", *argv.split())
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("imbkit inspect: error: ")
    assert done.err.count("\n") == 1
    assert words in done.err
    assert not (tmp_path / "imbkit-inspect").exists()
