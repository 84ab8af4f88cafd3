# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from tests.cli.conftest import Run


def test_a_missing_file_is_one_clear_line(run: Run, tmp_path: Path) -> None:
    done = run("evaluate", str(tmp_path / "nowhere.parquet"))
    assert done.code == 1
    assert "nowhere.parquet" in done.err or "panels.json" in done.err
    assert len(done.err.strip().splitlines()) <= 2
