# SPDX-License-Identifier: Apache-2.0
"""Weights that somebody has set."""

from collections.abc import Mapping

import numpy as np

from server.learning.batches import Asked, Floats, normalised
from server.learning.weighting import Unlearning, Unwatching


class Fixed(Unwatching, Unlearning):
    """The configured weights; whoever has none weighs 1."""

    def __init__(self, configured: Mapping[str, float] | None = None) -> None:
        self._configured = dict(configured or {})

    def weights(self, asked: Asked) -> Floats:
        """See ``Weighting``."""
        set_weights = np.array([self._configured.get(name, 1.0) for name in asked.members])
        return normalised(set_weights, asked.present)
