# SPDX-License-Identifier: Apache-2.0
"""Members by name and their places in a learner's arrays."""

import numpy as np

from server.learning.batches import Integers


class Roster:
    """Gives each name a place when it is first met; places never change."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._last: tuple[tuple[str, ...], Integers] = ((), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self._places)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order of their places."""
        return tuple(self._places)

    def places(self, names: tuple[str, ...]) -> Integers:
        """Where each of the names is, new ones included."""
        if self._last[0] != names:
            found = [self._places.setdefault(name, len(self._places)) for name in names]
            self._last = (names, np.array(found, dtype=np.int64))
        return self._last[1]
