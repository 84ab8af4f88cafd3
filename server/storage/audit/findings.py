# SPDX-License-Identifier: Apache-2.0
"""What a verification finds."""

from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What is wrong, by a word of a closed list."""

    ALTERED = "altered"
    MISSING = "missing"
    TRUNCATED = "truncated"
    UNLISTED = "unlisted"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what, where, and a sentence about it."""

    fault: Fault
    where: str
    sentence: str


@dataclass(slots=True)
class Report:
    """What was looked at, and what is wrong with it."""

    writers: int = 0
    entries: int = 0
    predictions: int = 0
    outcomes: int = 0
    erased: int = 0
    older_predictions: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, fault: Fault, where: str, sentence: str) -> None:
        """Note something that is wrong."""
        self.findings.append(Finding(fault, where, sentence))

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings
