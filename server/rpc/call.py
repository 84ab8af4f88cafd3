# SPDX-License-Identifier: Apache-2.0
"""What a handler knows about the call that it answers, whatever carried it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.forecasting.deadline import Deadline
from server.forecasting.prediction import Trace
from server.rpc.trace_in import trace_from

#: Prefix of the metadata that carries a caller's own provider keys: "x-consilience-key-openai".
KEY_PREFIX = "x-consilience-key-"


@dataclass(frozen=True, slots=True)
class Call:
    """``deadline``: the caller's own, None where there is none."""

    deadline: Deadline | None = None
    caller: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def trace(self) -> Trace | None:
        """The caller's trace, if it brings one."""
        return trace_from(self.metadata)

    @property
    def keys(self) -> dict[str, str]:
        """The caller's own provider keys by provider name; never stored, logged or replayed."""
        return {
            name.removeprefix(KEY_PREFIX): value
            for name, value in self.metadata.items()
            if name.startswith(KEY_PREFIX)
        }
