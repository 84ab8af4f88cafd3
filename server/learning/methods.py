# SPDX-License-Identifier: Apache-2.0
"""The named choices: weightings and calibrators, and the ones that a server uses by default."""

from collections.abc import Callable

from server.learning.adaptive import Adaptive
from server.learning.agreement import Agreement
from server.learning.beta import Beta
from server.learning.calibration import Calibrator, Uncalibrated
from server.learning.covariance import Covariance
from server.learning.fixed import Fixed
from server.learning.hedge import Hedge
from server.learning.isotonic import Isotonic
from server.learning.market import WithMarket
from server.learning.performance import Performance
from server.learning.platt import HierarchicalPlatt, Platt
from server.learning.stacked import Stacked
from server.learning.weighting import Weighting

WEIGHTINGS: dict[str, Callable[[], Weighting]] = {
    "fixed": Fixed,
    "performance": Performance,
    "hedge": Hedge,
    "covariance": Covariance,
    "stacked": Stacked,
    "agreement": Agreement,
}
CALIBRATORS: dict[str, Callable[[], Calibrator]] = {
    "none": Uncalibrated,
    "platt": Platt,
    "isotonic": Isotonic,
    "beta": Beta,
    "hierarchical": HierarchicalPlatt,
}
#: The mixture over all of the above.
ADAPTIVE = "adaptive"

DEFAULT_POOLING = "log_odds"
DEFAULT_WEIGHTING = "agreement"
DEFAULT_CALIBRATION = "hierarchical"


class Weightings:
    """One learner of each name, with the mixture over all, taught together.

    ``with_market``: a price among the members gets a share of its own in each of them.
    """

    def __init__(self, *, with_market: bool) -> None:
        made = {name: make() for name, make in WEIGHTINGS.items()}
        self._each: dict[str, Weighting] = (
            {name: WithMarket(one) for name, one in made.items()} if with_market else made
        )
        self._mixture = Adaptive(self._each)

    def __getitem__(self, name: str) -> Weighting:
        return self._mixture if name == ADAPTIVE else self._each[name]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the mixture last."""
        return (*self._each, ADAPTIVE)

    @property
    def mixture(self) -> Adaptive:
        """The mixture over all."""
        return self._mixture

    @property
    def learners(self) -> tuple[Weighting, ...]:
        """In the order in which they are to be taught: the mixture judges before the others learn."""
        return (self._mixture, *self._each.values())
