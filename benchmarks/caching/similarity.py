# SPDX-License-Identifier: Apache-2.0
"""Which real questions the cache takes for one another, and which rewordings it recognises.

python -m benchmarks.caching.similarity
"""

import itertools
import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from server.engine.caching.alike import Subject, alike, subject_of
from server.forecasting.question import Question
from server.recordings.library import RecordingLibrary
from server.recordings.settings import RecordingsSettings

RESULTS = Path("benchmarks/results/caching_similarity.json")
LEAST = 0.9
REWORDED = 3_000


def main() -> None:
    folder = os.environ.get("CONSILIENCE_DATA")
    if not folder:
        print("skipped: set CONSILIENCE_DATA to the data folder")
        return
    settings = RecordingsSettings(forecasts=Path(folder) / "forecasts", cache=None)
    texts = sorted({question.text for question in RecordingLibrary.open(settings).catalogue.list()})
    subjects = {text: subject for text in texts if (subject := _subject(text)) is not None}
    pairs = [(alike(subjects[a], subjects[b]), a, b) for a, b in guarded(subjects)]
    reused = [(score, a, b) for score, a, b in pairs if score >= LEAST]
    known, tried = recognised(subjects)
    found = {
        "texts": len(texts),
        "pairs": len(texts) * (len(texts) - 1) // 2,
        "pairs_that_pass_the_guards": len(pairs),
        "pairs_reused": reused,
        "next_best": max((each for each in pairs if each[0] < LEAST), default=None),
        "rewordings": tried,
        "rewordings_recognised": known,
        "recognised_share": known / tried,
    }
    RESULTS.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2, ensure_ascii=False))


def guarded(subjects: dict[str, Subject]) -> Iterator[tuple[str, str]]:
    groups: dict[bytes, list[str]] = defaultdict(list)
    for text, subject in subjects.items():
        groups[subject.guard].append(text)
    for group in groups.values():
        yield from itertools.combinations(group, 2)


def recognised(subjects: dict[str, Subject]) -> tuple[int, int]:
    known = tried = 0
    for text in random.Random(2).sample(sorted(subjects), REWORDED):  # noqa: S311
        for other in rewordings(text):
            subject = _subject(other)
            known += subject is not None and alike(subjects[text], subject) >= LEAST
            tried += 1
    return known, tried


def rewordings(text: str) -> set[str]:
    found = {text.replace("Will ", "will ", 1), text.rstrip("?") + " ?", "  " + text.replace(" ", "  ")}
    found.add(re.sub(r"^Will (.*?)\?$", r"What is the probability that \1 happens?", text))
    found.add(re.sub(r"\bincreased\b", "been increasing", text))
    found.add(text.replace("close price", "closing price").replace("announce ", "announcing "))
    if match := re.search(r"(\d{4})-(\d{2})-(\d{2})", text):
        day = date(*map(int, match.groups()))
        found.add(text.replace(match[0], f"{day:%B} {day.day}, {day.year}"))
        found.add(text.replace(match[0], f"{day.day} {day:%B} {day.year}"))
    return found - {text}


def _subject(text: str) -> Subject | None:
    return subject_of(Question("", text))


if __name__ == "__main__":
    main()
