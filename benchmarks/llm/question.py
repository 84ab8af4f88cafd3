# SPDX-License-Identifier: Apache-2.0
"""One real-looking question, and the very request that a member makes of it."""

from typing import Any

from server.forecasting.deadline import Deadline, SystemClock
from server.forecasting.query import Query
from server.forecasting.question import Question
from server.llm.completion import ChatRequest
from server.llm.failures import Parameter
from server.llm.flavours import FLAVOURS
from server.llm.privacy import allowed_fields
from server.llm.prompting import Prompter
from server.llm.settings import Format, Policy
from server.llm.wire.formats import make_wire

QUERY = Query(
    Question(
        "q",
        "Will the central bank lower its main interest rate before the end of the quarter?",
        background="Inflation has been falling for three months, and two members spoke of patience. " * 8,
        resolution_criteria="Decided by the bank's press release. " * 4,
    )
)


def body(model: str) -> dict[str, Any]:
    """The body that a member sends, to be sent by others too."""
    prompter = Prompter("forecast-1", {}, allowed_fields(Policy.STANDARD, None), SystemClock())
    messages = prompter.messages(QUERY, in_words=False)
    chat = ChatRequest(model, messages.system, messages.user, messages.schema, 512)
    nothing: frozenset[Parameter] = frozenset()
    return make_wire(Format.OPENAI_CHAT, FLAVOURS["openai"]).body(chat, nothing)


def deadline(seconds: float = 30.0) -> Deadline:
    """Far enough away to be no part of the measurement."""
    return Deadline.after(seconds, SystemClock())
