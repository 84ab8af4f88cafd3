# SPDX-License-Identifier: Apache-2.0
"""An attempt for the prediction's own record: with its texts, and without any key."""

from server.forecasting.transcript import Attempted, Scribe, SentPrompt
from server.llm.attempts import Attempt
from server.llm.keys import Key
from server.llm.prompting import Messages
from server.llm.secrets import blotted


def sent_prompt(messages: Messages, key: Key, *, in_words: bool) -> SentPrompt:
    """What was sent; ``in_words``: the schema is in the text and not beside it."""
    schema = "" if in_words else messages.schema.text
    return SentPrompt(without_key(messages.system, key), without_key(messages.user, key), schema)


def without_key(text: str, key: Key) -> str:
    """The text with the key blotted out, should somebody have written it there."""
    return blotted(text, key.secret.reveal())


def take_down(scribe: Scribe, attempt: Attempt, begun_s: float, prompt: SentPrompt, said: str) -> None:
    """Have the scribe note an attempt that began then and brought ``said``, the model's own text."""
    place = scribe.placed(prompt)
    answer, is_cut = scribe.kept(said)
    noted = Attempted(
        member=attempt.member,
        provider=attempt.provider,
        model=attempt.model,
        after_s=scribe.after_s(begun_s),
        latency_s=attempt.latency_s,
        reason="" if attempt.reason is None else attempt.reason.value,
        detail=attempt.detail,
        status=attempt.status,
        answered_by=attempt.answered_by,
        response_id=attempt.response_id,
        usage=attempt.usage,
        cost=attempt.cost,
        prompt=place,
        answer=answer,
        is_cut=is_cut,
    )
    scribe.note(noted)
