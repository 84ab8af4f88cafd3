# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.research.grid.samples import write_folder
from tests.research.samples import rows


def test_a_backtest_is_shown_and_written(run: Run, tmp_path: Path) -> None:
    data, out = write_folder(tmp_path / "data"), tmp_path / "out.json"
    done = run("backtest", str(data), "--panels", "markets", "--weighting", "fixed", "--out", str(out))
    assert done.code == 0, done.err
    assert "buy everything" in done.out
    assert "An interval that holds 0 shows nothing" in done.out
    assert json.loads(out.read_text())["strategies"][0]["strategy"] == "ensemble"


def test_without_prices_that_is_said(run: Run, tmp_path: Path) -> None:
    data = write_folder(tmp_path / "data", rows().with_columns(market_prob_on_due_date=None))
    done = run("backtest", str(data), "--json")
    assert done.code == 1
    assert "price" in json.loads(done.err)["error"]
