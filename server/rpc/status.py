# SPDX-License-Identifier: Apache-2.0
"""Our errors as gRPC statuses: one table, and the rich details beside it."""

import secrets
from collections.abc import Iterable

import grpc
import structlog
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.forecasting import errors
from server.rpc.brief import absences, bad_request, brief
from server.rpc.times import duration

log = structlog.get_logger(__name__)

DOMAIN = "consilience"

CODES: dict[type[errors.ConsilienceError], int] = {
    errors.InvalidRequestError: code_pb2.INVALID_ARGUMENT,
    errors.NotFoundError: code_pb2.NOT_FOUND,
    errors.ConflictError: code_pb2.ABORTED,
    errors.UnsupportedError: code_pb2.UNIMPLEMENTED,
    errors.OverloadedError: code_pb2.RESOURCE_EXHAUSTED,
    errors.NoAnswerError: code_pb2.UNAVAILABLE,
    errors.DeadlineError: code_pb2.DEADLINE_EXCEEDED,
    errors.RecordError: code_pb2.UNAVAILABLE,
    errors.UnreadableError: code_pb2.UNAVAILABLE,
    errors.PluginError: code_pb2.INTERNAL,
    errors.HaltedError: code_pb2.UNAVAILABLE,
    errors.ShuttingDownError: code_pb2.UNAVAILABLE,
}
_GRPC_CODES = {code.value[0]: code for code in grpc.StatusCode}


class StatusError(Exception):
    """An error that brings its status along, for a contract that prescribes code and text."""

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(status.message)
        self.status = status

    @classmethod
    def of(cls, code: int, message: str, details: Iterable[Message]) -> "StatusError":
        """Made of a code, a text and details."""
        packed = [_packed(detail) for detail in details]
        return cls(status_pb2.Status(code=code, message=brief(message), details=packed))


def status_of(error: Exception) -> status_pb2.Status:
    """The status of an error; an unknown one is logged with an id and answered without its text."""
    if isinstance(error, StatusError):
        return error.status
    if not isinstance(error, errors.ConsilienceError):
        return _unknown(error)
    info = error_details_pb2.ErrorInfo(reason=error.reason.upper(), domain=DOMAIN)
    details: list[Message] = [info]
    if isinstance(error, errors.InvalidRequestError):
        told = bad_request(error.violations)
        details.insert(0, told)
        if len(told.field_violations) < len(error.violations):
            info.metadata["violations"] = str(len(error.violations))
    elif isinstance(error, errors.OverloadedError):
        details.append(error_details_pb2.RetryInfo(retry_delay=duration(error.retry_after_s)))
    elif isinstance(error, errors.NoAnswerError):
        info.metadata.update(absences(error.absences))
    elif isinstance(error, errors.HaltedError):
        info.metadata["mode"] = error.mode
    return status_pb2.Status(
        code=CODES[type(error)], message=brief(str(error)), details=[_packed(d) for d in details]
    )


def grpc_code(status: status_pb2.Status) -> grpc.StatusCode:
    """The status's code as grpc spells it."""
    return _GRPC_CODES[status.code]


def _unknown(error: Exception) -> status_pb2.Status:
    error_id = secrets.token_hex(6)
    log.error("unexpected_error", error_id=error_id, exc_info=error)
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"error_id": error_id})
    return status_pb2.Status(
        code=code_pb2.INTERNAL,
        message=f"internal error {error_id}; the server's log has it",
        details=[_packed(info)],
    )


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
