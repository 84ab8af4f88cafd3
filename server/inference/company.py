# SPDX-License-Identifier: Apache-2.0
"""Whether those who were just answered will ask again at once, and how long that is worth waiting for.

A batch takes some time however small it is, so callers that ask again once they
were answered are served soonest all together; without a wait they fall apart
into many small batches that follow each other. Callers that come whenever they
like gain nothing by a wait. Which of the two they are, the waits themselves tell.
"""

#: How long the callers of a batch may take to come back, as a share of its time, and at most.
PATIENCE, MOST_PATIENCE_S = 0.3, 0.008
#: What is left of both for callers that do not come back.
LITTLE = 1 / 3
#: Less than this is not worth waiting for.
LEAST_PATIENCE_S = 0.0002
#: Share of waits that were not in vain below which callers are taken for those that do not come back,
ENOUGH = 0.5
#: the weight of the newest in it, and how often they are tried again.
NEWEST, TRIAL = 0.2, 8


class Company:
    """What to expect after a batch. Not for several threads at once."""

    def __init__(self, max_batch: int) -> None:
        self._max_batch = max_batch
        self._until_s = 0.0
        self._came = 1.0
        self._batches = 0
        self._in_full = True
        self.expected = 0

    def answered(self, items: int, waiting: int, taken_s: float, now_s: float) -> None:
        """A batch of ``items`` took ``taken_s``, while ``waiting`` others came."""
        self._batches += 1
        self._in_full = self._came >= ENOUGH or self._batches % TRIAL == 0
        patience_s = min(PATIENCE * taken_s, MOST_PATIENCE_S) * (1.0 if self._in_full else LITTLE)
        self.expected = min(items + waiting, self._max_batch)
        self._until_s = now_s + patience_s if patience_s >= LEAST_PATIENCE_S else 0.0

    def left_s(self, waiting: int, now_s: float) -> float:
        """How much longer those who wait may be kept for more to come; 0: not at all."""
        return max(0.0, self._until_s - now_s) if 0 < waiting < self.expected else 0.0

    def waited(self, waiting: int) -> None:
        """So many are there at the end of a wait."""
        if self._in_full:
            self._came += NEWEST * ((waiting >= self.expected) - self._came)
