# SPDX-License-Identifier: Apache-2.0
"""``consilience status``: what the server is and how it is doing."""

from server.cli import arguments as given


def status(server: given.Server = given.DEFAULT_SERVER, as_json: given.Json = False) -> None:
    """Show what the server is, its ensembles, and the names that requests may use."""
    from consilience import Client
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.cli.status_view import show_status

    with friendly(server, as_json), Client(server) as client:
        found = client.admin.status()
    if as_json:
        write_json(found)
    else:
        show_status(console(), found, server)
