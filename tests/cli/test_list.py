import json
import subprocess
import sys

import pytest

from imbkit._core.catalog import catalog
from imbkit.bench._panel import learner_names, strategy_names


def test_every_public_name_is_listed_once_under_its_family(run):
    done = run("list", "--json")
    lines = json.loads(done.out)
    assert done.code == 0
    families = [line for line in lines if line["family"] not in ("strategies", "learners")]
    assert [(x["family"], x["name"]) for x in families] == [(e.family, e.name) for e in catalog()]
    named = [line["name"] for line in lines if line["family"] == "strategies"]
    assert named == [name for name, _ in strategy_names()]


def test_the_table_is_aligned_and_fits(run):
    done = run("list", "metrics")
    lines = done.out.splitlines()
    assert lines[0] == "imbkit.metrics"
    assert max(map(len, lines)) <= 100
    for entry in catalog("metrics"):
        assert any(line.startswith(f"  {entry.name} ") for line in lines)


def test_one_family_or_the_panel_alone(run):
    assert "imbkit.metrics" not in run("list", "thresholds").out
    done = run("list", "learners")
    assert done.out.splitlines()[0] == "learners (for imbkit compare --learner)"
    for name, title in learner_names():
        assert name in done.out
        assert title in done.out


def test_learners_of_stages_say_what_they_need(run):
    lines = json.loads(run("list", "learners", "--json").out)
    needing = {line["name"]: line["summary"] for line in lines if "--ordered" in line["summary"]}
    assert set(needing) == {"constant", "presto", "proportional_odds"}
    assert needing["presto"] == "PRESTO; needs --ordered"
    listed = {line["name"] for line in json.loads(run("list", "ordinal", "--json").out)}
    assert {"PRESTOClassifierCV", "ProportionalOddsClassifier"} <= listed


def test_an_unknown_family_suggests_near_ones(run):
    done = run("list", "metric")
    assert done.code == 2
    assert "no such family" in done.err
    assert "metrics" in done.err
    assert done.err.count("\n") == 1


def test_a_missing_extra_is_named_with_the_way_to_install_it(run, monkeypatch):
    monkeypatch.setattr(
        "imbkit._core.catalog.missing_packages",
        lambda extra: ["pandas", "skorch", "torch"] * bool(extra),
    )
    done = run("list")
    assert done.code == 0
    assert 'imbkit.bench   needs: pip install "imbkit[compare]"' in done.out
    assert "imbkit.metrics\n" in done.out


def test_losses_and_nets_are_listed_with_their_kinds_and_short_names(run):
    pytest.importorskip("skorch", reason="torch and skorch are not installed (extra: nets)")
    lines = {x["name"]: x for x in json.loads(run("list", "losses", "--json").out)}
    assert lines["FocalLoss"]["kind"] == "method"
    assert lines["get_loss"]["kind"] == "function"
    assert lines["CrossEntropyLoss"]["names"] == ["cross_entropy", "ce"]
    assert lines["BaseLoss"]["names"] == []
    table = run("list", "losses").out
    assert table.startswith("imbkit.losses\n")
    assert "[balanced_softmax, bsm]" in " ".join(table.split())
    nets = {x["name"]: x for x in json.loads(run("list", "nets", "--json").out)}
    assert nets["ImbalancedNetClassifier"]["kind"] == "method"
    assert nets["ClassifierRetraining"]["names"] == ["crt"]
    assert all(x["available"] and not x["install"] for x in [*lines.values(), *nets.values()])


WITHOUT_TORCH = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.split(".")[0] in ("torch", "skorch")
        return None if hidden else PathFinder.find_spec(name, path, target)

sys.meta_path = [Hiding if each is PathFinder else each for each in sys.meta_path]
from imbkit.cli import main
for argv in {argvs!r}:
    print(main(argv))
"""


def test_without_torch_they_are_listed_with_the_way_to_install_it():
    argvs = [["list", "losses"], ["list", "nets", "--json"], ["list", "learners"]]
    argvs.append(["compare", "--learner", "net:balanced-softmax"])
    code = WITHOUT_TORCH.replace("{argvs!r}", repr(argvs))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    losses, nets, learners, compared = done.stdout.split("\n0\n")
    assert losses.startswith('imbkit.losses   needs: pip install "imbkit[nets]"\n')
    assert "  FocalLoss " in losses
    for line in json.loads(nets):
        assert (line["kind"], line["available"]) == ("unknown", False)
        assert line["install"] == 'pip install "imbkit[nets]"'
    assert "only where named" in learners
    assert 'needs: pip install "imbkit[nets]"' in " ".join(learners.split())
    assert compared == "2\n"
    assert "net: needs the package torch, which is not installed" in done.stderr
    assert 'Run: pip install "imbkit[nets]".' in done.stderr
