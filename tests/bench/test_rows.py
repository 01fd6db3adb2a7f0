"""The row file: append, resume, refuse."""

import json

import pytest

from imbkit.bench._rows import Row, RowStore, cell_name
from imbkit.exceptions import OutputError


def row(fold, status="done"):
    return Row(
        cell=cell_name("none", "logistic", 0, fold),
        strategy="none",
        learner="logistic",
        repeat=0,
        fold=fold,
        status=status,
        n_train=8,
        n_test=2,
        scores={"average_precision": 0.1 + fold / 3},
        policies={"tuned": {"threshold": None, "mcc": 0.5}},
        recalls={"0": 1.0, "1": None},
        warnings={},
        error="",
        fit_seconds=0.1,
        predict_seconds=0.01,
        model_bytes=10,
    )


def test_rows_come_back_exactly(tmp_path):
    store = RowStore(tmp_path, "f")
    for fold in range(3):
        store.append(row(fold))
    again = RowStore(tmp_path, "f")
    assert list(again) == [row(0), row(1), row(2)]
    assert again.finished(row(1)["cell"])
    assert not again.finished(cell_name("none", "logistic", 0, 9))


def test_failed_cells_are_tried_again(tmp_path):
    RowStore(tmp_path, "f").append(row(0, "failed"))
    store = RowStore(tmp_path, "f")
    assert not store.finished(row(0)["cell"])
    store.append(row(0))
    assert list(RowStore(tmp_path, "f")) == [row(0)]


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_cut_by_a_crash_is_forgotten(tmp_path, cut):
    store = RowStore(tmp_path, "f")
    store.append(row(0))
    store.append(row(1))
    path = tmp_path / "rows.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    store = RowStore(tmp_path, "f")
    assert list(store) == [row(0)]
    store.append(row(1))
    assert list(RowStore(tmp_path, "f")) == [row(0), row(1)]


def test_a_crash_before_the_header_is_a_fresh_start(tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(b'{"schema": "imb')
    store = RowStore(tmp_path, "f")
    store.append(row(0))
    assert list(RowStore(tmp_path, "f")) == [row(0)]


def test_another_run_is_refused(tmp_path):
    RowStore(tmp_path, "f").append(row(0))
    before = (tmp_path / "rows.jsonl").read_bytes()
    with pytest.raises(OutputError, match=r"hold this same comparison.*another directory"):
        RowStore(tmp_path, "g")
    assert (tmp_path / "rows.jsonl").read_bytes() == before


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"other files in .*--output"):
        RowStore(tmp_path, "f")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("line", ["{}", "not json", "[1]", '{"cell": "x"}'])
def test_an_edited_file_is_refused(tmp_path, line):
    RowStore(tmp_path, "f")
    path = tmp_path / "rows.jsonl"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(OutputError, match="line 2 of .* damaged"):
        RowStore(tmp_path, "f")


def test_rows_of_another_version_are_refused(tmp_path):
    header = {"schema": "imbkit.rows", "schema_version": 999, "fingerprint": "f"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(header) + "\n")
    with pytest.raises(OutputError, match="other versions"):
        RowStore(tmp_path, "f")


def test_a_full_disc_keeps_what_was_there(tmp_path, monkeypatch):
    store = RowStore(tmp_path, "f")
    store.append(row(0))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imbkit.bench._rows.os.fsync", full)
    with pytest.raises(OutputError, match=r"No space left .* finished cells are kept"):
        store.append(row(1))
    monkeypatch.undo()
    assert row(0) in list(RowStore(tmp_path, "f"))


def test_in_memory():
    store = RowStore(None, "f")
    store.append(row(0))
    assert list(store) == [row(0)]
