# SPDX-License-Identifier: Apache-2.0
"""Starts the server, says when it is ready and what to try next."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from server.addresses import split_address
from server.app import VERSION, App
from server.cli.arguments import DEFAULT_SERVER
from server.cli.failures import Failure
from server.cli.plain import write_json_line
from server.config import DEFAULT_FILE, ConfigError, Settings, load
from server.forecasting.errors import UnreadableError
from server.process import run
from server.rpc.settings import RpcSettings
from server.storage.errors import StorageError

_EXAMPLE = "polymarket-4zgncn-20251026"
_REPLAY = "samples/books/nexousdt_spot_20240724"


def serve_until_told(
    config: Path | None, listen: str, as_json: bool, started_s: float, started: Callable[[], None]
) -> None:
    """Run the server in this process; ``started_s`` is when it was begun, by ``time.monotonic``.

    ``started`` is called once it serves.

    Raises:
        Failure: it cannot be started.
    """
    file = config or DEFAULT_FILE

    def ready(app: App) -> None:
        started()
        if as_json:
            write_json_line({"address": app.rpc.address, "metrics": app.metrics_address, "version": VERSION})
        else:
            sys.stdout.write(
                _words(app, file.resolve() == DEFAULT_FILE.resolve(), time.monotonic() - started_s)
            )
            sys.stdout.flush()

    try:
        run(_settings(file, listen), ready)
    except (ConfigError, StorageError, UnreadableError, OSError, ValueError) as error:
        raise Failure(str(error), as_json=as_json) from error


def _settings(file: Path, listen: str) -> Settings:
    settings = load(file)
    if not listen:
        return settings
    try:
        split_address(listen)
    except ValueError as error:
        raise ConfigError(f"--listen: {error}") from None
    changed = RpcSettings.model_validate({**settings.rpc.model_dump(), "listen": listen})
    return settings.model_copy(update={"rpc": changed})


def _words(app: App, quickstart: bool, seconds: float) -> str:
    settings = app.settings
    metrics = f", metrics at http://{app.metrics_address}/metrics" if app.metrics_address else ""
    return (
        f"Consilience {VERSION} is ready at {app.rpc.address} after {seconds:.1f} s: "
        f"{len(settings.forecasters)} forecasters, ensembles {', '.join(settings.ensembles)}{metrics}\n"
        f"Try next, in another terminal:\n{_next_steps(app, quickstart)}Ctrl-C stops it.\n"
    )


def _next_steps(app: App, quickstart: bool) -> str:
    command = "consilience" if shutil.which("consilience") else _own_path()
    where = "" if app.rpc.address == DEFAULT_SERVER else f" --server {app.rpc.address}"
    question = _EXAMPLE if quickstart else "ID"
    steps = [f"predict --list{where}", f"predict --question {question}{where}"]
    steps.append(f"stream --question {question}{where}")
    if app.settings.market.ensemble:
        steps.append(f"market --replay {_REPLAY if quickstart else 'FILE'}{where}")
    return "".join(f"  {command} {step}\n" for step in steps)


def _own_path() -> str:
    """How this command was called, seen from the working folder."""
    path = Path(sys.argv[0])
    if path.name == "__main__.py":
        return "python -m server.cli"
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
