# SPDX-License-Identifier: Apache-2.0
"""What a forecaster is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.forecasting.purse import Purse
from server.forecasting.question import Question
from server.forecasting.transcript import Scribe


@dataclass(frozen=True, slots=True)
class MarketObservation:
    """The state of one market at one book update: the networks' input.

    ``window`` is (100, 20, 4) float32, row x level x (ask price, ask size, bid
    price, bid size), encoded as ``kernels.windows`` says; ``feature_rows`` is
    (60, 112) float32, oldest first, NaN where history is short; ``book_history``
    is (2,) as of ``kernels.mid_changes``, None where nobody counted. All are the
    observation's own. ``warm``: the window is full; ``features_warm``: 60 rows
    are in and every feature of the newest is defined.
    """

    symbol: str
    event_time_us: int
    sequence: int
    warm: bool
    features_warm: bool
    horizon_updates: int
    window: NDArray[np.float32]
    feature_rows: NDArray[np.float32]
    book_history: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """One question as every member of an ensemble gets it.

    ``keys`` are the caller's own provider keys by provider name; they are never
    stored, logged or replayed, and never part of a repr. ``ticket`` is the id of
    the prediction to be. ``purse`` is the money for it; None: nobody counts.
    ``memo`` is for what members may share, such as a prompt that several of them get.
    ``scribe`` takes down every call that is made for it; None: nobody does.
    """

    question: Question
    observation: MarketObservation | None = None
    share_market_price: bool = False
    caller: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    ticket: str = ""
    purse: Purse | None = field(default=None, repr=False, compare=False)
    scribe: Scribe | None = field(default=None, repr=False, compare=False)
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
