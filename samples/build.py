# SPDX-License-Identifier: Apache-2.0
"""Derive the shipped samples from the full data: ``python samples/build.py``.

Reads the folders ``forecasts`` and ``lob`` under CONSILIENCE_DATA and writes the data files
and ``SHA256SUMS`` below the folder given by ``--out`` (left out: the folder of
this script). The same input gives the same bytes with the same versions of
polars and zlib.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

COLLECTION = "fb"
QUESTION_COLUMNS = (
    "collection",
    "question_id",
    "source",
    "question",
    "url",
    "category",
    "created_date",
    "close_date",
)
RECORDING = "nexousdt_spot_20240723_25_train70"
SLICE = "nexousdt_spot_20240724"
SLICE_ROWS = 4000

LICENCE = {
    "license": "CC-BY-SA-4.0 AND MIT",
    "attribution": (
        "ForecastBench, (c) Forecasting Research Institute, CC BY-SA 4.0; "
        "BLF forecasts and topic tags, (c) 2026 Kevin P Murphy, MIT"
    ),
    "changes": "selected, joined, re-keyed, texts cut to a title; see samples/forecasts/README.md",
}

SNAPSHOT, UPDATE = 0, 1

Columns = dict[str, NDArray[Any]]


def main() -> None:
    """Build everything below ``--out``."""
    parser = argparse.ArgumentParser(
        description="Derive the samples from the folder named by CONSILIENCE_DATA."
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    out = parser.parse_args().out
    data = data_folder()
    files = [
        *build_forecasts(data / "forecasts", out / "forecasts"),
        *build_texts(data / "forecasts", out / "free_text"),
        *build_books(data / "lob", out / "books"),
    ]
    write_checksums(out, files)


def data_folder() -> Path:
    """The folder of the full data, or exit with a line that says what to do."""
    folder = os.environ.get("CONSILIENCE_DATA")
    if not folder:
        sys.exit("CONSILIENCE_DATA: not set; name the folder that holds forecasts/ and lob/")
    return Path(folder)


def build_forecasts(source: Path, target: Path) -> list[Path]:
    """The part of the forecasts that may be shipped: ForecastBench, titles only."""
    forecasts = pl.read_parquet(source / "forecasts.parquet").filter(pl.col("collection") == COLLECTION)
    keys = ["question_id", "forecast_due_date", "resolution_date", "model"]
    questions = pl.read_parquet(source / "questions.parquet").filter(pl.col("collection") == COLLECTION)
    titles = questions.select(QUESTION_COLUMNS).with_columns(title(pl.col("question")))
    return [
        write_parquet(forecasts.sort(keys), target / "forecasts.parquet"),
        write_parquet(titles.sort("question_id"), target / "questions.parquet"),
    ]


def build_texts(source: Path, target: Path) -> list[Path]:
    """The market questions that eleven models answered, as free text: "Yes" or "No", and how sure of it."""
    panels = json.loads((Path(__file__).parent / "forecasts" / "panels.json").read_text(encoding="utf-8"))
    panel = panels["panels"][0]
    keys = ["question_id", "forecast_due_date", "resolution_date"]
    said = pl.read_parquet(source / "forecasts.parquet").filter(
        pl.col("collection") == COLLECTION,
        pl.col("question_type") == panel["question_type"],
        pl.col("model").is_in(panel["models"]),
    )
    whole = (
        said.group_by(keys)
        .agg(pl.len().alias("answers"))
        .filter(pl.col("answers") >= panel["min_forecasters"])
    )
    said = said.join(whole.select(keys), on=keys).sort("question_id", "model")
    titles = pl.read_parquet(source / "questions.parquet").select("question_id", title(pl.col("question")))
    known = (pl.col("resolution_date").cast(pl.String).str.to_date() + pl.duration(days=1)).cast(pl.String)
    questions = said.unique("question_id", keep="first", maintain_order=True).join(
        titles, on="question_id", maintain_order="left"
    )
    texts = questions.select(
        "question_id",
        "question",
        pl.when(pl.col("outcome") == 1).then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("answer"),
        pl.lit("boolean").alias("normalization"),
        pl.col("forecast_due_date").alias("asked_date"),
        known.alias("known_date"),
        "category",
        "source",
    )
    yes = pl.col("prob") >= 0.5
    answers = said.select(
        "question_id",
        pl.col("model").alias("member"),
        pl.when(yes).then(pl.lit("Yes")).otherwise(pl.lit("No")).alias("text"),
        pl.when(yes).then(pl.col("prob")).otherwise(1 - pl.col("prob")).round(6).alias("confidence"),
    )
    return [write_csv(texts, target / "text_questions.csv"), write_csv(answers, target / "text_answers.csv")]


def write_csv(table: pl.DataFrame, path: Path) -> Path:
    """Write a table; its licence stands in the file beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_csv(path)
    return path


