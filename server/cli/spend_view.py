# SPDX-License-Identifier: Apache-2.0
"""Spend, budgets and estimates as tables."""

from collections.abc import Sequence

from rich.console import Console
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
from server.cli.fitting import Cell, Column, FittingTable

_BUDGET_COLUMNS = (
    Column("Budget", "left"),
    Column("Scope", "left", 1, "dim"),
    Column("Window", "left", 2, "dim"),
    Column("Limit"),
    Column("Settled"),
    Column("Reserved", rank=3),
    Column("Left"),
    Column("Used"),
    Column("", "left", 4),
    Column("Does", "left"),
)
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


def _spends(spends: Sequence[Spend], by: str) -> FittingTable:
    names = ["Calls", "Settled", "Estimated", "Reserved"]
    some_unknown = any(spend.unpriced_calls for spend in spends)
    if some_unknown:
        names.insert(1, "Cost not known")
    columns = _columns(by.capitalize() or "Spent", *names)
    return FittingTable(columns, [_spent(spend, by, some_unknown=some_unknown) for spend in spends])


def _spent(spend: Spend, by: str, *, some_unknown: bool) -> Sequence[str]:
    unknown = (looks.counted(spend.unpriced_calls, "call") if spend.unpriced_calls else "",)
    return (
        spend.group or ("in all" if not by else "(none)"),
        f"{spend.calls:,}",
        *(unknown if some_unknown else ()),
        usd(spend.settled_nano_usd),
        usd(spend.estimated_nano_usd),
        usd(spend.reserved_nano_usd),
    )


def budgets_table(budgets: Sequence[BudgetStatus]) -> FittingTable:
    """How much of each budget is used, and what it does about it."""
    return FittingTable(_BUDGET_COLUMNS, [_budget(status) for status in budgets])


def _budget(status: BudgetStatus) -> Sequence[Cell]:
    budget = status.budget
    return (
        budget.name,
        budget.scope,
        f"each {looks.window(budget.window)}" if budget.window else "for ever",
        usd(budget.limit_nano_usd),
        usd(status.settled_nano_usd),
        usd(status.reserved_nano_usd),
        usd(status.left_nano_usd),
        looks.percent(status.used, 0),
        looks.bar(status.used),
        _CONTROLS.get(status.control, "nothing"),
    )


def show_estimate(console: Console, estimate: CostEstimate) -> None:
    """Print what a question would cost."""
    columns = _columns("Member", "Usually", "A call at most", "Calls at most")
    console.print(FittingTable(columns, [(one.member, *_figures(one)) for one in estimate.members]))
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


def _columns(first: str, *others: str) -> Sequence[Column]:
    return [Column(first, "left"), *map(Column, others)]
