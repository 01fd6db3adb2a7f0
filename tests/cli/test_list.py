import json

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
        "imbkit._core.catalog.missing_packages", lambda extra: ["pandas"] * bool(extra)
    )
    done = run("list")
    assert done.code == 0
    assert 'imbkit.bench   needs: pip install "imbkit[compare]"' in done.out
    assert "imbkit.metrics\n" in done.out
