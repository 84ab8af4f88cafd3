# SPDX-License-Identifier: Apache-2.0
"""What callers of the Open Inference Protocol are told when something is wrong.

Codes and texts are those of the protocol's reference server, which clients
match on, with one difference: a full queue is RESOURCE_EXHAUSTED and says when
to try again. There it is UNAVAILABLE, which clients repeat at once, into the
same queue.
"""

from collections.abc import Callable
from functools import lru_cache

from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2

from server.inference import errors
from server.rpc.bind import Refusal
from server.rpc.status import DOMAIN, StatusError
from server.rpc.times import duration

#: Sentence, of the model's name and our own error, for each class of errors.
_Sentence = Callable[[str, errors.InferenceError], str]

_TABLE: dict[type[errors.InferenceError], tuple[int, str, _Sentence]] = {
    errors.UnknownModelError: (
        code_pb2.NOT_FOUND,
        "NOT_FOUND",
        lambda name, error: f"Request for unknown model: {name!r} is not found: {error}",
    ),
    errors.ModelNotReadyError: (
        code_pb2.UNAVAILABLE,
        "DISABLED",
        lambda name, error: f"Request for model {name!r} that is not at ready state: {error}",
    ),
    errors.ModelLoadError: (
        code_pb2.INTERNAL,
        "INTERNAL",
        lambda name, error: f"failed to load {name!r}, {error}",
    ),
    errors.InvalidInputError: (code_pb2.INVALID_ARGUMENT, "INVALID_REQUEST", lambda _, error: str(error)),
    errors.QueueFullError: (
        code_pb2.RESOURCE_EXHAUSTED,
        "OVERLOADED",
        lambda _, error: f"Exceeds maximum queue size: {error}",
    ),
    errors.QueueTimeoutError: (
        code_pb2.UNAVAILABLE,
        "DEADLINE_EXCEEDED",
        lambda _, error: f"Request timeout expired: {error}",
    ),
    errors.ModelFailedError: (
        code_pb2.INTERNAL,
        "INTERNAL",
        lambda name, error: f"model {name!r} failed: {error}",
    ),
    errors.ControlError: (code_pb2.UNAVAILABLE, "DISABLED", lambda _, error: str(error)),
}


def invalid(message: str) -> StatusError:
    """INVALID_ARGUMENT."""
    return StatusError.of(code_pb2.INVALID_ARGUMENT, message, [_info("INVALID_REQUEST")])


def not_found(message: str) -> StatusError:
    """NOT_FOUND."""
    return StatusError.of(code_pb2.NOT_FOUND, message, [_info("NOT_FOUND")])


def unimplemented(message: str) -> StatusError:
    """UNIMPLEMENTED."""
    return StatusError.of(code_pb2.UNIMPLEMENTED, message, [_info("UNSUPPORTED")])


def internal(message: str) -> StatusError:
    """INTERNAL, with a text that callers may see."""
    return StatusError.of(code_pb2.INTERNAL, message, [_info("INTERNAL")])


def fault(error: errors.InferenceError, model: str) -> StatusError:
    """An error of the inference room as the protocol tells it."""
    code, reason, sentence = _TABLE[type(error)]
    details: list[Message] = [_info(reason)]
    if isinstance(error, errors.QueueFullError):
        details.append(error_details_pb2.RetryInfo(retry_delay=duration(error.retry_after_s)))
    return StatusError.of(code, sentence(model, error), details)


def full(error: errors.QueueFullError, model: str) -> Refusal:
    """``fault`` of a full queue, ready to be sent; made once for all who are told the same."""
    return _full(str(error), round(error.retry_after_s, 3) or 0.001, model)


@lru_cache(maxsize=64)
def _full(message: str, retry_after_s: float, model: str) -> Refusal:
    return Refusal.of(fault(errors.QueueFullError(message, retry_after_s), model).status)


def _info(reason: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)
