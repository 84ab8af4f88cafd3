# SPDX-License-Identifier: Apache-2.0
"""Failures as one clear line and an exit code."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from consilience import ConsilienceError, DeadlineError, NoAnswerError, UnavailableError

#: Exit codes: something failed; the command line is wrong; Ctrl-C.
FAILED, USAGE, STOPPED = 1, 2, 130


@dataclass
class Failure(Exception):  # noqa: N818 - it is the outcome of a command, not a fault of ours
    """What went wrong, and what to do about it."""

    message: str
    hint: str = ""
    as_json: bool = False
    details: dict[str, object] = field(default_factory=dict)


@contextmanager
def friendly(server: str, as_json: bool) -> Iterator[None]:
    """Turn the client's errors into failures.

    Raises:
        Failure: a call failed.
    """
    try:
        yield
    except ConsilienceError as error:
        message, hint = _words(error, server)
        details: dict[str, object] = {
            "code": error.code,
            "reason": error.reason,
            "violations": [(each.field, each.description) for each in error.violations],
            "metadata": error.metadata,
        }
        raise Failure(message, hint, as_json, details) from error


def _words(error: ConsilienceError, server: str) -> tuple[str, str]:
    if isinstance(error, NoAnswerError):
        counts = Counter(error.metadata.values())
        why = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
        return f"no member answered: {why or 'none was asked'}", _absence_hint(set(counts))
    if isinstance(error, UnavailableError) and not error.reason:
        return f"no server answers at {server}", "start one with: consilience serve"
    if isinstance(error, DeadlineError):
        return f"{server} gave no answer in time", "allow more with --deadline SECONDS"
    return error.message, ""


def _absence_hint(reasons: set[str]) -> str:
    if reasons == {"not_applicable"}:
        return (
            "recorded members know only the questions of `consilience predict --list`, networks only order "
            "books (`consilience market`); the configuration file says how to add live models"
        )
    return "`consilience stream` shows what each member says of it" if reasons else ""
