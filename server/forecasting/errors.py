# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, free of any transport.

    ConsilienceError
    ├── InvalidRequestError       a field breaks a rule; names the field
    ├── NotFoundError             an ensemble, member, question or prediction
    ├── ConflictError             somebody else changed it (etag), or it exists
    ├── UnsupportedError          named in the contract, not built yet
    ├── OverloadedError           refused early; try again later
    ├── NoAnswerError             every member was absent
    ├── DeadlineError             no time left to begin with
    ├── RecordError               the answer could not be made durable
    ├── UnreadableError           what is stored cannot be read now
    ├── PluginError               a plug-in is broken
    ├── HaltedError               the server's mode of operation forbids it
    └── ShuttingDownError         the server is draining

Each has a ``reason`` from a closed vocabulary, shared by metrics and by the
faces. ``rpc/status.py`` and ``web/status.py`` map the classes; a test walks
all of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from server.forecasting.prediction import MemberAnswer
    from server.forecasting.transcript import Attempted


class ConsilienceError(Exception):
    """Root of all errors that a caller may see."""

    reason: ClassVar[str] = "internal"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One broken rule: the path of the field as in the contract, and the mend."""

    field: str
    description: str


class InvalidRequestError(ConsilienceError):
    """One or more fields break a rule."""

    reason = "invalid_request"

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__(
            "; ".join(f"{v.field}: {v.description}" if v.field else v.description for v in violations)
        )
        self.violations = violations

    @classmethod
    def of(cls, field: str, description: str) -> "InvalidRequestError":
        """Error for a single field."""
        return cls(FieldViolation(field, description))


class NotFoundError(ConsilienceError):
    """Something named does not exist."""

    reason = "not_found"

    def __init__(self, kind: str, name: str, known: str = "") -> None:
        super().__init__(f"{kind} {name!r} is not known{'; ' + known if known else ''}")
        self.kind = kind
        self.name = name


class ConflictError(ConsilienceError):
    """The thing was changed by somebody else, or exists already."""

    reason = "conflict"


class UnsupportedError(ConsilienceError):
    """Part of the contract that this server does not serve."""

    reason = "unsupported"


class OverloadedError(ConsilienceError):
    """Refused early, before any work was done."""

    reason = "overloaded"

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NoAnswerError(ConsilienceError):
    """Every member was absent. ``absences`` maps each to its reason; ``members`` are their parts.

    ``attempts`` are the calls that were made all the same.
    """

    reason = "no_answer"

    def __init__(
        self,
        absences: dict[str, str],
        members: "tuple[MemberAnswer, ...]" = (),
        attempts: "tuple[Attempted, ...]" = (),
    ) -> None:
        listed = ", ".join(f"{member} ({why})" for member, why in absences.items())
        super().__init__(f"no member answered: {listed or 'none was asked'}")
        self.absences = absences
        self.members = members
        self.attempts = attempts


class DeadlineError(ConsilienceError):
    """There is no time left."""

    reason = "deadline_exceeded"


class RecordError(ConsilienceError):
    """The answer exists but could not be written to disk in time."""

    reason = "record_failed"


class UnreadableError(ConsilienceError):
    """What is stored cannot be read now: the database is away, or not well."""

    reason = "record_unreadable"


class PluginError(ConsilienceError):
    """A pooling or selection of another package cannot be loaded, or broke its rules; names it."""

    reason = "plugin_failed"


class HaltedError(ConsilienceError):
    """The mode that the server is in leaves nobody to ask. ``mode`` is its name."""

    reason = "halted"

    def __init__(self, mode: str, message: str) -> None:
        super().__init__(message)
        self.mode = mode


class ShuttingDownError(ConsilienceError):
    """The server finishes what it has begun and takes nothing new."""

    reason = "shutting_down"
