# SPDX-License-Identifier: Apache-2.0
"""An experiment from configuration to promotion, over the real server and its restart."""

import json
from pathlib import Path

import pytest

from benchmarks.serving import serving
from server.config import DEFAULT_FILE, ConfigError, load
from tests.cli.conftest import Run

EXPERIMENT = """
[experiments.poolings]
[experiments.poolings.arms]
control = {share = 0.5}
linear = {share = 0.5, pooling = "linear"}
"""
QUESTION = "polymarket-4zgncn-20251026"


def configured(folder: Path, text: str) -> Path:
    path = folder / "server.toml"
    path.write_text(DEFAULT_FILE.read_text() + text)
    return path


def test_from_configuration_to_promotion(run: Run, tmp_path: Path) -> None:
    config = configured(tmp_path, EXPERIMENT)
    with serving(tmp_path, config) as served:
        at = ("--server", served.address)
        asked = json.loads(run("predict", "--question", QUESTION, *at, "--json").out)["prediction"]
        assert asked["experiment"] == "poolings"
        assert asked["arm"] in {"control", "linear"}
        report = run("experiment", "report", "poolings", *at)
        assert report.code == 0, report.err
        assert "pooling: linear" in report.out
        counts = {
            one["arm"]: one["predictions"]
            for one in json.loads(run("experiment", "report", "poolings", *at, "--json").out)["reports"]
        }
        assert counts == {"control": 0, "linear": 0} | {asked["arm"]: 1}
        assert "promoted: linear" in run("experiment", "promote", "poolings", "linear", *at).out
        assert "use control, linear" in run("experiment", "promote", "poolings", "median", *at).err
        assert "not known" in run("experiment", "rollback", "others", *at).err
    with serving(tmp_path, config) as served:
        at = ("--server", served.address)
        assert "promoted: linear" in run("experiment", "list", *at).out
        again = json.loads(run("predict", "--question", QUESTION, *at, "--json").out)["prediction"]
        assert (again["method"]["pooling"], again["experiment"]) == ("linear", "")
        assert "rolled back" in run("experiment", "rollback", "poolings", *at).out
        assert "running" in run("experiment", "resume", "poolings", *at).out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EXPERIMENT.replace('"linear"}', '"lineer"}'), "experiments.poolings.arms.linear"),
        (EXPERIMENT.replace("pooling =", "ensemble ="), "is not defined in"),
        (EXPERIMENT.replace('pooling = "linear"', 'members = ["nobody"]'), "'nobody' is no member"),
        (EXPERIMENT + EXPERIMENT.replace("poolings", "again"), "has the experiment 'poolings' already"),
    ],
)
def test_names_must_exist(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(configured(tmp_path, text))
    assert words in str(refused.value)
