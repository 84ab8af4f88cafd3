# SPDX-License-Identifier: Apache-2.0
"""Questions with known outcomes, and the forecasters that answer them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from server.forecasting.normalization import normalise
from server.forecasting.ports import Forecaster
from server.forecasting.question import FreeText, Question
from server.learning.context import Context


@dataclass(frozen=True, slots=True)
class Case:
    """One question as it is asked at ``as_of``, and what became of it.

    ``truth`` names the outcome that happened; of free text it is the right answer
    in any spelling. It may be used only from ``known_at`` on. ``panel`` names the
    ensemble that is asked; cases with the same ``cluster`` of a panel are resampled
    together, those with the same ``shock`` were moved by the same news.
    """

    question: Question
    panel: str
    truth: str
    as_of: datetime
    known_at: datetime
    cluster: str
    context: Context = Context()
    shock: tuple[str, str] = ("", "")

    @property
    def outcome(self) -> str:
        """The outcome that happened, as the engine spells outcomes."""
        kind = self.question.kind
        return normalise(self.truth, kind.normalization) if isinstance(kind, FreeText) else self.truth


@dataclass(frozen=True, slots=True)
class DataSet:
    """Cases in the order in which they are asked, with each panel's members.

    ``forecasters``: by member name, of all panels. ``sources``: SHA-256 of every
    file that went in, by its name.
    """

    name: str
    cases: tuple[Case, ...]
    panels: Mapping[str, tuple[str, ...]]
    forecasters: Mapping[str, Forecaster]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def members(self) -> tuple[str, ...]:
        """Every member of any panel, once."""
        return tuple(dict.fromkeys(name for members in self.panels.values() for name in members))
