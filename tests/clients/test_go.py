# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
from pathlib import Path

import pytest

from benchmarks.serving import Served
from tests.clients.conftest import GO_CLIENT


@pytest.mark.slow
def test_the_go_client_by_itself(go: str) -> None:
    for command in (["build", "./..."], ["vet", "./..."], ["test", "./..."]):
        done = subprocess.run([go, *command], cwd=GO_CLIENT, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_message_and_field_of_the_contract_is_in_go() -> None:
    """The committed stubs are those of today's contract, as far as names go."""
    protos = GO_CLIENT.parents[1] / "protos" / "consilience" / "v1"
    for proto in protos.glob("*.proto"):
        contract = proto.read_text()
        generated = (GO_CLIENT / "consilience" / "v1" / f"{proto.stem}.pb.go").read_text()
        for name in re.findall(r"^message (\w+)", contract, re.MULTILINE):
            assert f"type {name} struct" in generated, f"{proto.name}: {name}; run `make proto-go`"
        for name in re.findall(r"^ +(?:repeated |optional )?[\w.]+ (\w+) = \d+;", contract, re.MULTILINE):
            assert f"name={name}," in generated, f"{proto.name}: {name}; run `make proto-go`"


def test_the_go_program_prints_a_table(served: Served, go_predict: Path) -> None:
    arguments = ["-server", served.address, "-question", "polymarket-4zgncn-20251026"]
    done = subprocess.run([go_predict, *arguments], capture_output=True, text=True, check=True)  # noqa: S603
    assert len(re.findall(r"^\S+ +\d+\.\d% +\d+\.\d% +[+-]\d+\.\d pp$", done.stdout, re.MULTILINE)) == 13
    assert re.search(r"^YES \d+\.\d%  [A-Z]+: ", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-question", "nope"], 1, "question 'nope' is not known"),
        ([], 2, "give either -question ID or a text"),
        (["-server", "127.0.0.1:1", "-question", "q"], 1, "no server answers at 127.0.0.1:1"),
    ],
)
def test_the_go_program_says_what_is_wrong(
    served: Served, go_predict: Path, arguments: list[str], code: int, words: str
) -> None:
    command = [go_predict, "-server", served.address, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
