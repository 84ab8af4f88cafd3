# SPDX-License-Identifier: Apache-2.0
"""Finds a metric's child by its labels once: prometheus_client checks and locks at every look-up."""

from typing import TypeVar

from prometheus_client.metrics import MetricWrapperBase

Kind = TypeVar("Kind", bound=MetricWrapperBase)


class Children:
    """Children by metric and labels. A child is made when it is first asked for, so empty ones never show."""

    def __init__(self) -> None:
        self._known: dict[tuple[MetricWrapperBase, tuple[str, ...]], MetricWrapperBase] = {}

    def of(self, metric: Kind, *labels: str) -> Kind:
        """The child of ``metric`` with these labels."""
        key = (metric, labels)
        child = self._known.get(key)
        if child is None:
            child = self._known[key] = metric.labels(*labels)
        return child  # type: ignore[return-value]
