"""The row file: append, resume, refuse."""

import json

import numpy as np
import pytest

from imbkit.bench._rows import ROWS_VERSION, RowStore, cell_name, new_row, read_rows
from imbkit.bench._splits import Split
from imbkit.exceptions import OutputError


def row(fold, status="done", part="main"):
    split = Split(0, fold, np.arange(8), np.arange(2), part)
    return new_row("none", "logistic", split) | {
        "status": status,
        "scores": {"average_precision": 0.1 + fold / 3},
        "policies": {"tuned": {"threshold": None, "mcc": 0.5}},
        "recalls": {"tuned": {"0": 1.0, "1": None}},
        "curve": {"fp": [0, 1], "tp": [1.0, 2.0]},
        "fit_seconds": 0.1,
    }


def lines_of(directory):
    return (directory / "rows.jsonl").read_bytes().splitlines(keepends=True)


def put(directory, lines):
    (directory / "rows.jsonl").write_bytes(b"".join(lines))


@pytest.fixture
def described(tmp_path):
    """A directory with a plan and two rows."""
    store = RowStore(tmp_path, "f")
    store.describe({"a": 1})
    store.append(row(0))
    store.append(row(1))
    return tmp_path


def test_rows_come_back_exactly(tmp_path):
    store = RowStore(tmp_path, "f")
    for fold in range(3):
        store.append(row(fold))
    again = RowStore(tmp_path, "f")
    assert list(again) == [row(0), row(1), row(2)]
    assert again.finished(row(1)["cell"])
    assert not again.finished(cell_name("none", "logistic", 0, 9))


def test_a_split_at_random_is_another_cell(tmp_path):
    assert row(0, part="random")["cell"] == "none/logistic/random/0"
    store = RowStore(tmp_path, "f")
    store.append(row(0))
    assert not store.finished(row(0, part="random")["cell"])


def test_failed_cells_are_tried_again(tmp_path):
    RowStore(tmp_path, "f").append(row(0, "failed"))
    store = RowStore(tmp_path, "f")
    assert not store.finished(row(0)["cell"])
    store.append(row(0))
    assert list(RowStore(tmp_path, "f")) == [row(0)]


@pytest.mark.parametrize("cut", [1, 20, 200, -1])
def test_a_line_cut_by_a_crash_is_forgotten(tmp_path, cut):
    store = RowStore(tmp_path, "f")
    store.append(row(0))
    store.append(row(1))
    lines = lines_of(tmp_path)
    put(tmp_path, [*lines[:-1], lines[-1][:-cut] if cut > 0 else lines[-1][:1]])
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


@pytest.mark.parametrize(
    "line",
    ["{}", "not json", "[1]", '{"cell": "x"}', '{"a": NaN}', '{"a": Infinity}', "", "\ufffd", "3"],
)
def test_an_edited_file_is_refused(tmp_path, line):
    RowStore(tmp_path, "f")
    path = tmp_path / "rows.jsonl"
    path.write_text(path.read_text() + line + "\n", encoding="utf-8")
    for read in (lambda: RowStore(tmp_path, "f"), lambda: read_rows(tmp_path)):
        with pytest.raises(OutputError, match=r"line 2 of .* damaged.*Remove that line"):
            read()


@pytest.mark.parametrize("line", [1, 2, 3])
def test_one_changed_digit_names_its_line(described, line):
    lines = lines_of(described)
    text = lines[line].decode()
    old, new = ('"a": 1', '"a": 2') if line == 1 else ('"n_train": 8', '"n_train": 9')
    assert old in text
    put(described, [*lines[:line], text.replace(old, new).encode(), *lines[line + 1 :]])
    words = f"line {line + 1} of .*damaged or was changed"
    with pytest.raises(OutputError, match=f"^compare: .*{words}"):
        RowStore(described, "f")
    with pytest.raises(OutputError, match=f"^report: .*{words}"):
        read_rows(described)


