# SPDX-License-Identifier: Apache-2.0
"""Replay, audit and erasure as a person meets them, on a real server and its real database."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving import Served, serving
from tests.cli.conftest import Run

QUESTION = "polymarket-4zgncn-20251026"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "records.db"
    monkeypatch.setenv("CONSILIENCE_STORAGE__URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def fresh(tmp_path: Path, database: Path) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running


def predict(run: Run, served: Served) -> str:
    done = run("predict", "--question", QUESTION, "--server", served.address, "--json")
    assert done.code == 0, done.err
    return str(json.loads(done.out)["prediction"]["id"])


def test_from_answer_to_erasure(run: Run, fresh: Served, tmp_path: Path, database: Path) -> None:
    one = predict(run, fresh)
    predict(run, fresh)
    again = run("replay", one, "--server", fresh.address)
    assert again.code == 0
    assert again.out.startswith("IDENTICAL")
    whole = json.loads(run("replay", one, "--server", fresh.address, "--json").out)
    assert (whole["verdict"], whole["differences"]) == ("identical", [])
    assert whole["replayed"]["probabilities"] == whole["stored"]["probabilities"]

    anchored = tmp_path / "checkpoint.json"
    anchored.write_text(run("audit", "checkpoint").out)
    verified = run("audit", "verify", "--checkpoint", str(anchored))
    assert verified.code == 0
    assert verified.out.startswith(
        "HOLDS 3 entries of 1 writer, 1 checkpoint, 2 predictions, 0 erased, 0 outcomes"
    )

    erased = run(
        "erase", "--question", QUESTION, "--reason", "on request", "--server", fresh.address, "--json"
    )
    assert json.loads(erased.out) == {"erased": 2}
    assert run("replay", one, "--server", fresh.address).code == 1
    report = json.loads(run("audit", "verify", "--checkpoint", str(anchored), "--json").out)
    assert (report["holds"], report["predictions"], report["erased"]) == (True, 0, 2)

    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM audit_entries WHERE number = 2")
    connection.close()
    broken = run("audit", "verify")
    assert broken.code == 1
    assert "MISSING" in broken.out


def test_a_changed_record_is_seen_by_both(run: Run, fresh: Served, database: Path) -> None:
    one = predict(run, fresh)
    with sqlite3.connect(database) as connection:
        (document,) = connection.execute("SELECT document FROM predictions").fetchone()
        record = json.loads(document)
        record["record"]["prediction"]["confidence"] += 1e-9
        connection.execute("UPDATE predictions SET document = ?", (json.dumps(record),))
    connection.close()
    again = run("replay", one, "--server", fresh.address)
    assert again.code == 1
    assert "confidence: stored" in again.out
    assert "ALTERED" in run("audit", "verify").out


def test_nothing_to_erase_or_verify(run: Run, database: Path) -> None:
    assert "nothing is named" in run("erase").err
    assert "there is no database" in run("audit", "verify").err
    assert not database.exists()


def test_a_file_that_is_no_checkpoint(run: Run, fresh: Served, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert "no checkpoint" in run("audit", "verify", "--checkpoint", str(other)).err
