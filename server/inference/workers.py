# SPDX-License-Identifier: Apache-2.0
"""The threads that run networks, so that the event loop never does.

Each runs one network at a time on one core: several requests on several cores
beat one request on all of them, and the numbers do not depend on the count.
"""

import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue

import torch

Task = Callable[[], None]
#: How far the threads stand behind the event loop in the scheduler: a third of its share of a core.
NICENESS = 5


class Workers:
    """A fixed number of threads that work off one queue of tasks, in order."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        torch.set_num_threads(1)
        self._threads = [
            threading.Thread(target=self._work, name=f"network-{n}", daemon=True) for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def post(self, task: Task) -> None:
        """Queue a task. It must not raise."""
        self._tasks.put(task)

    @property
    def wanted(self) -> bool:
        """Whether a task waits for a thread."""
        return not self._tasks.empty()

    def close(self) -> None:
        """End the threads after what is queued. Blocks until they have ended."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        torch.set_num_threads(1)
        _step_back()
        while (task := self._tasks.get()) is not None:
            task()


def _step_back() -> None:
    """Let this thread give way to the event loop where they share a core (Linux: threads have priorities).

    Otherwise a flood of requests waits behind the network's arithmetic until
    none of them can be answered in time, not even by a refusal.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + NICENESS)
