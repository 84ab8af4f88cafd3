# SPDX-License-Identifier: Apache-2.0
"""What a model has done, counted as Open Inference Protocol clients expect it."""

import threading
import time
from dataclasses import dataclass, field, replace
from types import TracebackType


@dataclass(slots=True)
class Duration:
    """How often, and how long altogether."""

    count: int = 0
    ns: int = 0

    def add(self, ns: int, count: int = 1) -> None:
        """Count ``count`` events that took ``ns`` altogether."""
        self.count += count
        self.ns += ns


@dataclass(slots=True)
class BatchCounts:
    """Executions of one batch size: time to gather inputs, to compute, to hand out answers."""

    compute_input: Duration = field(default_factory=Duration)
    compute_infer: Duration = field(default_factory=Duration)
    compute_output: Duration = field(default_factory=Duration)


@dataclass(slots=True)
class ResponseCounts:
    """The n-th responses to requests that get several: time to compute and to write them out.

    fail, cancel: those that an error, or a caller that left, has taken the place of.
    """

    compute_infer: Duration = field(default_factory=Duration)
    compute_output: Duration = field(default_factory=Duration)
    success: Duration = field(default_factory=Duration)
    fail: Duration = field(default_factory=Duration)
    cancel: Duration = field(default_factory=Duration)

    def copy(self) -> "ResponseCounts":
        """The same, independent of later changes."""
        return ResponseCounts(
            replace(self.compute_infer),
            replace(self.compute_output),
            replace(self.success),
            replace(self.fail),
            replace(self.cancel),
        )


@dataclass(slots=True)
class Counts:
    """Everything counted since the model was loaded.

    inference_count: items answered; a batch of n counts n. execution_count:
    batches run. success, fail, queue: one for each request. rejected: requests
    refused or timed out in the queue, also part of ``fail``. cancelled: those whose
    caller left, part of ``fail`` where their turn had not come, else of ``success``.
    """

    last_inference_ms: int = 0
    inference_count: int = 0
    execution_count: int = 0
    success: Duration = field(default_factory=Duration)
    fail: Duration = field(default_factory=Duration)
    queue: Duration = field(default_factory=Duration)
    compute_input: Duration = field(default_factory=Duration)
    compute_infer: Duration = field(default_factory=Duration)
    compute_output: Duration = field(default_factory=Duration)
    rejected: int = 0
    cancelled: int = 0
    batches: dict[int, BatchCounts] = field(default_factory=dict)
    responses: dict[int, ResponseCounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Execution:
    """One batch: its items and requests, how long each step took and each request waited."""

    items: int
    waited_ns: list[int]
    input_ns: int
    infer_ns: int
    output_ns: int


class Statistics:
    """Counts of one model version. Any thread may add or read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()

    def executed(self, run: Execution) -> None:
        """A batch was answered."""
        requests = len(run.waited_ns)
        computed = run.input_ns + run.infer_ns + run.output_ns
        with self._lock:
            counts = self._counts
            counts.last_inference_ms = time.time_ns() // 1_000_000
            counts.inference_count += run.items
            counts.execution_count += 1
            counts.queue.add(sum(run.waited_ns), requests)
            counts.success.add(sum(run.waited_ns) + requests * computed, requests)
            by_size = counts.batches.setdefault(run.items, BatchCounts())
            for name in ("compute_input", "compute_infer", "compute_output"):
                taken = getattr(run, name.removeprefix("compute_") + "_ns")
                getattr(counts, name).add(taken * requests, requests)
                getattr(by_size, name).add(taken)

    def responded(self, index: int, infer_ns: int, output_ns: int) -> None:
        """A request was given one of several responses; ``index`` counts from 0."""
        with self._lock:
            counts = self._counts.responses.setdefault(index, ResponseCounts())
            counts.compute_infer.add(infer_ns)
            counts.compute_output.add(output_ns)
            counts.success.add(infer_ns + output_ns)

    def response_missing(self, index: int, waited_ns: int, *, cancelled: bool) -> None:
        """A response did not come: of an error, or because the caller had left."""
        with self._lock:
            counts = self._counts.responses.setdefault(index, ResponseCounts())
            (counts.cancel if cancelled else counts.fail).add(waited_ns)

    def failed(self, waited_ns: int, *, rejected: bool = False) -> None:
        """A request got no answer."""
        with self._lock:
            self._counts.fail.add(waited_ns)
            self._counts.rejected += rejected

    def cancelled(self, waited_ns: int | None = None) -> None:
        """A caller left before its answer; ``waited_ns`` is given where its turn had not come.

        Then it counts as failed; otherwise its batch has counted it already.
        """
        with self._lock:
            self._counts.cancelled += 1
            if waited_ns is not None:
                self._counts.fail.add(waited_ns)

    def snapshot(self) -> Counts:
        """The counts as they are now, a copy."""
        with self._lock:
            counts = self._counts
            return replace(
                counts,
                **{name: replace(getattr(counts, name)) for name in _DURATIONS},
                batches={
                    size: BatchCounts(
                        replace(entry.compute_input),
                        replace(entry.compute_infer),
                        replace(entry.compute_output),
                    )
                    for size, entry in counts.batches.items()
                },
                responses={index: entry.copy() for index, entry in counts.responses.items()},
            )


class Responses:
    """Times the responses to one request, in a ``with``: each from the end of the one before."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._index = 0

    def __enter__(self) -> "Responses":
        self._since = self._computed = time.monotonic_ns()
        return self

    def computed(self) -> None:
        """The next response is known and has yet to be written out."""
        self._computed = time.monotonic_ns()

    def written(self) -> None:
        """It is written out."""
        now = time.monotonic_ns()
        self._statistics.responded(self._index, self._computed - self._since, now - self._computed)
        self._index += 1
        self._since = self._computed = now

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._statistics.response_missing(
                self._index, time.monotonic_ns() - self._since, cancelled=not issubclass(kind, Exception)
            )


_DURATIONS = ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")
