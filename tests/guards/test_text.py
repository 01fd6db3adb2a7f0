"""Nothing unfinished or stray stands in the tree: every text file is looked at."""

import re
import subprocess

import pytest

# Put together here, so that this file passes its own test.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
ENDINGS = {".py", ".md", ".rst", ".toml", ".cfg", ".txt", ".yaml", ".cff", ".html", ".css", ".j2"}
FOLDERS = {"imbkit", "tests", "doc", "examples", "benchmarks", ".ci"}
GENERATED = re.compile(r"^doc/(api|gallery|_build)/|/__pycache__/|sg_execution_times")
INDEXES = re.compile(r"(index-url|find-links|^-[if]\b)")


def stray(path, text):
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{path}:{number}"
        if UNFINISHED.search(line):
            yield f"{where}: unfinished: {line.strip()}"
        if line != line.rstrip() and not path.endswith((".md", ".txt")):
            yield f"{where}: blanks at the end of the line"
        if path.endswith((".txt", ".cfg", ".toml", "/run", ".yaml")) and INDEXES.search(line):
            yield f"{where}: names a package index"


def text_files(root):
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        top = name.split("/")[0]
        known = path.suffix in ENDINGS or name == ".ci/run"
        if path.is_file() and known and not GENERATED.search(name):
            if top in FOLDERS or "/" not in name:
                yield name, path


def test_nothing_is_unfinished(root):
    found = []
    for name, path in text_files(root):
        found += stray(name, path.read_text("utf-8"))
    assert "\n".join(found) == ""


def test_the_ci_script_is_sound_bash(root):
    script = root / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "# TO" + "DO: later"),
        ("a.md", "FIX" + "ME"),
        ("a.py", "x = 1 "),
        ("constraints.txt", "--extra-index" + "-url https://example.org"),
    ],
)
def test_stray_text_is_noticed(path, text):
    assert list(stray(path, text))


def test_ordinary_text_is_not():
    assert list(stray("a.py", "todo = 'Run it again'\n# a hack-saw\n")) == []
