# SPDX-License-Identifier: Apache-2.0
"""What all ensembles have in common as models."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from server.engine.ensembles import Ensemble, Ensembles
from server.engine.market import MarketEngine
from server.engine.predict import PredictionEngine
from server.inference.servable import ModelForm, TensorForm
from server.inference.statistics import Counts, Execution, Statistics
from server.rpc.inference.answers import Column

PLATFORM, BACKEND = "consilience_ensemble", "consilience"
VERSION = 1
#: Most questions, or states of a market, of one request.
MAX_BATCH = 64
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Engines:
    """What answers questions, and what says which way a market goes."""

    engine: PredictionEngine
    market: MarketEngine

    @property
    def ensembles(self) -> Ensembles:
        """All that are configured."""
        return self.market.ensembles


class CountedEnsemble:
    """Base: an ensemble that counts what it answers."""

    def __init__(self, form: ModelForm) -> None:
        self.form = form
        self._statistics = Statistics()

    def counts(self) -> Counts:
        """What it has done since the server began."""
        return self._statistics.snapshot()

    async def counted(self, items: int, work: Awaitable[_Answer]) -> _Answer:
        """Await the answer and count it."""
        begun = time.monotonic_ns()
        try:
            answer = await work
        except asyncio.CancelledError:
            self._statistics.cancelled(time.monotonic_ns() - begun)
            raise
        except Exception:
            self._statistics.failed(time.monotonic_ns() - begun)
            raise
        self._statistics.executed(Execution(items, [0], 0, time.monotonic_ns() - begun, 0))
        return answer


def form_of(
    ensemble: Ensemble,
    inputs: tuple[TensorForm, ...],
    shown: Sequence[Column],
    max_batch: int,
    *,
    suffix: str = "",
    decoupled: bool = False,
) -> ModelForm:
    """What an ensemble says about itself."""
    spec = ensemble.spec
    return ModelForm(
        name=spec.name + suffix,
        version=VERSION,
        platform=PLATFORM,
        backend=BACKEND,
        inputs=inputs,
        outputs=tuple(each.form for each in shown),
        max_batch=max_batch,
        decoupled=decoupled,
        parameters={
            "members": ",".join(member.name for member in spec.members),
            "pooling": spec.pooling,
            "horizon_updates": str(spec.horizon_updates),
        },
    )
