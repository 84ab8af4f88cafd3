# SPDX-License-Identifier: Apache-2.0
"""A network run over many rows."""

import weakref

import numpy as np
import pytest
import torch

from models.training import inference
from models.training.inference import run


class Rows:
    """The item of a row is its number."""

    window = 1

    def read(self, rows):
        return (rows.astype(np.float32)[:, None],)

    def read_mirrored(self, rows):
        return None


def heads(items):
    return items[:, :, None].repeat(1, 2, 3), items.repeat(1, 2), -items.repeat(1, 2)


@pytest.mark.parametrize("count", [1, inference.BATCH, 2 * inference.BATCH + 5])
def test_each_row_gets_its_own_answer_whatever_the_batches(count):
    rows = np.arange(7, 7 + count)
    answers = run(heads, Rows(), rows)
    assert answers.logits.shape == (count, 2, 3)
    np.testing.assert_array_equal(answers.logits[:, 1, 2], rows)
    np.testing.assert_array_equal(answers.confidence[:, 0], rows)
    np.testing.assert_array_equal(answers.expected_return_bps[:, 1], -rows)


def test_nothing_of_a_batch_is_kept():
    """Kept answers pin the heap: 69,000 rows of a large network once took six gigabytes."""
    made = []

    def network(items):
        assert not any(kept() is not None for kept in made[:-1])
        memory = np.ones((len(items), 2, 3), np.float32)
        made.append(weakref.ref(memory))
        return torch.from_numpy(memory), items, items

    run(network, Rows(), np.arange(5 * inference.BATCH))
    assert len(made) == 5


def test_no_rows():
    with pytest.raises(ValueError, match="rows: none"):
        run(heads, Rows(), np.arange(0))
