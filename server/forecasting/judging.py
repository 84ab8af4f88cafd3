# SPDX-License-Identifier: Apache-2.0
"""Judges read answers, which may repeat whatever their models were shown."""

from collections.abc import Mapping, Set

#: Fields of a question that may be shown to each provider, by its name.
Shown = Mapping[str, Set[str]]


def check_judges(name: str, judges: Shown, answers: Shown) -> None:
    """Whether the judges of the forecaster ``name`` may see what the answers may repeat.

    Raises:
        ValueError: a provider that judges may be shown less than one that answers.
    """
    for judge, visible in sorted(judges.items()):
        for answering, fields in sorted(answers.items()):
            if hidden := sorted(fields - visible):
                raise ValueError(
                    f"forecasters.{name}.judge: provider {judge!r} may not be shown "
                    f"{', '.join(hidden)}, which provider {answering!r} is shown and its answers may "
                    f"repeat; let judges be asked at a provider that is trusted as far, or set "
                    f"'policy' or 'allow' of one of the two"
                )
