# SPDX-License-Identifier: Apache-2.0
"""The summary of a window, against plain NumPy."""

import numpy as np
import pytest
import torch

from models.architectures import make_config
from models.checks import _walking_book
from models.signals import BookSignals
from models.summary import EDGES, LEVELS, SPANS, BookSummary


@pytest.fixture
def window():
    return torch.from_numpy(_walking_book(np.random.default_rng(0), 6))


def test_means_last_row_and_steps(window):
    stem, summary = BookSignals(), BookSummary(rows=100)
    signals = stem(window).numpy()
    found = summary._values(window, torch.from_numpy(signals)).numpy()
    means = np.concatenate([signals[:, -span:].mean(axis=1) for span in SPANS], axis=1)
    last = window[:, -1, :LEVELS].numpy().reshape(6, -1)
    mids = 0.5 * (window[:, :, 0, 0] + window[:, :, 0, 2]).numpy()
    above = mids[:, -1] - mids[:, -10:].mean(axis=1)
    edges = np.array(EDGES)
    steps = [1 / (1 + np.exp(-64 * (sign * above[:, None] - edges))) for sign in (1, -1)]
    np.testing.assert_allclose(found, np.concatenate([means, last, *steps], axis=1), atol=2e-4)
    assert found.shape == (6, summary.size)


def test_it_is_standardised_and_bounded(window):
    stem, summary = BookSignals(), BookSummary(rows=100)
    signals = stem(window)
    plain = summary._values(window, signals).numpy()
    summary.fit(window, signals)
    wanted = (plain - plain.mean(axis=0)) / np.maximum(plain.std(axis=0, ddof=1), 1e-3)
    np.testing.assert_allclose(summary(window, signals).numpy(), np.clip(wanted, -4, 4), atol=1e-3)
    assert float(summary(window * 4, stem(window * 4)).abs().max()) <= 4.0


def test_steps_tell_neighbouring_twentieths_apart():
    """Values that a mean of ten half-tick mids can take give steps of nearly 0 or nearly 1."""
    summary = BookSummary(rows=100)
    values = torch.arange(-6, 7)[:, None] / 20
    steps = torch.sigmoid(-values * summary.slopes + summary.edges)
    assert float((steps - steps.round()).abs().max()) < 0.2


@pytest.mark.parametrize("name", ["bin_ctabl", "mlplob"])
def test_raw_levels_have_no_summary(name):
    with pytest.raises(ValueError, match="summary: is made from the book signals"):
        make_config(name, {"levels": 10, "summary": True})
