# SPDX-License-Identifier: Apache-2.0
"""Examples in batches: what a network sees beside what it is to say."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kernels import windows
from kernels.windows import EncodedRows
from models.encoding import BOOK_ROWS, Encoding, mirrored
from models.training.recordings import Recording
from models.training.targets import Targets

Rows = NDArray[np.int64]
UP = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """B examples: inputs (B, *shape) float32, directions (B, H) int64, returns (B, H) bps."""

    inputs: Tensor
    directions: Tensor
    returns_bps: Tensor

    def to(self, device: str) -> "Batch":
        """The same on another device."""
        return Batch(self.inputs.to(device), self.directions.to(device), self.returns_bps.to(device))


class Inputs(Protocol):
    """The inputs of a recording, one item for each row at which a window can end."""

    encoding: Encoding
    window: int

    def read(self, rows: Rows) -> NDArray[np.float32]:
        """Items that end at ``rows``: (B, *shape) float32."""
        ...

    def read_mirrored(self, rows: Rows) -> NDArray[np.float32] | None:
        """The same with bids and asks exchanged; None where that has no meaning."""
        ...


class BookInputs:
    """Windows of an encoded book."""

    encoding = Encoding.BOOK_WINDOW
    window = BOOK_ROWS

    def __init__(self, recording: Recording) -> None:
        tables = (recording.ask_px, recording.ask_qty, recording.bid_px, recording.bid_qty)
        self._rows: EncodedRows = windows.encode_rows(*tables, lot_size=recording.lot_size)
        self._mirrored = mirrored(self._rows)

    def read(self, rows: Rows) -> NDArray[np.float32]:
        """Windows (B, 100, 20, 4)."""
        return self._rows.windows(rows)

    def read_mirrored(self, rows: Rows) -> NDArray[np.float32]:
        """Mirrored windows (B, 100, 20, 4)."""
        return self._mirrored.windows(rows)


class Examples:
    """Inputs and targets of one recording, by row."""

    def __init__(self, inputs: Inputs, targets: Targets) -> None:
        self.inputs = inputs
        self.targets = targets
        self._directions = torch.from_numpy(targets.directions)
        self._returns = torch.from_numpy(targets.returns_bps)

    def batch(self, rows: Rows, *, mirrored: int = 0) -> Batch:
        """The examples at ``rows``; the last ``mirrored`` of them mirrored, where that has a meaning."""
        plain = len(rows) - mirrored
        reflected = self.inputs.read_mirrored(rows[plain:]) if mirrored else None
        directions, returns = self._directions[rows].clone(), self._returns[rows].clone()
        if reflected is None:
            return Batch(torch.from_numpy(self.inputs.read(rows)), directions, returns)
        joined = np.concatenate((self.inputs.read(rows[:plain]), reflected))
        tail = directions[plain:]
        directions[plain:] = torch.where(tail >= 0, UP - tail, tail)
        returns[plain:] *= -1.0
        return Batch(torch.from_numpy(joined), directions, returns)
