import errno
import os

import pytest

from imbkit.bench._files import ensure_directory, write_bytes, write_text
from imbkit.exceptions import OutputError


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_text_is_written_and_replaced(tmp_path):
    path = tmp_path / "a.html"
    write_text(path, "one\nzwei ü\n")
    write_text(path, "two \ud800\n")
    assert path.read_bytes() == b"two \\ud800\n"
    assert names(tmp_path) == ["a.html"]


def test_bytes_are_written_as_they_are(tmp_path):
    path = tmp_path / "model.skops"
    path.write_bytes(b"old")
    write_bytes(path, b"PK\r\n\x00\xff")
    assert path.read_bytes() == b"PK\r\n\x00\xff"
    assert names(tmp_path) == ["model.skops"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    write_text(tmp_path / "ours", "x")
    (tmp_path / "usual").write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disc_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "summary.json"
    path.write_text("old")

    def full(*args, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OutputError, match=r"No space left.*summary\.json.*[Mm]ake room") as caught:
        write_text(path, "new")
    assert "unchanged" in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["summary.json"]


def test_an_interruption_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    path.write_text("old")

    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["summary.json"]


def test_the_old_file_is_whole_until_it_is_replaced(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("old")
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(path.read_text()))
    write_text(path, "new")
    assert seen == ["old"]
    assert path.read_text() == "new"


def test_the_temporary_file_lies_beside(tmp_path, monkeypatch):
    # On another file system it could not take the old one's place in one step.
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.extend(names(tmp_path)))
    write_bytes(tmp_path / "model.skops", b"x")
    assert len(seen) == 1
    assert names(tmp_path) == ["model.skops"]


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"No such file.*gone"):
        write_text(tmp_path / "gone" / "a.txt", "x")


def test_directories_are_made_and_kept(tmp_path):
    ensure_directory(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").write_text("x")
    ensure_directory(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == ["file"]


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_file_is_not_a_directory(tmp_path, path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"output directory.*file.*--output"):
        ensure_directory(tmp_path / path)


def test_an_unwritable_directory_is_refused(tmp_path, monkeypatch):
    # The owner of the tests may be root, whom permission bits do not stop.
    def refuse(*args, **named):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OutputError, match=r"Permission denied.*--output"):
        ensure_directory(tmp_path)
