# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, named by what happened.

    ConsilienceError
    ├── InvalidRequestError     a field breaks a rule; ``violations`` names it
    ├── NotFoundError           an ensemble, member, question or prediction
    ├── ConflictError           somebody else changed it, or it exists
    ├── UnsupportedError        named in the contract, not served
    ├── AuthenticationError     no token or certificate, or not a good one
    ├── PermissionDeniedError   known, but not allowed to
    ├── OverloadedError         refused early; ``retry_after_s`` says when to come back
    ├── DeadlineError           no answer in time
    ├── UnavailableError        no connection, or the server is shutting down
    │   └── NoAnswerError       every member was absent
    └── ServerError             a fault of the server
        └── RecordError         there is an answer, but no durable record of it

Each has ``code`` (the gRPC status name), ``reason`` (from the closed list that
the server's metrics use too; empty when the error was found on this side) and
``metadata`` (more about the reason, by name).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2, status_pb2

from consilience._times import to_seconds

__all__ = [
    "AuthenticationError",
    "ConflictError",
    "ConsilienceError",
    "DeadlineError",
    "FieldViolation",
    "InvalidRequestError",
    "NoAnswerError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "RecordError",
    "ServerError",
    "UnavailableError",
    "UnsupportedError",
]

_DOMAIN = "consilience"
_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One broken rule: the path of the field as in the contract, and the mend."""

    field: str
    description: str


class ConsilienceError(Exception):
    """Root of all errors of this package."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = violations
        self.retry_after_s = retry_after_s


class InvalidRequestError(ConsilienceError):
    """One or more fields break a rule."""


class NotFoundError(ConsilienceError):
    """Something named does not exist."""


class ConflictError(ConsilienceError):
    """The thing was changed by somebody else, or exists already."""


class UnsupportedError(ConsilienceError):
    """Part of the contract that this server does not serve."""


class AuthenticationError(ConsilienceError):
    """No credentials, or none that the server knows."""


class PermissionDeniedError(ConsilienceError):
    """The caller is known and may not do this."""


class OverloadedError(ConsilienceError):
    """Refused before any work was done."""


class DeadlineError(ConsilienceError):
    """No answer in time."""


class UnavailableError(ConsilienceError):
    """No connection, or a server that takes nothing new."""


class NoAnswerError(UnavailableError):
    """Every member was absent."""


class ServerError(ConsilienceError):
    """A fault of the server, or a status that this package does not know."""


class RecordError(ServerError):
    """The answer exists but could not be written to disk in time."""


_BY_REASON: dict[str, type[ConsilienceError]] = {
    "NO_ANSWER": NoAnswerError,
    "OVERLOADED": OverloadedError,
    "RECORD_FAILED": RecordError,
}

_BY_CODE: dict[grpc.StatusCode, type[ConsilienceError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: ConflictError,
    grpc.StatusCode.ABORTED: ConflictError,
    grpc.StatusCode.FAILED_PRECONDITION: ConflictError,
    grpc.StatusCode.UNIMPLEMENTED: UnsupportedError,
    grpc.StatusCode.UNAUTHENTICATED: AuthenticationError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
}


def from_status(
    code: grpc.StatusCode, details: str | None, trailing: Iterable[tuple[str, str | bytes]] | None
) -> ConsilienceError:
    """The error for a status, with what its ``google.rpc.Status`` says."""
    status = _status(trailing or ())
    info = error_details_pb2.ErrorInfo()
    violations: tuple[FieldViolation, ...] = ()
    retry_after_s: float | None = None
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            violations = _violations(detail.value)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo.FromString(detail.value)
            retry_after_s = to_seconds(retry.retry_delay)
    reason = info.reason if info.domain == _DOMAIN else ""
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, ServerError)
    return kind(
        status.message or details or code.name,
        code=code.name,
        reason=reason,
        metadata=info.metadata,
        violations=violations,
        retry_after_s=retry_after_s,
    )


def _status(trailing: Iterable[tuple[str, str | bytes]]) -> status_pb2.Status:
    for key, value in trailing:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def _violations(value: bytes) -> tuple[FieldViolation, ...]:
    bad = error_details_pb2.BadRequest.FromString(value)
    return tuple(FieldViolation(each.field, each.description) for each in bad.field_violations)
