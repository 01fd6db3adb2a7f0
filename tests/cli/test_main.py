import re
import runpy
import sys

import pytest

from imbkit import __version__


def test_version(run):
    done = run("--version")
    assert (done.code, done.out) == (0, f"imbkit {__version__}\n")


def test_help_names_commands_options_defaults_and_codes(run):
    top = run("--help")
    assert top.code == 0
    for words in ("compare", "report", "inspect", "list", "versions", "exit codes", "examples"):
        assert words in top.out
    done = run("compare", "--help")
    assert done.code == 0
    options = (
        "--target --positive --drop --metric --strategy --learner --output --folds --repeats "
        "--seed --jobs --quick --budget-minutes --quiet --json --time --group --label-delay "
        "--weight --fn-cost --fp-cost --tp-gain --alerts --alerts-per-day --prevalence --test"
    )
    for option in options.split():
        assert option in done.out
    assert done.out.count("default") >= 10
    assert run("list", "--help").code == 0
    assert "rows.jsonl" in run("report", "--help").out


def test_without_a_command_the_help_comes_with_code_2(run):
    done = run()
    assert done.code == 2
    assert "usage: imbkit" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["compar"], "no command 'compar'. Did you mean compare?"),
        (["zzz"], "Known are compare, report, inspect, list, versions"),
        (["--versoin"], "unrecognized|required|usage"),
    ],
)
def test_an_unknown_command_suggests_near_ones(run, argv, words):
    done = run(*argv)
    assert done.code == 2
    assert words in done.err or re.search(words, done.err)
    assert "Traceback" not in done.err


def test_versions(run):
    done = run("versions")
    assert done.code == 0
    assert "scikit-learn" in done.out


def test_python_dash_m(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["imbkit", "--version"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("imbkit", run_name="__main__")
    assert stop.value.code == 0
    assert "imbkit" in capsys.readouterr().out