def test_a_changed_header_is_another_run(described):
    lines = lines_of(described)
    put(described, [lines[0].replace(b'"fingerprint": "f"', b'"fingerprint": "g"'), *lines[1:]])
    with pytest.raises(OutputError, match="this same comparison"):
        RowStore(described, "f")


def test_lines_that_are_left_out_are_run_again(described):
    lines = lines_of(described)
    put(described, [*lines[:2], lines[3]])
    store = RowStore(described, "f")
    assert list(store) == [row(1)]
    assert not store.finished(row(0)["cell"])


def test_rows_with_other_keys_are_refused_though_their_checksum_is_right(tmp_path):
    """As another program, or a version that forgot to raise the number, might write them."""
    store = RowStore(tmp_path, "f")
    store.append({key: value for key, value in row(0).items() if key != "curve"})
    with pytest.raises(OutputError, match="line 2 of .*damaged"):
        RowStore(tmp_path, "f")


@pytest.mark.parametrize("version", [1, 999])
def test_rows_of_another_version_are_refused(tmp_path, version):
    header = {"schema": "imbkit.rows", "schema_version": version, "fingerprint": "f"}
    text = json.dumps(header) + '\n{"a row of": "that version"}\n'
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(OutputError, match="other versions"):
        RowStore(tmp_path, "f")
    words = f"must be of version {ROWS_VERSION}. Got version {version}. .*run the comparison again"
    with pytest.raises(OutputError, match=words):
        read_rows(tmp_path)
    assert (tmp_path / "rows.jsonl").read_text() == text


@pytest.mark.parametrize("content", [None, "", '{"schema": "imb', '{"some": "log"}\n'])
def test_a_directory_without_rows_cannot_be_rendered(tmp_path, content):
    if content is not None:
        (tmp_path / "rows.jsonl").write_text(content)
    with pytest.raises(OutputError, match=r"hold the rows\.jsonl of a comparison|line 1 of"):
        read_rows(tmp_path)


def test_a_directory_that_is_none(tmp_path):
    with pytest.raises(OutputError, match=r"Got none in .*Run `imbkit compare` first"):
        read_rows(tmp_path / "nowhere")


def test_rows_without_a_plan_cannot_be_rendered(tmp_path):
    RowStore(tmp_path, "f").append(row(0))
    with pytest.raises(OutputError, match=r"description of their comparison.*command again"):
        read_rows(tmp_path)


def test_plan_end_and_rows_come_back(described):
    assert read_rows(described) == ({"a": 1}, None, [row(0), row(1)])
    end = {"wall_seconds": 1.5, "recipe": "x"}
    RowStore(described, "f").describe({"a": 1}, end)
    assert read_rows(described) == ({"a": 1}, end, [row(0), row(1)])
    RowStore(described, "f").describe({"a": 2})
    assert read_rows(described)[:2] == ({"a": 2}, None)


def test_a_truncated_file_can_be_rendered(described):
    lines = lines_of(described)
    put(described, [*lines[:-1], lines[-1][:-9]])
    assert read_rows(described) == ({"a": 1}, None, [row(0)])
    assert len(lines_of(described)[-1]) == len(lines[-1]) - 9


def test_a_description_is_written_only_if_it_says_more(described):
    def size(plan, end):
        RowStore(described, "f").describe(plan, end)
        return len(lines_of(described))

    assert size({"a": 1}, None) == 4
    assert size({"a": 1}, {"wall_seconds": 1.5, "recipe": "x"}) == 5
    assert size({"a": 1}, {"wall_seconds": 9.0, "recipe": "x"}) == 5
    # The beginning of the same run again does not take back how it ended.
    assert size({"a": 1}, None) == 5
    assert size({"a": 1}, {"wall_seconds": 1.5, "recipe": "y"}) == 6
    assert size({"a": 2}, None) == 7


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
    store.describe({"a": 1}, {"wall_seconds": 1})
    store.append(row(0))
    assert list(store) == [row(0)]
