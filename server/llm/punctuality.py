# SPDX-License-Identifier: Apache-2.0
"""Whether a time-out says something of the provider, or only of us.

A process with more to do than it can reads answers late, and a caller in a hurry
leaves less time than the model ever needs. Neither is the provider's fault: counted
as failures, they would open every circuit at once just when the server is busiest.
"""

from server.llm.endpoint import Endpoint

#: A time-out that fires so much after its time was held up by this process.
LATE_S = 0.1


class Punctuality:
    """How late the event loop has been, as far as its own time-outs show."""

    def __init__(self) -> None:
        self._late_until_s = float("-inf")

    def fired(self, due_s: float, now_s: float) -> None:
        """A time-out was due and has fired. The most belated of a round fires first, so the others know."""
        if now_s - due_s > LATE_S:
            self._late_until_s = now_s

    def is_fair(self, endpoint: Endpoint, begun_s: float, due_s: float) -> bool:
        """Whether a call begun then had the time that the model usually takes, and we time to read."""
        if self._late_until_s >= begun_s:
            return False
        return due_s - begun_s >= endpoint.typical_s()
