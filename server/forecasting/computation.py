# SPDX-License-Identifier: Apache-2.0
"""Everything besides the members' answers that an ensemble's answer was computed from.

With the answers it is enough to compute the same bits again, whatever is
configured or learned by then.
"""

import base64
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Computation:
    """What was pooled, how, and under which thresholds.

    ``seats`` are the members asked, in the matrix's row order; ``weights`` (M,)
    went into the pool as they are. ``matrix`` is the (M, C) input, packed by
    ``packed``; a NaN row is an absent member. ``parameters`` are the pooling's,
    defaults written out. ``curve`` is a ``CalibrationMethod`` in lower case.
    ``build`` names the machine code, see ``kernels.build``. ``coverage`` is the strangeness
    that the truth stays below with ``coverage_level``; 0: not known. ``independent_members``
    is what the members' weights and the correlation of their errors came to; None: not known.
    """

    pooling: str
    seats: tuple[str, ...]
    weights: tuple[float, ...]
    min_confidences: tuple[float, ...]
    matrix: str
    min_responses: int
    min_agreement: float
    high_agreement: float
    parameters: dict[str, float] = field(default_factory=dict)
    curve: str = "none"
    curve_parameters: tuple[float, ...] = ()
    build: str = ""
    max_doubt: float = 1.0
    coverage: float = 0.0
    coverage_level: float = 0.9
    independent_members: float | None = None


def packed(matrix: NDArray[np.float64]) -> str:
    """Float64, little-endian, row by row, as base64."""
    return base64.b64encode(matrix.astype("<f8", copy=False).tobytes()).decode("ascii")


def unpacked(text: str, rows: int) -> NDArray[np.float64]:
    """The (rows, C) matrix again.

    Raises:
        ValueError: the text is no such matrix.
    """
    values = np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(np.float64)
    if not (rows and values.size and values.size % rows == 0):
        raise ValueError(f"{values.size} values for {rows} rows")
    return values.reshape((rows, -1))
