# SPDX-License-Identifier: Apache-2.0
"""Array types that kernel signatures read by; dimensions are stated in docstrings."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.int64]
Single: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
Cube: TypeAlias = NDArray[np.float64]
