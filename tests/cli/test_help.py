# SPDX-License-Identifier: Apache-2.0
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from server.cli.main import app
from tests.cli.conftest import Run

DOCUMENT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


def _walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _walk(inner, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(_walk(typer.main.get_command(app), "consilience"))


@pytest.mark.parametrize("path", ["consilience", "consilience outcomes", *COMMANDS])
def test_a_flag_is_not_said_to_take_a_value(path: str, run: Run) -> None:
    shown = run(*path.split()[1:], "--help").out
    assert "--help" in shown
    assert "bool" not in shown


def _section(path: str) -> str:
    found = re.search(rf"^## `{path}`\n(.*?)(?=^## |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE)
    return found.group(1) if found else ""


def test_all_commands_are_there() -> None:
    names = {path.removeprefix("consilience ") for path in COMMANDS}
    assert names == {
        "serve",
        "predict",
        "stream",
        "market",
        "members",
        "events",
        "mode",
        "status",
        "spend",
        "estimate",
        "budget set",
        "budget remove",
        "simulate",
        "evaluate",
        "replay",
        "erase",
        "audit verify",
        "audit checkpoint",
        "audit transcript",
        "experiment list",
        "experiment report",
        "experiment promote",
        "experiment rollback",
        "experiment resume",
        "research",
        "backtest",
        "train",
        "models evaluate",
        "config check",
        "outcomes record",
        "outcomes import",
        "outcomes recorded",
        "performance",
    }


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_and_a_page(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    section = _section(path)
    assert section, f"docs/cli.md has no section `{path}`"
    for option in command.params:
        if option.name == "help" or option.param_type_name == "argument":
            continue
        assert option.help, f"{path} {option.opts}"
        assert f"`{option.opts[0]}" in section, f"docs/cli.md: {path} {option.opts[0]}"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_speaks_json(path: str) -> None:
    assert "--json" in [name for option in COMMANDS[path].params for name in option.opts]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_can_be_shown(path: str, run: Run) -> None:
    done = run(*path.split()[1:], "--help")
    assert done.code == 0
    assert "Usage" in done.out


def test_the_version(run: Run) -> None:
    assert re.match(r"consilience \d+\.\d+", run("--version").out)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, server.cli.main\n"
        "heavy = {'grpc', 'numpy', 'torch', 'numba', 'polars', 'sqlalchemy', 'pydantic', 'consilience'}\n"
        "print(*sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("arguments", "words", "see"),
    [
        (["predict"], "ask either --question ID or TEXT", "consilience predict --help"),
        (["predict", "--deadline", "-1", "x"], "'--deadline'", "consilience predict --help"),
        (["nothing"], "No such command 'nothing'", "consilience --help"),
        (["budget", "set", "day"], "Missing argument 'USD'", "consilience budget set --help"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_where_to_look(
    arguments: list[str], words: str, see: str, run: Run
) -> None:
    done = run(*arguments)
    message, hint = done.err.splitlines()
    assert done.code == 2
    assert message.startswith("consilience: ")
    assert words in message
    assert hint == f"  see: {see}"
    machine = json.loads(run(*arguments, "--json").err)
    assert words in machine["error"]


def test_a_group_without_a_command_shows_its_help(run: Run) -> None:
    done = run("budget")
    assert "Usage: consilience budget" in done.out
    assert done.err == ""
