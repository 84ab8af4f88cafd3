# SPDX-License-Identifier: Apache-2.0
import grpc
import pytest

from benchmarks.serving import Served
from consilience import Client, NoAnswerError


def test_members_that_did_not_answer_are_not_asked_again(served: Served) -> None:
    """UNAVAILABLE is repeated by clients, unless the server says that it makes no sense."""
    with Client(served.address, deadline_s=10) as client, pytest.raises(NoAnswerError) as caught:
        client.predict("Will nobody answer this?")
    cause = caught.value.__cause__
    assert isinstance(cause, grpc.Call)
    assert ("grpc-retry-pushback-ms", "-1") in cause.trailing_metadata()
