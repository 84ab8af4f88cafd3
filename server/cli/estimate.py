# SPDX-License-Identifier: Apache-2.0
"""``consilience estimate``: what a question would cost, before it is asked."""

from server.cli import arguments as given


def estimate(
    text: given.Text = None,
    question_id: given.QuestionId = "",
    outcomes: given.Outcomes = None,
    ensemble: given.Ensemble = "",
    members: given.Members = None,
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Show what a question would cost at most, and usually. Nobody is asked.

    A question is either one of the catalogue (--question ID) or TEXT of your own.
    """
    from consilience import Client, Options
    from server.cli.asking import question_of
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.cli.spend_view import show_estimate

    question = question_of(question_id, text, outcomes, None)
    options = Options()
    if ensemble:
        options["ensemble"] = ensemble
    if members:
        options["members"] = members
    with friendly(server, as_json), Client(server) as client:
        made = client.estimate_cost(question, **options)
    if as_json:
        write_json(made)
    else:
        show_estimate(console(), made)
