# SPDX-License-Identifier: Apache-2.0
"""Fit the learned baselines, as well as they can be had: needs scikit-learn.

python -m models.training.rivals --recording nexousdt_spot_20240723_25_train70
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.layers import FeatureScaling
from models.rivals import BOOSTING, LOGISTIC, SHIPPED, Logistic, Rival, Rivals, Trees, write_rivals
from models.scores import macro_f1
from models.training.calibrate import BALANCES
from models.training.features import read_features
from models.training.finding import find_source
from models.training.settings import LabelSettings
from models.training.sources import RecordingSource

HORIZONS = (10, 20, 30, 50, 100)
#: The newest share of the past on which the balance of the calls is chosen.
JUDGED_SHARE = 0.2
INVERSE_PENALTY = 0.01
TREES, DEPTH, SMALLEST_LEAF, STEP = 60, 3, 300, 0.08

Floats = NDArray[np.float32]
Classes = NDArray[np.int64]


def fit_rivals(
    features: Floats, directions: Classes, horizons: Sequence[int], *, gap: int = 200
) -> dict[str, Rival]:
    """Fit both on all rows given: features (N, 112), directions (N, H).

    How strongly rare directions are favoured in the call is chosen first, by a
    fit on the older rows and macro-F1 on the newer ones, ``gap`` rows apart.
    """
    return {
        LOGISTIC: _rival(_logistic, features, directions, horizons, gap),
        BOOSTING: _rival(_boosting, features, directions, horizons, gap),
    }


def _rival(fit: Any, features: Floats, directions: Classes, horizons: Sequence[int], gap: int) -> Rival:
    cut = int(len(features) * (1 - JUDGED_SHARE))
    models, offsets = [], []
    for h in range(len(horizons)):
        labels = directions[:, h]
        shares = np.log(np.bincount(labels[labels >= 0], minlength=3) / (labels >= 0).sum())
        tried = Rival((horizons[h],), (fit(features[:cut], labels[:cut]),), np.zeros((1, 3)))
        logs = tried.log_probabilities(features[cut + gap :])[:, 0]
        offsets.append(-_best_balance(logs, labels[cut + gap :], shares) * (shares - shares[1]))
        models.append(fit(features, labels))
    return Rival(tuple(horizons), tuple(models), np.stack(offsets))


def _best_balance(logs: NDArray[np.float64], labels: Classes, shares: NDArray[np.float64]) -> float:
    curve = [macro_f1(labels, np.argmax(logs - balance * shares, axis=1)) for balance in BALANCES]
    smooth = np.convolve(np.pad(curve, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return float(BALANCES[int(np.argmax(smooth))])


def _logistic(features: Floats, labels: Classes) -> Logistic:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - an extra

    known = labels >= 0
    scaling = FeatureScaling()
    scaling.fit(torch.from_numpy(_without_blanks(features)))
    median, scale = scaling.median.double().numpy(), scaling.scale.double().numpy()
    blank = Logistic(median, scale, np.eye(features.shape[1]), np.zeros(features.shape[1]))
    fitted = LogisticRegression(C=INVERSE_PENALTY, solver="newton-cholesky")
    fitted.fit(blank.scores(features[known]), labels[known])
    return Logistic(median, scale, np.ascontiguousarray(fitted.coef_.T), fitted.intercept_)


def _boosting(features: Floats, labels: Classes) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - an extra

    known = labels >= 0
    fitted = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_depth=DEPTH,
        learning_rate=STEP,
        min_samples_leaf=SMALLEST_LEAF,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=0,
    )
    fitted.fit(_without_blanks(features[known]), labels[known])
    return plain_trees(fitted)


def _without_blanks(features: Floats) -> Floats:
    """Features that a short recording never warms up are 0 throughout."""
    blank = np.isnan(features).all(axis=0)
    filled: Floats = np.where(blank, np.float32(0.0), features)
    return filled


def plain_trees(fitted: Any) -> Trees:
    """The trees of a fitted ``HistGradientBoostingClassifier`` as arrays."""
    trees = [tree.nodes for step in fitted._predictors for tree in step]
    width = max(len(nodes) for nodes in trees)

    def table(field: str, kind: Any, blank: float = 0) -> NDArray[Any]:
        found = np.full((len(trees), width), blank, kind)
        for row, nodes in zip(found, trees, strict=True):
            row[: len(nodes)] = nodes[field]
        return found

    feature = table("feature_idx", np.int16, -1)
    feature[table("is_leaf", np.bool_, 1)] = -1
    return Trees(
        feature=feature,
        threshold=table("num_threshold", np.float64),
        left=table("left", np.int16),
        right=table("right", np.int16),
        missing_left=table("missing_go_to_left", np.bool_),
        value=table("value", np.float64),
        base=np.asarray(fitted._baseline_prediction, np.float64).reshape(-1),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit and write them; 0 done, 1 the recording cannot be used."""
    parser = argparse.ArgumentParser(prog="rivals", description=__doc__.splitlines()[0])
    parser.add_argument("--recording", required=True, help="file or name")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args(arguments)
    try:
        source = find_source(options.recording)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not isinstance(source, RecordingSource):
        sys.stderr.write("recording: must be one of an order book\n")
        return 1
    targets = source.targets(past=len(source), horizons=HORIZONS, settings=LabelSettings())
    features = read_features(source.recording, source.file)
    found = fit_rivals(features, targets.directions, HORIZONS)
    write_rivals(Rivals(source.origin.name, source.origin.sha256, found), options.out)
    sys.stdout.write(f"written to {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
