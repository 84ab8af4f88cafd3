# SPDX-License-Identifier: Apache-2.0
"""Everything that was recorded: the questions and the forecasters that answer them."""

import difflib
from pathlib import Path

from server.recordings.cache import cache_file, load_tables, store_tables
from server.recordings.catalogue import RecordedCatalogue
from server.recordings.errors import RecordingError
from server.recordings.files import source_files
from server.recordings.recorded import RecordedAnswers, RecordedForecaster, RecordedModel, recorded_model
from server.recordings.settings import RecordedSettings, RecordingsSettings
from server.recordings.tables import Tables


class RecordingLibrary:
    """Recorded forecasts of many models on many questions."""

    def __init__(self, tables: Tables, settings: RecordingsSettings) -> None:
        self._tables = tables
        self._settings = settings
        self._by_name = {name: index for index, name in enumerate(tables.models.name)}
        self._answers: dict[str, RecordedAnswers] = {}
        self.catalogue = RecordedCatalogue(
            tables, min_forecasters=settings.min_forecasters, frozen_prices=settings.frozen_prices
        )

    @classmethod
    def open(cls, settings: RecordingsSettings) -> "RecordingLibrary":
        """Read the folder that the settings name; without one the library is empty.

        Raises:
            RecordingError: a file is missing or does not fit; names file and column.
        """
        return cls(_tables(settings), settings)

    @property
    def models(self) -> tuple[RecordedModel, ...]:
        """Every recorded model, in order of name."""
        return tuple(recorded_model(self._tables, index) for index in range(len(self._tables.models.name)))

    def forecaster(self, settings: RecordedSettings) -> RecordedForecaster:
        """A forecaster that answers as this model did.

        Raises:
            RecordingError: there is nothing recorded of this model.
        """
        return RecordedForecaster(self._answers_of(settings.model))

    def _answers_of(self, model: str) -> RecordedAnswers:
        if model not in self._by_name:
            raise RecordingError(
                self._settings.forecasts or "recordings.forecasts", "model", self._unknown(model)
            )
        if model not in self._answers:
            self._answers[model] = RecordedAnswers.of(self._tables, self._by_name[model])
        return self._answers[model]

    def _unknown(self, model: str) -> str:
        if not self._by_name:
            return f"nothing is recorded of {model!r}; set recordings.forecasts to a folder of recordings"
        near = difflib.get_close_matches(model, self._by_name, n=3, cutoff=0.4) or sorted(self._by_name)[:3]
        return f"nothing is recorded of {model!r}; there is for example {', '.join(near)}"


def _tables(settings: RecordingsSettings) -> Tables:
    if settings.forecasts is None:
        return Tables.empty()
    folder = settings.forecasts.expanduser()
    return _decode(folder) if settings.cache is None else _cached(folder, settings.cache.expanduser())


def _cached(folder: Path, cache: Path) -> Tables:
    path = cache_file(cache, source_files(folder))
    tables = load_tables(path)
    if tables is None:
        tables = _decode(folder)
        store_tables(path, tables)
    return tables


def _decode(folder: Path) -> Tables:
    # Importing polars takes most of a second, and a cached start does without it.
    from server.recordings.parquet import read_tables  # noqa: PLC0415

    return read_tables(folder)
