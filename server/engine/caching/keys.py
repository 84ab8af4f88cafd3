# SPDX-License-Identifier: Apache-2.0
"""When two requests are the same request: everything that can move an answer is in the key."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter

from server.engine.ensembles import Ensemble
from server.engine.request import PredictionRequest
from server.forecasting.ensemble import Options
from server.forecasting.question import Question

#: Wishes that change when an answer comes and what is kept of it, not what it says.
_NO_MATTER = frozenset(
    {"ensemble", "deadline_s", "member_timeout_s", "hedge_delay_s", "durability", "max_age_s", "similar"}
)
_wishes = attrgetter(*(each.name for each in fields(Options) if each.name not in _NO_MATTER))
_DEFAULT_WISHES = _wishes(Options())
_content = attrgetter(
    "kind",
    "background",
    "resolution_criteria",
    "category",
    "as_of_time",
    "resolve_time",
    "stake_usd",
    "source",
    "url",
)
#: So that a caller's own key cannot be guessed from the memory of this process.
_SALT = secrets.token_bytes(16)

#: Answers of this tenant are for everybody.
EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Key:
    """``scope``: whose answer, of which ensemble, asked how; ``exact``: the same and the same question."""

    scope: bytes
    exact: bytes


def key_of(request: PredictionRequest, question: Question, ensemble: Ensemble, tenant: str) -> Key:
    """The key of a request for a question that has been identified."""
    wishes = _wishes(request.options)
    scope = _digest(
        (tenant, ensemble.spec.name, ensemble.version, "" if wishes == _DEFAULT_WISHES else _plain(wishes))
    )
    # An id that was made from the text says nothing that the text does not.
    own_id = question.id if request.question.id else ""
    words = " ".join(question.text.casefold().split())
    return Key(scope, _digest((scope, own_id, words, _content(question))))


def tenant_of(request: PredictionRequest, *, shared: bool) -> str:
    """Who may use the answer: the caller alone, and nobody else where the caller's own keys paid for it."""
    if request.keys:
        own = hashlib.blake2b(repr(sorted(request.keys.items())).encode(), digest_size=16, key=_SALT)
        return f"{request.caller}\0{own.hexdigest()}"
    return EVERYBODY if shared else request.caller


def _plain(wishes: tuple[object, ...]) -> str:
    """Mappings in order of their keys, whatever the order in which they were sent."""
    return repr([sorted(wish.items()) if isinstance(wish, Mapping) else wish for wish in wishes])


def _digest(parts: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=16).digest()
