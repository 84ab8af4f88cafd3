# SPDX-License-Identifier: Apache-2.0
import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from consilience import (
    AuthenticationError,
    ConflictError,
    ConsilienceError,
    DeadlineError,
    FieldViolation,
    InvalidRequestError,
    NoAnswerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RecordError,
    ServerError,
    UnavailableError,
    UnsupportedError,
    errors,
)
from tests.sdk.conftest import Ask, Served


def status(code: int, message: str, *details: Message) -> status_pb2.Status:
    packed = []
    for detail in details:
        packed.append(AnyMessage())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code, message=message, details=packed)


def info(reason: str, domain: str = "consilience", **metadata: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata)


async def test_violations_name_their_fields(ask: Ask, served: Served) -> None:
    violation = error_details_pb2.BadRequest.FieldViolation(field="weights[1]", description="must be >= 0")
    bad = error_details_pb2.BadRequest(field_violations=[violation])
    served.answering.failures = [
        status(code_pb2.INVALID_ARGUMENT, "weights[1]: must be >= 0", bad, info("INVALID_REQUEST"))
    ]
    with pytest.raises(InvalidRequestError) as caught:
        await ask("aggregate", [0.5], weights=[-1.0])
    assert caught.value.violations == (FieldViolation("weights[1]", "must be >= 0"),)
    assert (caught.value.reason, caught.value.code) == ("INVALID_REQUEST", "INVALID_ARGUMENT")


async def test_overload_says_when_to_come_back(ask: Ask, served: Served) -> None:
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    served.answering.failures = [status(code_pb2.RESOURCE_EXHAUSTED, "busy", info("OVERLOADED"), retry)]
    with pytest.raises(OverloadedError, match="busy") as caught:
        await ask("predict", "Will it?")
    assert caught.value.retry_after_s == 1.5


async def test_no_answer_tells_the_members_reasons(ask: Ask, served: Served) -> None:
    nobody = status(code_pb2.UNAVAILABLE, "no member answered", info("NO_ANSWER", gpt="provider_timeout"))
    served.answering.failures = [nobody] * 4
    with pytest.raises(NoAnswerError) as caught:
        await ask("predict", "Will it?")
    assert caught.value.metadata == {"gpt": "provider_timeout"}


async def test_a_record_that_failed(ask: Ask, served: Served) -> None:
    served.answering.failures = [status(code_pb2.INTERNAL, "not durable", info("RECORD_FAILED"))]
    with pytest.raises(RecordError):
        await ask("predict", "Will it?")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequestError),
        (grpc.StatusCode.NOT_FOUND, NotFoundError),
        (grpc.StatusCode.ABORTED, ConflictError),
        (grpc.StatusCode.ALREADY_EXISTS, ConflictError),
        (grpc.StatusCode.UNIMPLEMENTED, UnsupportedError),
        (grpc.StatusCode.UNAUTHENTICATED, AuthenticationError),
        (grpc.StatusCode.PERMISSION_DENIED, PermissionDeniedError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, OverloadedError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, DeadlineError),
        (grpc.StatusCode.UNAVAILABLE, UnavailableError),
        (grpc.StatusCode.INTERNAL, ServerError),
        (grpc.StatusCode.UNKNOWN, ServerError),
    ],
)
def test_a_bare_status_has_its_error(code: grpc.StatusCode, kind: type[ConsilienceError]) -> None:
    error = errors.from_status(code, "said so", None)
    assert type(error) is kind
    assert (str(error), error.reason, error.violations) == ("said so", "", ())


def test_every_status_has_an_error_with_a_message() -> None:
    for code in grpc.StatusCode:
        assert str(errors.from_status(code, None, ()))


def test_reasons_of_other_domains_are_not_ours() -> None:
    foreign = status(code_pb2.UNAVAILABLE, "proxy", info("NO_ANSWER", domain="envoy"))
    trailing = (("grpc-status-details-bin", foreign.SerializeToString()),)
    error = errors.from_status(grpc.StatusCode.UNAVAILABLE, "proxy", trailing)
    assert (type(error), error.reason) == (UnavailableError, "")
