# SPDX-License-Identifier: Apache-2.0
"""``consilience members``: who is in an ensemble, and how they are doing."""

from server.cli import arguments as given


def members(
    ensemble: given.Ensemble = "",
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Show the members of an ensemble and how they are doing."""
    from consilience import Client
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.members_view import members_table
    from server.cli.plain import write_json

    with friendly(server, as_json), Client(server) as client:
        found = client.admin.members(ensemble)
    if as_json:
        write_json({"members": found})
    else:
        console().print(members_table(found))
