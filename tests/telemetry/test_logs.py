# SPDX-License-Identifier: Apache-2.0
"""A crash in the log shows where it happened, and no local variable."""

from collections.abc import Iterator

import pytest
import structlog

from server.telemetry.logs import configure_logs
from server.telemetry.settings import TelemetrySettings

KEY = "sk-local-9a8b7c6d5e4f"


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def careless() -> None:
    """Has a key in its hands when it dies."""
    own_key = "".join(("sk-local-", "9a8b7c6d5e4f"))
    raise ZeroDivisionError(len(own_key))


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_variables(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(TelemetrySettings(log_level="debug", log_format=log_format))  # type: ignore[arg-type]
    try:
        careless()
    except ZeroDivisionError as error:
        structlog.get_logger().error("member_failed", exc_info=error)
    seen = capsys.readouterr().err
    assert "ZeroDivisionError" in seen
    assert "test_logs.py" in seen
    assert KEY not in seen
