# SPDX-License-Identifier: Apache-2.0
"""What a pool of networks says on rows that none of them has seen, beside the best of them alone.

Trains each architecture once, as its recipe says, on the first 60 % of a recording and
pools their answers on the last 40 %: of those whose lead over persistence is within
.015 of the best one's, and of all, weighed by that lead as ``consilience models
evaluate`` does. Differences from the best one alone have 95 % intervals by block bootstrap.

python -m benchmarks.models.pool [--recording nexousdt_spot_20240723_25_train70] [--precision bf16]
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.reporting import write
from kernels.batch import pool_many
from kernels.methods import PoolingMethod
from models import scores
from models.architectures import architecture, make_config
from models.baselines import PERSISTENCE
from models.judging import block_length
from models.training.finding import find_source
from models.training.recipes import recipe
from models.training.settings import Precision
from models.training.walk_forward import Course, Task, Tested, examine, train_split

COMMAND = "python -m benchmarks.models.pool"
NETWORKS = ("book_memory", "book_mlp", "mlplob", "bin_ctabl", "cnn_lstm")
LARGE = ("cnn_lstm",)
HORIZONS = (10, 20, 30, 50, 100)
CLOSE = 0.015
Reals = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--recording", default="nexousdt_spot_20240723_25_train70")
    parser.add_argument("--precision", choices=[each.value for each in Precision], help="of the large ones")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tests: dict[str, tuple[NDArray[np.int64], Tested]] = {}
    for name in NETWORKS:
        precision = Precision(options.precision) if options.precision and name in LARGE else None
        tests[name] = _tested(name, options.recording, precision)
        print(f"{name} is trained", flush=True)
    aligned = _aligned(tests)
    results = {str(horizon): _compared(aligned, h) for h, horizon in enumerate(HORIZONS)}
    for horizon, found in results.items():
        print(f"{horizon}: " + "; ".join(f"{name} {_told(row)}" for name, row in found.items()))
    print(write("network_pool", COMMAND, results))


def _tested(name: str, recording: str, precision: Precision | None) -> tuple[NDArray[np.int64], Tested]:
    """Rows of the test and what the network says there."""
    chosen = recipe(name).changed(folds=1, precision=precision)
    source, config = find_source(recording), make_config(name, chosen.config)
    task = Task(
        source=source,
        inputs=source.inputs(config.encodings),
        architecture=architecture(name),
        config=config,
        settings=chosen.training,
        labels=chosen.labels,
    )
    share = chosen.training.validation_share
    (split,) = source.tests(folds=1, validation_share=share, **task.span)
    trained = train_split(task, split, chosen.training, Course(name))
    return split.test.rows, examine(trained, HORIZONS)


def _aligned(tests: Mapping[str, tuple[NDArray[np.int64], Tested]]) -> dict[str, dict[str, NDArray[Any]]]:
    """What all say on the rows that all have; windows differ in length, and so do the first rows."""
    first = max(int(rows[0]) for rows, _ in tests.values())
    last = min(int(rows[-1]) for rows, _ in tests.values())
    found = {}
    for name, (rows, test) in tests.items():
        kept = (rows >= first) & (rows <= last)
        found[name] = {
            "directions": test.directions[kept],
            "calls": test.calls[kept],
            "probabilities": test.answers.probabilities[kept],
            "persistence": test.baselines[PERSISTENCE][kept],
            "offsets": test.calibration["call_offset"],
        }
    return found


def _compared(tests: Mapping[str, Mapping[str, NDArray[Any]]], h: int) -> dict[str, Any]:
    directions = next(iter(tests.values()))["directions"][:, h]
    macro_f1 = {name: scores.macro_f1(directions, test["calls"][:, h]) for name, test in tests.items()}
    repeated = next(iter(tests.values()))["persistence"][:, h]
    leads = {name: value - scores.macro_f1(directions, repeated) for name, value in macro_f1.items()}
    best = max(leads, key=lambda name: leads[name])
    alone = tests[best]["calls"][:, h]
    close = [name for name in leads if leads[name] >= leads[best] - CLOSE]
    pools = {
        "best": (tests[best]["probabilities"][:, h], alone, [best]),
        "close": (*_pooled(tests, h, close, leads), close),
        "all": (*_pooled(tests, h, list(tests), leads), list(tests)),
    }
    return {
        name: {
            "members": members,
            "macro_f1": scores.macro_f1(directions, calls),
            "log_loss": scores.log_loss(directions, probabilities),
            "more_than_best": scores.bootstrap_interval(
                directions, calls, rival=alone, block=block_length(int((directions >= 0).sum()))
            ),
        }
        for name, (probabilities, calls, members) in pools.items()
    }


def _pooled(
    tests: Mapping[str, Mapping[str, NDArray[Any]]], h: int, names: list[str], leads: Mapping[str, float]
) -> tuple[Reals, NDArray[np.int64]]:
    """Probabilities (N, 3) and calls (N,) of the log-odds pool weighed by leads."""
    weights = np.array([max(0.01, leads[name]) for name in names])
    said = np.stack([tests[name]["probabilities"][:, h] for name in names], axis=1)
    pooled = pool_many(np.ascontiguousarray(said, np.float64), weights, PoolingMethod.LOG_ODDS)
    offsets = np.average([tests[name]["offsets"][h] for name in names], axis=0, weights=weights)
    return pooled, np.argmax(np.log(np.maximum(pooled, 1e-12)) + offsets, axis=1)


def _told(row: Mapping[str, Any]) -> str:
    low, high = row["more_than_best"]
    return f"{row['macro_f1']:.3f} ({low:+.3f} to {high:+.3f}), log loss {row['log_loss']:.3f}"


if __name__ == "__main__":
    main()
