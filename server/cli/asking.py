# SPDX-License-Identifier: Apache-2.0
"""From the command line to a question, and back to what is known about it."""

from collections.abc import Sequence

import typer

from consilience import Client, Exclusive, NotFoundError, Options, Question


def question_of(
    question_id: str, text: Sequence[str] | None, outcomes: Sequence[str] | None, market: float | None
) -> Question:
    """The question that the command line asks.

    Raises:
        typer.BadParameter: there is none, or there are two.
    """
    words = " ".join(text or ()).strip()
    if bool(question_id) == bool(words):
        raise typer.BadParameter(
            "ask either --question ID or TEXT, for example: "
            "consilience predict --question ID (`--list` shows the ids)"
        )
    if question_id and (outcomes or market is not None):
        raise typer.BadParameter("--outcome and --market go with TEXT; a question with an ID has its own")
    if not outcomes:
        return Question(words, question_id, market_probability=market)
    return Question(words, kind=Exclusive(tuple(outcomes)), market_probability=market)


def options_of(ensemble: str, pooling: str, deadline_s: float, members: Sequence[str] | None) -> Options:
    """Options of the call; what is empty is left out."""
    options = Options(deadline_s=deadline_s)
    if ensemble:
        options["ensemble"] = ensemble
    if pooling:
        options["pooling"] = pooling
    if members:
        options["members"] = members
    return options


def known_question(client: Client, question_id: str) -> Question | None:
    """What the catalogue knows of a question; None where it does not know it."""
    try:
        return client.get_question(question_id)
    except NotFoundError:
        return None
