# SPDX-License-Identifier: Apache-2.0
"""``consilience models evaluate``: scores on any recording, in the terminal and as JSON."""

import json

import pytest
from typer.testing import CliRunner

from server.cli.failures import Failure
from server.cli.main import app
from tests.inference import artifacts
from tests.models import books


def evaluate(*arguments):
    return CliRunner().invoke(app, ["models", "evaluate", *map(str, arguments)])


def test_scores_of_everyone(tmp_path):
    root = tmp_path / "networks"
    artifacts.write(root, "one", 1)
    artifacts.write(root, "two", 3, seed=1)
    file = books.write(tmp_path, "later", **books.arrays(rows=300))
    out = tmp_path / "out.json"
    result = evaluate(file, "--json", out, "--repository", root)
    assert result.exit_code == 0, result.output
    for word in ("one/1", "two/3", "ensemble", "persistence", "logistic_regression", "Macro-F1", "MADEUP"):
        assert word in result.output
    found = json.loads(out.read_text())
    assert found["rows"] == 300
    row = found["forecasters"]["ensemble"][0]
    assert {"macro_f1", "mcc", "ece", "accuracy_most_confident_tenth", "horizon"} <= row.keys()
    low, high = row["calibration_slope_interval"]
    assert low < row["calibration_slope"] < high
    assert f"{row['calibration_slope']:.2f} ({low:.2f} to {high:.2f})" in result.output
    assert found["leads"][0].keys() == {"forecaster", "baseline", "horizon", "macro_f1", "interval"}
    assert evaluate(file, "--repository", root, "--name", "one").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["gone.book20.npz"], "recording: gone.book20.npz is no file"),
        (["{file}", "--name", "nobody"], "holds no network nobody"),
        (["{torn}"], "cannot be read"),
        (["{file}", "--json", "{file}/nowhere/out.json"], "--json: "),
    ],
)
def test_what_cannot_be_scored(tmp_path, arguments, complaint):
    (tmp_path / "torn.book20.npz").write_bytes(b"torn")
    file = books.write(tmp_path, "later", **books.arrays(rows=300))
    filled = [each.format(file=file, torn=tmp_path / "torn.book20.npz") for each in arguments]
    result = evaluate(*filled)
    assert isinstance(result.exception, Failure)
    assert complaint in result.exception.message
