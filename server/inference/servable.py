# SPDX-License-Identifier: Apache-2.0
"""What a face needs of a model, whatever the model is. No backend is imported here."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from server.forecasting.deadline import Deadline
from server.forecasting.prediction import Trace
from server.inference.errors import QueueFullError
from server.inference.statistics import Counts

#: Values of one tensor: numbers in their own type, BF16 widened to float32, texts as objects of ``bytes``.
Array = NDArray[Any]
#: What a caller says beside the tensors.
Parameter = bool | int | float | str


class ModelState(StrEnum):
    """As in the Open Inference Protocol's repository index."""

    READY = "READY"
    LOADING = "LOADING"
    UNLOADING = "UNLOADING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One version on disk or in memory."""

    name: str
    version: int
    state: ModelState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TensorForm:
    """One input or output. ``shape`` is that of one item, -1 where it varies.

    ``labels`` name the elements of an item, in order, for callers that want
    the largest ones with their names.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    optional: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batching:
    """How requests are gathered. Priorities are 1 (most urgent) to ``priority_levels``."""

    queue_delay_s: float
    max_queue: int
    priority_levels: int
    default_priority: int


@dataclass(frozen=True, slots=True)
class ModelForm:
    """What a model says about itself.

    ``max_batch`` > 0: every tensor has a first axis of that many items at most;
    0: none has. ``decoupled``: a request has any number of responses.
    """

    name: str
    version: int
    platform: str
    backend: str
    inputs: tuple[TensorForm, ...]
    outputs: tuple[TensorForm, ...]
    max_batch: int = 0
    batching: Batching | None = None
    decoupled: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a caller wants to be answered.

    ``priority``: 1 is the most urgent, 0 the model's default. ``timeout_s``: how
    long the request may wait for its turn; ``deadline``: when its answer is of
    no more use. ``parameters``: for the model. ``trace``: the caller's.
    """

    priority: int = 0
    timeout_s: float | None = None
    deadline: Deadline | None = None
    caller: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    trace: Trace | None = None


@runtime_checkable
class Servable(Protocol):
    """One version of one model, ready to answer."""

    @property
    def form(self) -> ModelForm:
        """What it says about itself."""
        ...

    async def answer(self, inputs: Mapping[str, Array], wishes: Wishes) -> Sequence[Array]:
        """Outputs in the order of the form; ``inputs`` fit the form, optional ones may be missing.

        Raises:
            InferenceError: it has no answer.
        """
        ...

    def counts(self) -> Counts:
        """What it has done since it was loaded."""
        ...


@runtime_checkable
class Decoupled(Protocol):
    """A model with any number of responses to a request."""

    def answers(
        self, inputs: Mapping[str, Array], wishes: Wishes
    ) -> AsyncIterator[tuple[Sequence[Array], bool]]:
        """Each response as ``Servable.answer`` gives its only one, and whether it is known to be the last."""
        ...


class Bounded(ABC):
    """A servable with a bounded queue, which can refuse a request that nobody has read yet.

    A base class and no protocol: refusing must be cheap, and asking for a protocol is not.
    """

    form: ModelForm

    @abstractmethod
    def refusal(self, deadline_s: float | None) -> QueueFullError | None:
        """What one more item would be told now, counted as told; None where it may be let in.

        ``deadline_s``: in how long its answer is of no more use.
        """


class ModelSource(Protocol):
    """Where models come from. Reading never blocks."""

    def get(self, name: str, version: int | None) -> Servable:
        """A model that is ready, in its default version where none is named.

        Raises:
            UnknownModelError: no such name or version.
            ModelNotReadyError: known, but not loaded.
        """
        ...

    def loaded(self) -> Sequence[Servable]:
        """Every model that is ready, by name and version."""
        ...

    def index(self) -> Sequence[ModelEntry]:
        """Every version known, with its state."""
        ...

    async def load(self, name: str, version: int | None) -> None:
        """Load a version, the newest where none is named; what was loaded before stays until then.

        Raises:
            UnknownModelError: there is none.
            ModelLoadError: it cannot be loaded.
            ControlError: this source's models are not loaded and unloaded by callers.
        """
        ...

    async def unload(self, name: str) -> None:
        """Unload every version; requests under way are finished.

        Raises:
            UnknownModelError: none is loaded.
            ControlError: this source's models are not loaded and unloaded by callers.
        """
        ...
