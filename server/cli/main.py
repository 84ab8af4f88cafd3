# SPDX-License-Identifier: Apache-2.0
"""The ``consilience`` command. Each command has a file of its own and imports what it needs when it runs."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from server.cli import audit, budget, config, experiment, models, outcomes
from server.cli.backtest import backtest
from server.cli.commands import Commands
from server.cli.erase import erase
from server.cli.estimate import estimate
from server.cli.evaluate import evaluate
from server.cli.events import events
from server.cli.market import market
from server.cli.members import members
from server.cli.mode import mode
from server.cli.performance import performance
from server.cli.predict import predict
from server.cli.replay_prediction import replay
from server.cli.research import research
from server.cli.serve import serve
from server.cli.simulate import simulate
from server.cli.spend import spend
from server.cli.status import status
from server.cli.stream import stream
from server.cli.train import train

if TYPE_CHECKING:
    from server.cli.failures import Failure

app = Commands(
    name="consilience",
    help="Ask many forecasters one question and get one calibrated probability, inside a deadline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"consilience {version('consilience-server')}\n")
        raise typer.Exit


@app.callback()
def consilience(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Ask many forecasters one question and get one calibrated probability, inside a deadline."""
    del version


COMMANDS = (
    serve, predict, stream, market, members, status, spend, estimate, performance, replay, erase, simulate,
    evaluate, research, backtest,
    train, events, mode,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)
app.add_typer(config.app, name="config")
app.add_typer(budget.app, name="budget")
app.add_typer(outcomes.app, name="outcomes")
app.add_typer(models.app, name="models")
app.add_typer(audit.app, name="audit")
app.add_typer(experiment.app, name="experiment")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 all well, 1 it failed, 2 the command line is wrong, 130 stopped by Ctrl-C."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    raise SystemExit(_run(given))


def _run(arguments: Sequence[str]) -> int:
    """The exit code of one command; what went wrong is one line on standard error."""
    from server.cli.failures import FAILED, STOPPED, USAGE, Failure

    try:
        code = app(args=arguments, prog_name="consilience", standalone_mode=False)
    except Failure as failure:
        sys.stderr.write(_words(failure))
        return FAILED
    except TyperException as error:
        message = error.format_message().removeprefix("Invalid value: ")
        # Without a message the help was shown instead.
        if message:
            context = getattr(error, "ctx", None)
            command = "consilience" if context is None else context.command_path
            sys.stderr.write(_words(Failure(message, f"see: {command} --help", "--json" in arguments)))
        return USAGE
    except typer.Abort:
        return STOPPED
    return code if isinstance(code, int) else 0


def _words(failure: "Failure") -> str:
    if failure.as_json:
        return json.dumps({"error": failure.message, "hint": failure.hint, **failure.details}) + "\n"
    hint = f"\n  {failure.hint}" if failure.hint else ""
    return f"consilience: {failure.message}{hint}\n"