def title(text: pl.Expr) -> pl.Expr:
    """The first paragraph of a question."""
    return text.str.split("\n\n").list.first().str.strip_chars()


def write_parquet(table: pl.DataFrame, path: Path) -> Path:
    """Write with the licence inside the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(path, compression="zstd", compression_level=19, metadata=LICENCE)
    return path


def build_books(source: Path, target: Path) -> list[Path]:
    """The last updates of the long recording, beginning with the book as it stood before them."""
    rows, events = load(source / f"{RECORDING}.book20.npz"), load(source / f"{RECORDING}.events.npz")
    cut = len(rows["recv_us"]) - SLICE_ROWS
    meta = slice_meta(rows["meta"], int(rows["update_id"][cut - 1]))
    return [
        write_npz(target / f"{SLICE}.book20.npz", {**slice_rows(rows, cut), "meta": meta}),
        write_npz(target / f"{SLICE}.events.npz", {**slice_events(events, rows, cut), "meta": meta}),
    ]


def load(path: Path) -> Columns:
    """Every array of a recording."""
    with np.load(path) as table:
        return {name: table[name] for name in table.files}


def slice_meta(meta: NDArray[Any], update_id: int) -> NDArray[Any]:
    """The recording's description with a note on the cut."""
    described = json.loads(str(meta))
    described["license"] = "MIT"
    described["snapshot_update_id"] = update_id
    described["note"] = (
        f"last {SLICE_ROWS} book updates of {RECORDING}; the first message is the book before them"
    )
    return np.array(json.dumps(described))


def slice_rows(rows: Columns, cut: int) -> Columns:
    """Book rows from ``cut`` on."""
    return {name: column[cut:] for name, column in rows.items() if name != "meta"}


def slice_events(events: Columns, rows: Columns, cut: int) -> Columns:
    """A snapshot of the book after row ``cut - 1``, then every event after that row's message."""
    begin = end_of_update(events, cut)
    columns = {name: column[begin:] for name, column in events.items() if name != "meta"}
    columns["msg"] = columns["msg"] - columns["msg"][0] + 1
    top = snapshot_rows(
        book_before(events, begin), int(rows["recv_us"][cut - 1]), int(rows["exch_ms"][cut - 1])
    )
    return {
        name: np.concatenate([top[name].astype(column.dtype), column]) for name, column in columns.items()
    }


def end_of_update(events: Columns, count: int) -> int:
    """Index of the event row that follows the ``count``-th update message."""
    first = np.diff(events["msg"], prepend=-1) != 0
    messages = events["msg"][first & (events["kind"] == UPDATE)]
    return int(np.searchsorted(events["msg"], messages[count - 1], side="right"))


def book_before(events: Columns, end: int) -> dict[tuple[int, int], int]:
    """Every level known after the first ``end`` event rows: (side, price) to size."""
    book: dict[tuple[int, int], int] = {}
    changes = np.flatnonzero(events["kind"][:end] <= UPDATE)
    for side, price, qty in zip(
        *(events[name][changes].tolist() for name in ("side", "price", "qty")), strict=True
    ):
        if qty:
            book[side, price] = qty
        else:
            book.pop((side, price), None)
    return book


def snapshot_rows(book: dict[tuple[int, int], int], recv_us: int, exch_ms: int) -> Columns:
    """Snapshot rows in the recordings' order: bids from the best down, then asks from the best up."""
    levels = sorted(book, key=lambda level: (-level[0], -level[1] if level[0] else level[1]))
    size = len(levels)
    return {
        "recv_us": np.full(size, recv_us),
        "exch_ms": np.full(size, exch_ms),
        "msg": np.zeros(size),
        "kind": np.full(size, SNAPSHOT),
        "side": np.array([side for side, _ in levels]),
        "price": np.array([price for _, price in levels]),
        "qty": np.array([book[level] for level in levels]),
    }


def write_npz(path: Path, columns: Columns) -> Path:
    """Write compressed; numpy stamps every entry with the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **columns)  # type: ignore[arg-type]
    return path


def write_checksums(out: Path, files: list[Path]) -> None:
    """``SHA256SUMS`` in the form that sha256sum --check reads."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n"
        for path in files
    ]
    (out / "SHA256SUMS").write_text("".join(sorted(lines, key=lambda line: line.split()[1])))
    for path in files:
        sys.stdout.write(f"{path.stat().st_size:>9,}  {path.relative_to(out).as_posix()}\n")


if __name__ == "__main__":
    main()
