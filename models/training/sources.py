# SPDX-License-Identifier: Apache-2.0
"""Where examples come from: rows in time order, their inputs and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.encoding import Encoding
from models.manifest import MarketSpec
from models.training.inputs import Inputs, read_inputs
from models.training.recordings import Recording, read_recording
from models.training.settings import LabelSettings
from models.training.splits import Split, chronological, walk_forward
from models.training.targets import Targets, fit_alphas, make_targets


@dataclass(frozen=True, slots=True)
class Origin:
    """What a manifest says about a source."""

    name: str
    sha256: str
    source: str
    market: MarketSpec


class Source(Protocol):
    """Rows to learn from."""

    @property
    def origin(self) -> Origin:
        """What it is and where it comes from."""
        ...

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def inputs(self, encodings: Sequence[Encoding]) -> Inputs:
        """What a network sees of each row.

        Raises:
            ValueError: the source does not hold an encoding.
        """
        ...

    def targets(self, *, past: int, horizons: Sequence[int], settings: LabelSettings) -> Targets:
        """What a network is to say of each row, by thresholds from rows before ``past``.

        Raises:
            ValueError: the source has no such labels.
        """
        ...

    def tests(self, *, folds: int, validation_share: float, horizon: int, window: int) -> list[Split]:
        """Splits with a test part."""
        ...

    def whole(self, *, validation_share: float, horizon: int, window: int) -> Split:
        """The split without a test part that the shipped network is trained on."""
        ...


class RecordingSource:
    """One order-book recording; labels are made from its mids."""

    def __init__(self, file: Path) -> None:
        """Read it.

        Raises:
            RecordingError: it cannot be read.
        """
        self.recording: Recording = read_recording(file)
        self.file = file

    @property
    def origin(self) -> Origin:
        """Name, hash and market."""
        recording = self.recording
        market = MarketSpec(
            symbol=recording.symbol,
            venue=recording.venue,
            tick_size=recording.tick_size,
            lot_size=recording.lot_size,
        )
        return Origin(recording.name, recording.sha256, recording.source, market)

    def __len__(self) -> int:
        return len(self.recording)

    def inputs(self, encodings: Sequence[Encoding]) -> Inputs:
        """Book windows and features."""
        return read_inputs(self.recording, self.file, encodings)

    def targets(self, *, past: int, horizons: Sequence[int], settings: LabelSettings) -> Targets:
        """By thresholds of the rows before ``past``."""
        alphas = fit_alphas(self.recording.part(0, past), horizons=horizons, settings=settings)
        return make_targets(self.recording, horizons=horizons, alphas=alphas, settings=settings)

    def tests(self, *, folds: int, validation_share: float, horizon: int, window: int) -> list[Split]:
        """Walk forward over the last 40 %."""
        return walk_forward(
            len(self), folds=folds, validation_share=validation_share, horizon=horizon, window=window
        )

    def whole(self, *, validation_share: float, horizon: int, window: int) -> Split:
        """All rows."""
        return chronological(len(self), validation_share=validation_share, horizon=horizon, window=window)
