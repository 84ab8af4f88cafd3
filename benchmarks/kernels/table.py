# SPDX-License-Identifier: Apache-2.0
"""Results as a Markdown table."""

from collections.abc import Sequence
from typing import Any

HEADER = "| work | by | time | ratio to ours (95 %) |\n| --- | --- | --- | --- |"


def table(measured: Sequence[dict[str, Any]], header: bool = True) -> str:
    """One row a contender, ours first, then by time."""
    rows = [HEADER] if header else []
    for case in measured:
        ordered = sorted(
            case["contenders"].items(), key=lambda item: (item[0] != case["ours"], item[1]["median_s"])
        )
        for name, found in ordered:
            work = case["name"] if name == case["ours"] else ""
            by = f"**{name}**" if name == case["ours"] else name
            floor = " (floor)" if found["floor"] else ""
            rows.append(f"| {work} | {by}{floor} | {shown(found, case['elements'])} | {ratio(found)} |")
        rows += [f"| | skipped: {line} | | |" for line in case["skipped"]]
    return "\n".join(rows)


def shown(found: dict[str, Any], elements: int) -> str:
    """Time of an element, or of a call."""
    if elements:
        return f"{found['median_s'] / elements * 1e9:.3g} ns/element"
    return f"{found['median_s'] * 1e6:.2f} µs"


def ratio(found: dict[str, Any]) -> str:
    """Ratio with its interval; nothing for ours."""
    if "ratio" not in found:
        return ""
    return f"{found['ratio']:.2f} ({found['ratio_low']:.2f}–{found['ratio_high']:.2f})"
