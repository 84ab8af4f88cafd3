# SPDX-License-Identifier: Apache-2.0
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from benchmarks.serving import REPOSITORY, Served
from consilience import Client, Question
from server.cli.patience import Patience
from tests.cli.conftest import Run


def _serve(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The server with nothing but the market's price, which starts fastest."""
    config = folder / "small.toml"
    config.write_text('[forecasters.price]\nkind = "market"\n[ensembles.small]\nmembers = ["price"]\n')
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "server.cli", "serve", "--config", str(config), *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "CONSILIENCE_STORAGE__URL": f"sqlite:///{folder}/records.db",
            "CONSILIENCE_TELEMETRY__METRICS_LISTEN": "127.0.0.1:0",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_says_what_to_try_next_and_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = _serve(tmp_path, "--listen", "127.0.0.1:0")
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    found = re.search(
        r"is ready at (127\.0\.0\.1:\d+) .* metrics at (http://127\.0\.0\.1:\d+/metrics)", first
    )
    assert found, first
    with Client(found.group(1), deadline_s=30) as client:
        assert client.predict(Question("Will it?", market_probability=0.7)).probability == 0.7
    with urllib.request.urlopen(found.group(2)) as answer:  # noqa: S310
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    for step in ("predict --list", "predict --question ID", "stream --question ID"):
        assert f"{step} --server {found.group(1)}" in rest
    assert '"event": "stopped"' in process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 0


def test_a_taken_address_is_one_line(served: Served, tmp_path: Path) -> None:
    process = _serve(tmp_path, "--listen", served.address)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 1
    *waiting, said = error.splitlines()
    assert said == f"consilience: cannot listen on {served.address}: Address already in use; set [rpc] listen"
    assert all("compiles kernels" in line for line in waiting), "what is said of a long start"


@pytest.mark.parametrize("address", ["127.0.0.1:99999", ":5", "nowhere"])
def test_an_address_that_is_none_is_one_line(address: str, run: Run) -> None:
    done = run("serve", "--listen", address)
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    assert f"--listen: {address!r} is not HOST:PORT" in done.err


def test_a_long_start_says_why_and_a_short_one_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Patience(after_s=0.0) as waiting:
        waiting.join()
    assert "compiles kernels" in capsys.readouterr().err
    with Patience(after_s=3600.0):
        pass
    with Patience(silent=True, after_s=0.0):
        pass
    assert capsys.readouterr().err == ""


def test_a_bad_configuration_names_the_key(tmp_path: Path, run: Run) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[rpc]\nlisten = "127.0.0.1:0"\ncolour = "red"\n')
    for command in (["serve", "--config"], ["config", "check"]):
        done = run(*command, str(bad))
        assert done.code == 1
        assert "rpc -> colour" in done.err
        assert len(done.err.splitlines()) <= 4


def test_the_quickstart_is_good(run: Run) -> None:
    file = str(REPOSITORY / "server" / "quickstart.toml")
    assert f"{file} is good" in run("config", "check", file).out.replace("\n", "")
    checked = json.loads(run("config", "check", file, "--json").out)
    assert checked["ensembles"][0]["name"] == "quickstart"
    assert checked["missing_secrets"] == {}
    assert len(checked["providers"]) >= 3


def test_a_secret_that_is_not_there_is_named(tmp_path: Path, run: Run) -> None:
    config = tmp_path / "live.toml"
    config.write_text(
        '[providers.mine]\nbase_url = "http://127.0.0.1:9/v1"\nkey = "env:NO_SUCH_KEY_HERE"\n'
        '[forecasters.m]\nkind = "chat"\nprovider = "mine"\nmodel = "m"\n'
        '[ensembles.e]\nmembers = ["m"]\n'
    )
    done = run("config", "check", str(config))
    assert done.code == 0
    assert "NO_SUCH_KEY_HERE is not set" in done.out


def test_the_simulator_runs_until_it_is_told_to_stop() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "simulate", "--listen", "127.0.0.1:0", "--json"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    with urllib.request.urlopen(ready["ledger"]) as answer:  # noqa: S310
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
