# SPDX-License-Identifier: Apache-2.0
"""One combination of choices: a cell of the grid."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.engine.gathering import CHOICES
from server.forecasting.errors import InvalidRequestError
from server.forecasting.names import choose
from server.learning.methods import ADAPTIVE, CALIBRATORS, WEIGHTINGS

ALL = "all"
#: Selections that take a number: ``value:3``.
COUNTED = ("value", "random", "first")
#: Selections that take a member's name: ``only:NAME``.
NAMED = ("only", "without")
_COUNT = re.compile(rf"({'|'.join(COUNTED)}):([1-9][0-9]*)")
_NAME = re.compile(rf"({'|'.join(NAMED)}):(.+)")


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """Pooling x weighting x calibration x execution x selection.

    Selections: those of the engine; ``value:K``, its selection ``value`` with K
    answers, learned as the questions go by; ``random:K`` others for each question;
    ``first:K`` in the order of the data set; ``only:NAME``; ``without:NAME``.
    """

    pooling: str = "log_odds"
    weighting: str = "fixed"
    calibration: str = "none"
    execution: str = "parallel"
    selection: str = field(default=ALL)

    @property
    def name(self) -> str:
        """For example ``log_odds/fixed/none/parallel/all``."""
        return "/".join((self.pooling, self.weighting, self.calibration, self.execution, self.selection))

    @property
    def learns(self) -> bool:
        """Whether outcomes or earlier answers change what it says."""
        return self.weighting != "fixed" or self.calibration != "none"

    @property
    def count(self) -> tuple[str, int] | None:
        """Rule and number of a counted selection."""
        found = _COUNT.fullmatch(self.selection)
        return (found[1], int(found[2])) if found else None

    @property
    def named(self) -> tuple[str, str] | None:
        """Rule and member of a named selection."""
        found = _NAME.fullmatch(self.selection)
        return (found[1], found[2]) if found else None


@dataclass(frozen=True, slots=True)
class Grid:
    """Lists of choices; every combination is a cell."""

    pooling: Sequence[str] = ("log_odds",)
    weighting: Sequence[str] = ("fixed",)
    calibration: Sequence[str] = ("none",)
    execution: Sequence[str] = ("parallel",)
    selection: Sequence[str] = (ALL,)

    def cells(self) -> tuple[Cell, ...]:
        """All combinations, in the order in which the choices are written; none twice.

        Raises:
            ValueError: a name is not known; says which are.
        """
        lists = (
            _known("pooling", self.pooling, CHOICES.poolings),
            _known("weighting", self.weighting, (*WEIGHTINGS, ADAPTIVE)),
            _known("calibration", self.calibration, tuple(CALIBRATORS)),
            _known("execution", self.execution, CHOICES.executions),
            tuple(_selection(name) for name in self.selection),
        )
        return tuple(dict.fromkeys(Cell(*names) for names in itertools.product(*lists)))


def _known(choice: str, names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(choose(f"grid.{choice}", name, known) for name in names)
    except InvalidRequestError as error:
        raise ValueError(str(error)) from error


def _selection(name: str) -> str:
    if name in CHOICES.selections or _COUNT.fullmatch(name) or _NAME.fullmatch(name):
        return name
    known = ", ".join(
        (*CHOICES.selections, *(f"{rule}:K" for rule in COUNTED), *(f"{n}:NAME" for n in NAMED))
    )
    raise ValueError(f"grid.selection: {name!r} is not one of: {known}")
