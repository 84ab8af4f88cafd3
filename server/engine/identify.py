# SPDX-License-Identifier: Apache-2.0
"""Which question is meant."""

import hashlib
from dataclasses import replace

from server.forecasting.errors import InvalidRequestError, NotFoundError
from server.forecasting.ports import QuestionCatalogue
from server.forecasting.question import Question


def identify(question: Question, catalogue: QuestionCatalogue) -> Question:
    """The question with an id and a text.

    An id alone is looked up in the catalogue; what the caller adds to it (stake,
    price, instant) wins over the catalogue. A text alone gets an id from its content.

    Raises:
        NotFoundError: an id without a text is not in the catalogue.
        InvalidRequestError: there is neither.
    """
    if question.text:
        return question if question.id else replace(question, id=content_id(question))
    if not question.id:
        raise InvalidRequestError.of("question", "give an id that the catalogue knows, or a text")
    known = catalogue.get(question.id)
    if known is None:
        raise NotFoundError(
            "question", question.id, "ListQuestions lists the known ones; a new one needs a text"
        )
    return replace(
        known,
        stake_usd=question.stake_usd or known.stake_usd,
        market_probability=known.market_probability
        if question.market_probability is None
        else question.market_probability,
        market_time=question.market_time or known.market_time,
        as_of_time=question.as_of_time or known.as_of_time,
    )


def content_id(question: Question) -> str:
    """An id that equal questions share: "q-" and 16 hexadecimal digits of a hash."""
    content = repr((question.text, question.kind, question.resolution_criteria, question.as_of_time))
    return "q-" + hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
