# SPDX-License-Identifier: Apache-2.0
"""``consilience config check``: is this configuration good?"""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import arguments as given
from server.cli.commands import Commands

app = Commands(help="Look at configuration files.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Look at configuration files."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A configuration in TOML.")],
    as_json: given.Json = False,
) -> None:
    """Read a configuration, with the environment laid over it, and say what is wrong or what it has.

    Nothing is opened and nobody is asked. Secrets that the configuration refers
    to and that are not there are listed; their values are never shown.
    """
    from server.cli.config_view import Checked, show_checked
    from server.cli.failures import Failure
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.config import ConfigError, load

    try:
        checked = Checked.of(file, load(file))
    except ConfigError as error:
        raise Failure(str(error), as_json=as_json) from error
    if as_json:
        write_json(checked)
    else:
        show_checked(console(), checked)
