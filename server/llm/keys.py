# SPDX-License-Identifier: Apache-2.0
"""A provider's keys: which may be used now, and what became of the others."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from server.forecasting.deadline import Clock
from server.forecasting.forecast import AbsentReason
from server.llm.failures import Failure
from server.llm.secrets import Secret, SecretError, resolve

#: While no key can be used, references are read again so often: somebody may be putting a new one there.
REREAD_S = 5.0
#: A key that was refused, or has no money, is tried again after so long.
DEAD_S = {AbsentReason.PROVIDER_AUTH_FAILED: 600.0, AbsentReason.PROVIDER_BILLING: 3600.0}


@dataclass(slots=True, eq=False)
class Key:
    """One key. ``label`` tells keys apart in logs and gives nothing away."""

    secret: Secret
    label: str
    blocked_until_s: float = 0.0
    blocked_for: AbsentReason | None = None
    #: Models for which this key alone was refused, until when.
    without: dict[str, float] = field(default_factory=dict)


def label_of(secret: Secret) -> str:
    """The first eight digits of a hash."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:8] if secret.reveal() else "none"


class KeyRing:
    """Keys in rotation. A provider without references has one empty key: it needs none."""

    def __init__(self, references: Iterable[str], clock: Clock) -> None:
        self._references = tuple(references)
        self._clock = clock
        self._next = 0
        self._read_s = 0.0
        self.problems: list[str] = []
        self.keys: list[Key] = []
        self.reload()

    def reload(self) -> bool:
        """Read all references again; keys whose value changed are new ones. True if any changed."""
        self._read_s = self._clock.monotonic()
        known = {key.secret.reveal(): key for key in self.keys}
        self.problems = []
        secrets = [Secret("", "")] if not self._references else list(self._resolve())
        fresh = [known.get(secret.reveal()) or Key(secret, label_of(secret)) for secret in secrets]
        changed = {key.label for key in fresh} != {key.label for key in self.keys}
        self.keys = fresh
        return changed

    def pick(self, model: str, tried: set[str], queue: Callable[[Key], tuple[float, int]]) -> Key | Failure:
        """The next usable key that was not tried; where calls must wait, the one with the shortest queue.

        ``queue``: seconds until the key's limits open, and calls that are before this one.
        """
        usable = self._usable(model, tried)
        if not usable and self._reread():
            usable = self._usable(model, tried)
        if not usable:
            return self._none_usable(tried)
        return usable[0] if len(usable) == 1 else min(usable, key=queue)

    def labelled(self, label: str) -> Key | None:
        """The key of this label; None: it is none of ours, or no longer."""
        return next((key for key in self.keys if key.label == label), None)

    def block(self, key: Key, model: str, failure: Failure) -> None:
        """Keep a key out of use after a refusal: everywhere, or (403) for one model."""
        until = self._clock.monotonic() + DEAD_S[failure.reason]
        if failure.status == 403:
            key.without[model] = until
        else:
            key.blocked_until_s, key.blocked_for = until, failure.reason

    def revive(self) -> None:
        """Use all keys again: an operator has mended the account."""
        for key in self.keys:
            key.blocked_until_s, key.blocked_for = 0.0, None
            key.without.clear()

    def _usable(self, model: str, tried: set[str]) -> list[Key]:
        now = self._clock.monotonic()
        return [key for key in self._rotated() if key.label not in tried and _is_usable(key, model, now)]

    def _reread(self) -> bool:
        """Look now and then whether there are new keys."""
        due = self._clock.monotonic() - self._read_s >= REREAD_S
        return due and self.reload()

    def _rotated(self) -> list[Key]:
        if len(self.keys) <= 1:
            return self.keys
        self._next = (self._next + 1) % len(self.keys)
        return self.keys[self._next :] + self.keys[: self._next]

    def _none_usable(self, tried: set[str]) -> Failure:
        if not self.keys:
            return Failure(AbsentReason.PROVIDER_AUTH_FAILED, "; ".join(self.problems) or "there is no key")
        reasons = [key.blocked_for for key in self.keys if key.blocked_for]
        reason = reasons[0] if reasons else AbsentReason.PROVIDER_AUTH_FAILED
        what = "all keys were tried" if tried else "all keys are out of use after refusals"
        return Failure(reason, f"{what}; check the account, then enable the member (UpdateMember)")

    def _resolve(self) -> Iterable[Secret]:
        for reference in self._references:
            try:
                yield resolve(reference)
            except SecretError as error:
                self.problems.append(str(error))


def _is_usable(key: Key, model: str, now: float) -> bool:
    return key.blocked_until_s <= now and (not key.without or key.without.get(model, 0.0) <= now)
