# SPDX-License-Identifier: Apache-2.0
"""A network that a test holds and lets go."""

import threading

import numpy as np

from models.manifest import Manifest
from tests.models.shipped import BARE

WAIT_S = 20.0


class Gate:
    """Answers each item with its own first value; stops before each batch while ``hold`` is set.

    ``batches`` records the values of every batch that was run. An item of 13 raises.
    """

    manifest = Manifest.model_validate(BARE)

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[float]] = []
        self.entered = threading.Semaphore(0)
        self._open = threading.Event()
        if not held:
            self._open.set()

    def run(self, inputs):
        self.entered.release()
        assert self._open.wait(WAIT_S), "the test never opened the gate"
        values = inputs[:, 0]
        self.batches.append(values.tolist())
        if (values == 13.0).any():
            raise ArithmeticError("thirteen")
        return values[:, None, None] * np.ones((1, 1, 3), np.float32), values[:, None], values[:, None]

    def hold(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def wait_until_entered(self) -> None:
        assert self.entered.acquire(timeout=WAIT_S), "no batch arrived"


def item(value: float, count: int = 1):
    """The only input: ``count`` items of one value."""
    return (np.full((count, 1), value, np.float32),)
