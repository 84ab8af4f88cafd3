# SPDX-License-Identifier: Apache-2.0
"""Made-up recordings, and where the real ones are."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from models.training.recordings import Recording, read_recording

NEXO = "nexousdt_spot_20240723_25_train70"


def arrays(rows=400, seed=0, tick=0.001, lot=0.01):
    """The arrays of a recording whose mid walks."""
    generator = np.random.default_rng(seed)
    bid = 1_000 + np.cumsum(generator.integers(-1, 2, rows))
    spread = generator.integers(1, 4, rows)
    level = np.arange(20)
    return {
        "meta": np.array(
            json.dumps({"symbol": "MADEUP", "venue": "None", "tick_size": tick, "lot_size": lot})
        ),
        "recv_us": np.arange(rows, dtype=np.int64) * 100_000,
        "ask_px": ((bid + spread)[:, None] + level).astype(np.int32),
        "bid_px": (bid[:, None] - level).astype(np.int32),
        "ask_qty": generator.integers(1, 100_000, (rows, 20)),
        "bid_qty": generator.integers(1, 100_000, (rows, 20)),
        "trade_buy_qty": generator.integers(0, 3, rows),
        "trade_sell_qty": generator.integers(0, 3, rows),
        "last_trade_px": bid.astype(np.int32),
    }


def write(folder: Path, name="madeup", **changes) -> Path:
    """A recording file; ``changes`` replace arrays, None leaves one out."""
    content = {**arrays(), **changes}
    file = folder / f"{name}.book20.npz"
    np.savez(file, **{key: value for key, value in content.items() if value is not None})
    return file


def recording(folder: Path, **options) -> Recording:
    """A made-up recording, read."""
    return read_recording(write(folder, **arrays(**options)))


def real(name=NEXO) -> Path:
    """A real recording; the test is skipped where there is none."""
    data = os.environ.get("CONSILIENCE_DATA")
    file = Path(data or ".") / "lob" / f"{name}.book20.npz"
    if not data or not file.is_file():
        pytest.skip("set CONSILIENCE_DATA to the data folder to run this on real recordings")
    return file
