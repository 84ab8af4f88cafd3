# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from benchmarks.serving import Served, serving
from server.cli.main import main


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real server with the quickstart configuration, in a process of its own."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@dataclass
class Done:
    """A command that has run."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """``run("predict", "--list")`` in this process."""

    def run(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


Run = Callable[..., Done]
