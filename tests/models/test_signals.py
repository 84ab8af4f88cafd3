# SPDX-License-Identifier: Apache-2.0
"""Signals against a plain NumPy reading of their definitions."""

import numpy as np
import torch

from kernels import windows
from models.encoding import mirrored
from models.signals import SIGNALS, BookLevels, BookSignals
from tests.models import books


def oracle(recording, end):
    rows = slice(end - 99, end + 1)
    ask, bid = recording.ask_px[rows].astype(float), recording.bid_px[rows].astype(float)
    ask_size, bid_size = (q[rows] * recording.lot_size for q in (recording.ask_qty, recording.bid_qty))
    mid = (ask[:, 0] + bid[:, 0]) / 2

    def imbalance(levels):
        asks, bids = ask_size[:, :levels].sum(1), bid_size[:, :levels].sum(1)
        return (bids - asks) / (bids + asks)

    flow = np.zeros(100)
    for n in range(1, 100):
        a, b, va, vb = ask[:, 0], bid[:, 0], ask_size[:, 0], bid_size[:, 0]
        e = (b[n] >= b[n - 1]) * vb[n] - (b[n] <= b[n - 1]) * vb[n - 1]
        e += (a[n] >= a[n - 1]) * va[n - 1] - (a[n] <= a[n - 1]) * va[n]
        flow[n] = np.arcsinh(e)
    spread = ask[:, 0] - bid[:, 0]
    micro = (ask[:, 0] * bid_size[:, 0] + bid[:, 0] * ask_size[:, 0]) / (ask_size[:, 0] + bid_size[:, 0])
    logs = np.log1p(bid_size[:, 0]) - np.log1p(ask_size[:, 0])
    columns = (mid - mid[-1], spread / 2, logs, imbalance(1), imbalance(5), micro - mid, flow)
    return np.stack(columns, axis=1)


def encoded(recording):
    tables = (recording.ask_px, recording.ask_qty, recording.bid_px, recording.bid_qty)
    return windows.encode_rows(*tables, lot_size=recording.lot_size)


def test_signals_are_what_they_say(tmp_path):
    recording = books.recording(tmp_path)
    ends = np.array([99, 200, 399])
    found = BookSignals()(torch.from_numpy(encoded(recording).windows(ends))).numpy()
    for i, end in enumerate(ends):
        np.testing.assert_allclose(found[i], oracle(recording, end), rtol=2e-4, atol=2e-4)


def test_a_mirror_changes_the_sign_of_all_but_the_spread(tmp_path):
    rows = encoded(books.recording(tmp_path))
    signals = BookSignals()
    plain = signals(torch.from_numpy(rows.windows([250])))
    turned = signals(torch.from_numpy(mirrored(rows).windows([250])))
    signs = torch.tensor([1.0 if name == "half_spread" else -1.0 for name in SIGNALS])
    torch.testing.assert_close(turned, plain * signs)


def test_an_empty_book_gives_zeros():
    assert not BookSignals()(torch.zeros(1, 100, 20, 4)).any()


def test_levels_are_the_first_columns():
    window = torch.randn(2, 100, 20, 4)
    values = BookLevels(levels=3)(window)
    assert torch.equal(values[:, :, 4:8], window[:, :, 1])
    assert values.shape == (2, 100, 12)
