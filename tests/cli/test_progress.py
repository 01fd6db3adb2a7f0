import io

import pytest

from imbkit.cli._progress import BarProgress, LineProgress, make_progress, time_left


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_lines_come_now_and_then_and_at_the_end():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)
    progress.start(140, 0)
    for k in range(140):
        clock.now += 1.0
        progress.advance(f"smote/logistic/0/{k}", False, 1.0)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "140 cells to run"
    assert lines[1] == "5 of 140 cells, 3 % done, about 2 min left"
    assert lines[-1] == "140 of 140 cells, 100 % done"
    assert len(lines) == 1 + 140 // 5


def test_cells_of_an_earlier_run_do_not_shorten_the_estimate():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)
    progress.start(100, 90)
    clock.now += 30.0
    progress.advance("cell", False, 30.0)
    lines = stream.getvalue().splitlines()
    assert lines == [
        "90 of 100 cells were finished before, 10 to run",
        "91 of 100 cells, 91 % done, about 4 min left",
    ]


def test_a_failure_is_told_at_once_and_safely():
    stream, clock = io.StringIO(), Clock()
    progress = LineProgress(stream, clock)
    progress.start(2, 0)
    progress.advance("a\x1b[31m/b/0/0", True, 0.1)
    assert "a\\x1b[31m/b/0/0 failed" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "about 5 s"), (43, "about 45 s"), (80, "about 1 min"), (3599, "about 1 h 0 min")],
)
def test_time_left(seconds, words):
    assert time_left(seconds) == words


def test_the_stream_decides():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert make_progress(io.StringIO(), quiet=True) is None
    assert isinstance(make_progress(io.StringIO(), quiet=False), LineProgress)
    terminal = Terminal()
    bar = make_progress(terminal, quiet=False)
    assert isinstance(bar, BarProgress)
    bar.start(4, 1)
    bar.advance("smote[/]/logistic/0/1", False, 0.1)
    bar.advance("smote/logistic/0/2", True, 0.1)
    bar.close()
    assert "3 of 4 cells" in terminal.getvalue()


def test_without_rich_a_terminal_gets_lines(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setitem(__import__("sys").modules, "rich", None)
    assert isinstance(make_progress(Terminal(), quiet=False), LineProgress)
