# SPDX-License-Identifier: Apache-2.0
"""Add bf16 and int8 weights to artifacts, with what they cost in accuracy, measured on a recording.

    python -m models.training.variants --recording FILE.book20.npz models/weights/book_mlp/1 ...

What is compared with fp32 is the last 40 % of the recording, every third row:
the rows of the walk-forward tests. The fp32 weights are left as they are.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import artifact, scores
from models.artifact import DEFAULT_PRECISION, Compiled
from models.encoding import BOOK_ROWS, Encoding
from models.manifest import ArtifactError, Manifest
from models.reducing import PRECISIONS, reduced
from models.training.inference import run
from models.training.inputs import read_inputs
from models.training.recordings import Recording, RecordingError, read_recording
from models.training.settings import LabelSettings, ThresholdRule
from models.training.targets import make_targets

HELD_OUT = 0.4
EVERY = 3
#: Macro-F1 and expected calibration error of each horizon.
Quality = dict[int, tuple[float, float]]


def add_variants(folder: Path, file: Path) -> Manifest:
    """Write the bf16 and int8 weights of an artifact and seal it anew; returns its manifest.

    Raises:
        ArtifactError: the artifact cannot be read.
        RecordingError: the recording cannot be read.
    """
    loaded = artifact.load(folder)
    manifest, recording = loaded.manifest, read_recording(file)
    content = (folder / manifest.weights[DEFAULT_PRECISION].file).read_bytes()
    before = quality(loaded.network, manifest, recording, file)
    for precision in PRECISIONS:
        small = reduced(content, precision)
        after = quality(artifact.load_bytes(small), manifest, recording, file)
        manifest = artifact.add_weights(
            folder,
            precision,
            small,
            macro_f1_loss={h: round(before[h][0] - after[h][0], 5) for h in before},
            ece_change={h: round(after[h][1] - before[h][1], 5) for h in before},
            largest_difference=_largest_difference(loaded.network, small, manifest, recording, file),
        )
    return manifest


def held_out(recording: Recording) -> NDArray[np.int64]:
    """The rows that are compared."""
    return np.arange(max(BOOK_ROWS - 1, int(len(recording) * (1 - HELD_OUT))), len(recording), EVERY)


def quality(network: Compiled, manifest: Manifest, recording: Recording, file: Path) -> Quality:
    """Macro-F1 and calibration error of the confidence on the held-out rows, by horizon."""
    rows = held_out(recording)
    answers = run(network, read_inputs(recording, file, _encodings(manifest)), rows)
    directions = make_targets(
        recording,
        horizons=manifest.horizons,
        alphas=manifest.labels.alphas,
        settings=LabelSettings(
            kind=manifest.labels.kind,  # type: ignore[arg-type]
            rule=ThresholdRule(manifest.labels.rule),
        ),
    ).directions[rows]
    calls = answers.calls(np.asarray(manifest.decision.call_offsets, np.float32))
    known = directions >= 0
    return {
        horizon: (
            scores.macro_f1(directions[:, h], calls[:, h]),
            scores.calibration_error(
                (directions == calls)[known[:, h], h], answers.confidence[known[:, h], h]
            ),
        )
        for h, horizon in enumerate(manifest.horizons)
    }


def _encodings(manifest: Manifest) -> list[Encoding]:
    return [Encoding(spec.encoding) for spec in manifest.inputs]


def _largest_difference(
    network: Compiled, small: bytes, manifest: Manifest, recording: Recording, file: Path
) -> float:
    inputs, rows = read_inputs(recording, file, _encodings(manifest)), held_out(recording)[:512]
    one, other = run(network, inputs, rows), run(artifact.load_bytes(small), inputs, rows)
    return float(np.abs(one.probabilities - other.probabilities).max())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--recording", type=Path, required=True, help="FILE.book20.npz")
    parser.add_argument("folders", type=Path, nargs="+", metavar="NAME/VERSION")
    asked = parser.parse_args(arguments)
    try:
        for folder in asked.folders:
            manifest = add_variants(folder, asked.recording)
            for precision in PRECISIONS:
                weights = manifest.weights[precision]
                sys.stdout.write(
                    f"{manifest.name}/{manifest.version} {precision}: {weights.bytes:,} bytes, "
                    f"macro-F1 lost {weights.macro_f1_loss}, ECE changed by {weights.ece_change}\n"
                )
    except (ArtifactError, RecordingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
