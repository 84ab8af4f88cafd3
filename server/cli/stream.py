# SPDX-License-Identifier: Apache-2.0
"""``consilience stream``: watch an answer form, member by member."""

from server.cli import arguments as given


def stream(
    text: given.Text = None,
    question_id: given.QuestionId = "",
    outcomes: given.Outcomes = None,
    market: given.MarketPrice = None,
    ensemble: given.Ensemble = "",
    pooling: given.Pooling = "",
    members: given.Members = None,
    deadline_s: given.Deadline = given.DEFAULT_DEADLINE_S,
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Ask one question and watch the members arrive and the consensus move.

    On a terminal the table changes in place; elsewhere each arrival is a line.
    With --json each event is one line of JSON.
    """
    import sys

    from consilience import Client, Prediction
    from server.cli.asking import known_question, options_of, question_of
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.prediction_view import heading, summary
    from server.cli.stream_view import Plain, Table, as_line

    question = question_of(question_id, text, outcomes, market)
    options = options_of(ensemble, pooling, deadline_s, members)
    with friendly(server, as_json), Client(server) as client:
        known = known_question(client, question_id) if question_id else question
        with client.stream(question, **options) as events:
            if as_json:
                for event in events:
                    as_line(event)
                return
            out = console()
            if known is not None:
                out.print(heading(known))
            with Table(out) if sys.stdout.isatty() else Plain(out) as view:
                for event in events:
                    view.show(event)
                    if isinstance(event, Prediction):
                        answer = event
    out.print(summary(answer, known))
