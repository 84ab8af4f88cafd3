# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a network, free of any transport.

InferenceError
├── UnknownModelError      no such name or version in the repository
├── ModelNotReadyError     known, but unloaded, loading or broken
├── ModelLoadError         its artifact cannot be loaded
├── InvalidInputError      name, type, shape or size of an input is wrong
├── QueueFullError         refused at once; says when to try again
├── QueueTimeoutError      its time was up before its turn
├── ControlError           models of this source are not loaded and unloaded by callers
└── ModelFailedError       the network raised
"""


class InferenceError(Exception):
    """Root of what this room raises."""


class UnknownModelError(InferenceError):
    """No such name or version in the repository."""


class ModelNotReadyError(InferenceError):
    """The model is known but cannot answer now."""


class ModelLoadError(InferenceError):
    """The artifact is missing, damaged or altered; what was loaded before stays."""


class InvalidInputError(InferenceError):
    """An input does not fit the model; the message names it and what is expected."""


class QueueFullError(InferenceError):
    """Refused before any work was done, because the answer would come too late."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueueTimeoutError(InferenceError):
    """The request's time was up before its turn came."""


class ModelFailedError(InferenceError):
    """The network raised; a fault of ours, not of the caller."""


class ControlError(InferenceError):
    """Callers may not load or unload this model: it comes from the configuration."""
