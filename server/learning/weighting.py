# SPDX-License-Identifier: Apache-2.0
"""How members come to their weights: one small protocol, many names behind it."""

from typing import Protocol

from server.learning.batches import Asked, Floats, Resolved


class Weighting(Protocol):
    """Weights that are learned as time goes by.

    A learner sees only what is handed to it, in the order of time: ``watch`` when
    questions are asked, ``observe`` when outcomes become known, ``weights`` when
    a pool is made. It never asks for anything.
    """

    def watch(self, asked: Asked) -> None:
        """Take note of answers whose outcomes are still open."""
        ...

    def observe(self, resolved: Resolved) -> None:
        """Learn from outcomes that have become known."""
        ...

    def weights(self, asked: Asked) -> Floats:
        """(N, M), >= 0, each row summing to 1 over the members present, 0 for the absent."""
        ...


class Unwatching:
    """For weightings that learn from outcomes alone."""

    def watch(self, asked: Asked) -> None:
        """Open questions teach nothing here."""


class Unlearning:
    """For weightings that outcomes teach nothing."""

    def observe(self, resolved: Resolved) -> None:
        """Outcomes teach nothing here."""
