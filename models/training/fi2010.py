# SPDX-License-Identifier: Apache-2.0
"""FI-2010, where the user has a copy: five Finnish stocks, ten levels, labels as published.

Source: Ntakaris, Magris, Kanniainen, Gabbouj & Iosifidis 2018, J. Forecasting
37(8), arXiv 1705.03233. The folder holds the files under their own names, beside
each other or in the folders in which they are published:
``Train_Dst_NoAuction_ZScore_CF_7.txt`` and ``Test_..._CF_7.txt``, ``_8``, ``_9``
(or DecPre, MinMax): seven days to learn from, three to be tested on. Rows of a
file are values, columns are events: 0-39 the book (ask price, ask size, bid
price, bid size of each level), 144-148 labels for 10, 20, 30, 50 and 100 events.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.labels import FI2010_ALPHA, fi2010_classes
from models.encoding import BOOK_CHANNELS, BOOK_ROWS, FI2010_LEVELS, Encoding
from models.manifest import MarketSpec
from models.training.inputs import Floats, Inputs, Rows, TableInputs
from models.training.recordings import RecordingError
from models.training.settings import LabelSettings
from models.training.sources import Origin
from models.training.splits import Part, Split, chronological
from models.training.targets import Targets

BOOK_VALUES = 40
VALUES = 149
LABEL_ROWS = {10: 144, 20: 145, 30: 146, 50: 147, 100: 148}
TEST_DAYS = (7, 8, 9)


class Normalisation(StrEnum):
    """In which of its three published forms the data set is read."""

    Z_SCORE = "ZScore"
    DECIMAL = "DecPre"
    MIN_MAX = "MinMax"


class FiWindows:
    """Windows (B, 100, 10, 4) of the book's values as they are in the files."""

    window = BOOK_ROWS

    def __init__(self, book: Floats) -> None:
        self._rows = TableInputs(book, length=BOOK_ROWS)

    def read(self, rows: Rows) -> tuple[Floats, ...]:
        """Windows."""
        (items,) = self._rows.read(rows)
        return (items.reshape(len(rows), BOOK_ROWS, FI2010_LEVELS, len(BOOK_CHANNELS)),)

    def read_mirrored(self, rows: Rows) -> None:
        """Values that were normalised column by column have no mirror."""


class Fi2010Source:
    """The standard split of FI-2010: train on seven days, test on three."""

    def __init__(self, folder: Path, normalisation: Normalisation | None = None) -> None:
        """Read the four files; left out, of the first normalisation that the folder holds.

        Raises:
            RecordingError: a file is missing or not as published.
        """
        normalisation = normalisation or _normalisation(folder)
        names = [_name("Train", normalisation, 7)]
        names += [_name("Test", normalisation, day) for day in TEST_DAYS]
        digest = hashlib.sha256()
        parts = [_read(_found(folder, name), digest) for name in names]
        #: Rows of the seven days; those of the three follow.
        self.trained_on = len(parts[0])
        table = np.concatenate(parts)
        self._book = np.ascontiguousarray(table[:, :BOOK_VALUES], np.float32)
        self._labels = table[:, VALUES - len(LABEL_ROWS) :]
        self._mids = table[:, 0] + table[:, 2]
        self._origin = Origin(
            name=f"FI-2010 {normalisation}",
            sha256=digest.hexdigest(),
            source="Ntakaris et al. 2018, CC BY 4.0",
            market=MarketSpec(symbol="FI-2010", venue="Nasdaq Nordic", tick_size=0.01, lot_size=1.0),
        )

    @property
    def origin(self) -> Origin:
        """The data set and its authors."""
        return self._origin

    def __len__(self) -> int:
        return len(self._book)

    def inputs(self, encodings: Sequence[Encoding]) -> Inputs:
        """Windows as published; nothing else."""
        if tuple(encodings) != (Encoding.FI2010_WINDOW,):
            raise ValueError(f"encoding: FI-2010 holds {Encoding.FI2010_WINDOW.value} only")
        return FiWindows(self._book)

    def targets(self, *, past: int, horizons: Sequence[int], settings: LabelSettings) -> Targets:
        """The published labels; which code means up is read off the rows before ``past``."""
        del settings
        unknown = [horizon for horizon in horizons if horizon not in LABEL_ROWS]
        if unknown:
            raise ValueError(f"horizons: FI-2010 has labels for {', '.join(map(str, LABEL_ROWS))} events")
        columns = [self._directions(horizon, past) for horizon in horizons]
        returns = np.full((len(self), len(horizons)), np.nan, np.float32)
        return Targets(np.stack(columns, axis=1), returns, (FI2010_ALPHA,) * len(horizons))

    def tests(self, *, folds: int, validation_share: float, horizon: int, window: int) -> list[Split]:
        """The one standard test, however many were wished for."""
        del folds
        past = self.whole(validation_share=validation_share, horizon=horizon, window=window)
        test = Part(self.trained_on + window, len(self))
        return [Split(past.train, past.validation, test)]

    def whole(self, *, validation_share: float, horizon: int, window: int) -> Split:
        """The seven days."""
        return chronological(
            self.trained_on, validation_share=validation_share, horizon=horizon, window=window
        )

    def _directions(self, horizon: int, past: int) -> NDArray[np.int64]:
        codes = self._labels[:, LABEL_ROWS[horizon] - LABEL_ROWS[10]]
        seen = fi2010_classes(codes[:past], self._mids[:past])
        up = codes[:past][seen == 2]
        first_is_up = bool(len(up)) and round(float(up[0])) == 1
        whole = np.rint(codes).astype(np.int64)
        return 3 - whole if first_is_up else whole - 1


def _name(part: str, normalisation: Normalisation, day: int) -> str:
    return f"{part}_Dst_NoAuction_{normalisation}_CF_{day}.txt"


def _normalisation(folder: Path) -> Normalisation:
    for normalisation in Normalisation:
        if next(folder.rglob(_name("Train", normalisation, 7)), None) is not None:
            return normalisation
    wanted = ", ".join(_name("Train", normalisation, 7) for normalisation in Normalisation)
    raise RecordingError(f"{folder}: holds no FI-2010; one of these is wanted in it or below: {wanted}")


def _found(folder: Path, name: str) -> Path:
    """The file, wherever below the folder; the path at which it is missed where it is nowhere."""
    return min(folder.rglob(name), default=folder / name)


def _read(file: Path, digest: "hashlib._Hash") -> NDArray[np.float64]:
    """One file as (events, 149)."""
    try:
        content = file.read_bytes()
        table = np.loadtxt(content.decode("ascii").splitlines(), dtype=np.float64, ndmin=2)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{file}: cannot be read as an FI-2010 file: {error}") from error
    if table.shape[0] != VALUES:
        raise RecordingError(f"{file}: {table.shape[0]} rows; an FI-2010 file has {VALUES}")
    digest.update(content)
    return np.ascontiguousarray(table.T)
