# SPDX-License-Identifier: Apache-2.0
"""Poolings and selections of other packages: found, loaded once, and named where they are broken."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from server.forecasting.errors import PluginError
from server.forecasting.names import choose
from server.forecasting.plugged_pooling import PluggedPooling
from server.forecasting.plugins import POOLING_GROUP, Names, Plugins
from server.forecasting.pooling import pooling

ROOT = Path(__file__).parents[2]
ROWS = np.array([[0.9, 0.1], [np.nan, np.nan], [0.6, 0.4]])

PROGRAM = """
import asyncio, json
from server.engine.ensembles import Ensemble, Ensembles
from server.engine.gathering import CHOICES
from server.engine.predict import EngineSettings, PredictionEngine
from server.engine.recording import Recorder
from server.engine.request import PredictionRequest
from server.engine.settings import EnsembleSettings
from server.forecasting.deadline import SystemClock
from server.forecasting.question import Question
from tests.fakes import Catalogue, MemoryStore, yes

members = {"a": yes(0.9), "b": yes(0.7), "c": yes(0.6)}
settings = EnsembleSettings(members=tuple(members), pooling="cautious", parameters={"caution": 0.5},
                            selection="cheapest", selection_parameters={"members": 2})
ensemble = Ensemble(settings.spec("e", 2.0), members)
engine = PredictionEngine(Ensembles([ensemble], "e"), Catalogue(), Recorder(MemoryStore()), (), SystemClock(),
                          EngineSettings("test"))
prediction = asyncio.run(engine.predict(PredictionRequest(Question("q", "?"))))
print(json.dumps({"p": prediction.probabilities, "asked": [n for n, m in members.items() if m.asked],
                  "poolings": list(CHOICES.poolings), "method": prediction.method.pooling}))
"""


def test_the_sample_package_is_installed_and_used(tmp_path: Path) -> None:
    source = tmp_path / "plugin"
    source.mkdir()
    for name in ("pyproject.toml", "consilience_sample_plugin.py"):
        (source / name).write_text((ROOT / "samples/plugin" / name).read_text())
    installed = tmp_path / "site"
    _run("-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--target", str(installed), str(source))  # fmt: skip
    said = json.loads(_run("-c", PROGRAM, path=installed))
    assert said["asked"] == ["a", "b"]
    assert said["p"] == pytest.approx([0.75, 0.25])  # half the mean of .9 and .7, half .7
    assert "cautious" in said["poolings"]
    assert said["method"] == "cautious"


def _run(*arguments: str, path: Path | None = None) -> str:
    places = [str(ROOT), str(ROOT / "clients/python"), *([str(path)] if path else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, POOLING_GROUP)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("no_such_module:pool", "cannot be loaded: ModuleNotFoundError"),
        ("math:no_such_thing", "cannot be loaded: AttributeError"),
        ("math:pi", "is a float, not a function"),
    ],
)
def test_a_broken_plugin_is_named(value: str, what: str) -> None:
    plugins = Plugins(lambda: [entry("mine", value)])
    with pytest.raises(PluginError, match="plug-in 'mine'") as caught:
        plugins.get(POOLING_GROUP, "mine")
    assert what in str(caught.value)
    assert plugins.load_all() == [str(caught.value)]


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(PluginError, match="rename it"):
        Plugins(lambda: [entry("voting", "math:fsum")]).get(POOLING_GROUP, "majority")


def test_plugins_are_looked_for_only_where_the_built_in_names_end() -> None:
    looked = []
    names = Names(
        ("linear",), POOLING_GROUP, Plugins(lambda: looked.append(1) or [entry("mine", "math:fsum")])
    )
    assert choose("pooling", "WeightedAverage", names) == "linear"
    assert not looked
    assert choose("pooling", "Mine", names) == "mine"
    assert list(names) == ["linear", "mine"]
    assert looked == [1]


def test_nobody_looks_again_once_it_was_done() -> None:
    looked = []
    plugins = Plugins(lambda: looked.append(1) or [entry("mine", "math:fsum")])
    plugins.look()
    assert looked == [1]
    assert plugins.names(POOLING_GROUP) == ("mine",)
    assert looked == [1]


def plugged(answer: object) -> PluggedPooling:
    def plugin(rows: np.ndarray, weights: np.ndarray, parameters: Mapping[str, float]) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return PluggedPooling("mine", plugin, {}, pooling("linear", {}, 3, 2))


@pytest.mark.parametrize("answer", [[0.5, 0.6], [0.5], [1.5, -0.5], [np.nan, 1.0], ValueError("secret")])
def test_what_is_no_distribution_is_refused(answer: object) -> None:
    with pytest.raises(PluginError, match="the pooling 'mine'") as caught:
        plugged(answer).pool(ROWS, np.ones(3))
    assert "secret" not in str(caught.value)


def test_everything_is_known_of_a_plugged_pool() -> None:
    def nearest(rows: np.ndarray, weights: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
        rows[:] = weights @ rows / weights.sum()  # a careless one that writes into what it is given
        return rows[0]

    given = ROWS.copy()
    pooled = PluggedPooling("mean", nearest, {}, pooling("linear", {}, 3, 2)).pool(given, np.ones(3))
    plain = pooling("linear", {}, 3, 2).pool(ROWS, np.ones(3))
    np.testing.assert_array_equal(given, ROWS)
    assert pooled.probabilities == pytest.approx(plain.probabilities)
    assert pooled.contributions == pytest.approx(plain.contributions)
    assert pooled.agreement == plain.agreement
    assert pooled.chosen == plain.chosen
    nobody = plugged([0.5, 0.5]).pool(np.full((3, 2), np.nan), np.ones(3))
    assert nobody.probabilities == ()
