# SPDX-License-Identifier: Apache-2.0
"""Spend, budgets and estimates as tables."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from consilience import (
    BudgetStatus,
    Cost,
    CostEstimate,
    CostSource,
    MemberCostEstimate,
    Spend,
    SpendingControl,
    SpendReport,
)
from server.cli import looks

_CONTROLS = {
    SpendingControl.CHEAPER: Text("cheaper set", "yellow"),
    SpendingControl.CASCADE: Text("cascade", "bold yellow"),
    SpendingControl.STOP: Text("stop", "bold red"),
}


def show_spend(console: Console, report: SpendReport, by: str) -> None:
    """Print what was spent, then the budgets."""
    console.print(_spends(report.spends, by))
    if report.budgets:
        console.print(budgets_table(report.budgets))
    else:
        console.print("No budget is set: `consilience budget set NAME USD --window 1d` sets one.")


def _spends(spends: Sequence[Spend], by: str) -> Table:
    table = _table(by.capitalize() or "Spent", ("Calls", "Settled", "Estimated", "Reserved"))
    for spend in spends:
        table.add_row(
            spend.group or ("in all" if not by else "(none)"),
            f"{spend.calls:,}",
            usd(spend.settled_nano_usd),
            usd(spend.estimated_nano_usd),
            usd(spend.reserved_nano_usd),
        )
    return table


def budgets_table(budgets: Sequence[BudgetStatus]) -> Table:
    """How much of each budget is used, and what it does about it."""
    table = _table("Budget", ("Limit", "Settled", "Reserved", "Left", "Used", "", "Does"))
    table.columns[6].justify = "left"
    for status in budgets:
        budget = status.budget
        window = f" each {looks.window(budget.window)}" if budget.window else ""
        table.add_row(
            Text.assemble(budget.name, (f"  {budget.scope}{window}", "dim")),
            usd(budget.limit_nano_usd),
            usd(status.settled_nano_usd),
            usd(status.reserved_nano_usd),
            usd(status.left_nano_usd),
            looks.percent(status.used, 0),
            looks.bar(status.used),
            _CONTROLS.get(status.control, ""),
        )
    return table


def show_estimate(console: Console, estimate: CostEstimate) -> None:
    """Print what a question would cost."""
    table = _table("Member", ("Usually", "A call at most", "Calls at most"))
    for member in estimate.members:
        table.add_row(member.member, *_figures(member))
    console.print(table)
    console.print(
        f"Usually {amount(estimate.expected)}, at most {amount(estimate.upper_bound)}.", style="bold"
    )


def _figures(member: MemberCostEstimate) -> tuple[str, str, str]:
    if member.max_calls == 0:
        return "free", "", ""
    return amount(member.expected), amount(member.upper_bound), str(member.max_calls)


def amount(cost: Cost | None) -> str:
    """An amount of an estimate."""
    return "not known" if cost is None else usd(cost.nano_usd)


def usd(nano_usd: int) -> str:
    """An exact amount."""
    return looks.money(Cost(nano_usd, CostSource.UNSPECIFIED))


def _table(first: str, others: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
