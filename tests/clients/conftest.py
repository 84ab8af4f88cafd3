# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving import REPOSITORY, Served, serving

GO_CLIENT = REPOSITORY / "clients" / "go"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real server with the quickstart configuration, in a process of its own."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def go() -> str:
    """The Go tool, with the client's modules at hand."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("no Go here: the Go client is not tested")
    got = subprocess.run([found, "mod", "download"], cwd=GO_CLIENT, capture_output=True, check=False)  # noqa: S603
    if got.returncode:
        pytest.skip("the Go client's modules are not to be had here")
    return found


@pytest.fixture(scope="session")
def go_predict(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program that asks one question."""
    program = tmp_path_factory.mktemp("go") / "predict"
    subprocess.run([go, "build", "-o", str(program), "./cmd/predict"], cwd=GO_CLIENT, check=True)  # noqa: S603
    return program


@pytest.fixture(scope="session")
def grpcurl() -> str:
    """grpcurl, as ``make tools`` installs it or from the path."""
    own = REPOSITORY / "build" / "tools" / "grpcurl"
    found = str(own) if own.exists() else shutil.which("grpcurl")
    if found is None:
        pytest.skip("no grpcurl here: `make tools` installs it (it needs Go)")
    return found
