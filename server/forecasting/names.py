# SPDX-License-Identifier: Apache-2.0
"""Names of the choices that make an ensemble, and what older systems called them.

Configuration, requests, the command line and plug-ins all speak these names.
"""

from collections.abc import Collection

from server.forecasting.errors import InvalidRequestError

#: Older names by canonical name. Lookup ignores case, a leading colon and "-".
ALIASES = {
    "weightedaverage": "linear",
    "weighted_average": "linear",
    "mean": "linear",
    "geometric": "log_odds",
    "logit": "log_odds",
    "votingensemble": "majority",
    "voting": "majority",
    "weighted": "weighted_vote",
    "weightedvoting": "weighted_vote",
    "weighted_voting": "weighted_vote",
    "confidencemaximum": "best_confidence",
    "confidence_maximum": "best_confidence",
    "confidence_max": "best_confidence",
    "best": "best_confidence",
    "confidence_based": "confidence_weighted",
    "confidence": "confidence_weighted",
    "bayesianaverage": "bayesian",
    "stackedensemble": "stacked",
    "stacking": "stacked",
    "adaptive_weights": "adaptive",
}


def canonical(name: str) -> str:
    """The name as this system spells it; unknown names pass unchanged in lower case."""
    key = name.strip().lstrip(":").lower().replace("-", "_")
    return ALIASES.get(key, key)


def choose(field: str, name: str, known: Collection[str]) -> str:
    """The canonical name if it is known.

    Raises:
        InvalidRequestError: it is not; the message lists the known names.
    """
    found = canonical(name)
    if found not in known:
        raise InvalidRequestError.of(field, f"{name!r} is not one of: {', '.join(sorted(known))}")
    return found
