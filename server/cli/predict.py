# SPDX-License-Identifier: Apache-2.0
"""``consilience predict``: ask an ensemble one question, or list the questions it knows."""

from typing import Annotated

import typer

from server.cli import arguments as given


def predict(
    text: given.Text = None,
    question_id: given.QuestionId = "",
    outcomes: given.Outcomes = None,
    market: given.MarketPrice = None,
    ensemble: given.Ensemble = "",
    pooling: given.Pooling = "",
    members: given.Members = None,
    deadline_s: given.Deadline = given.DEFAULT_DEADLINE_S,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="Print what each member gave as reason.")
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", help="List the questions of the catalogue instead.")
    ] = False,
    contains: Annotated[
        str, typer.Option("--contains", metavar="WORD", help="With --list: only questions with this in them.")
    ] = "",
    category: Annotated[
        str, typer.Option("--category", metavar="NAME", help="With --list: only this category.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1000, help="With --list: questions on a page.")
    ] = 20,
    page: Annotated[
        str, typer.Option("--page", metavar="TOKEN", help="With --list: the page that the last one named.")
    ] = "",
    server: given.Server = given.DEFAULT_SERVER,
    as_json: given.Json = False,
) -> None:
    """Ask an ensemble one question and show who said what.

    A question is either one of the catalogue (--question ID; --list shows them)
    or TEXT of your own. Where the outcome is known, it is shown with the Brier
    score of each member and of the ensemble (0 is perfect, 1 certain and wrong).
    """
    from consilience import Client
    from server.cli.asking import known_question, options_of, question_of
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.cli.prediction_view import show_prediction
    from server.cli.scores import scores_of

    if listing:
        _list(contains, category, limit, page, server, as_json)
        return
    question = question_of(question_id, text, outcomes, market)
    with friendly(server, as_json), Client(server) as client:
        prediction = client.predict(question, **options_of(ensemble, pooling, deadline_s, members))
        known = known_question(client, prediction.question_id) if question_id else question
    if as_json:
        write_json({"prediction": prediction, "question": known, "scores": scores_of(prediction, known)})
    else:
        show_prediction(console(), prediction, known, reasons)


def _list(contains: str, category: str, limit: int, page: str, server: str, as_json: bool) -> None:
    from consilience import Client
    from server.cli.failures import friendly
    from server.cli.looks import console
    from server.cli.plain import write_json
    from server.cli.questions_view import show_questions

    with friendly(server, as_json), Client(server) as client:
        found = client.list_questions(contains=contains, category=category, page_size=limit, page_token=page)
    if as_json:
        write_json(
            {
                "questions": found.items,
                "next_page_token": found.next_page_token,
                "total_size": found.total_size,
            }
        )
    else:
        words = [
            f'--contains "{contains}"' if contains else "",
            f'--category "{category}"' if category else "",
        ]
        filters = "".join(f" {word}" for word in words if word)
        show_questions(console(), found, f"consilience predict --list{filters} --limit {limit}")
