# SPDX-License-Identifier: Apache-2.0
"""A prediction as it forms: a table that changes in place, or one line for each arrival."""

from types import TracebackType
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table as RichTable
from rich.text import Text

from consilience import MemberArrived, PredictionEvent, PredictionStarted, RunningConsensus
from server.cli import looks
from server.cli.plain import plain, write_json_line

_NAMES = {"PredictionStarted": "started", "MemberArrived": "arrived", "Prediction": "prediction"}


def as_line(event: PredictionEvent) -> None:
    """An event as one line of JSON."""
    write_json_line({"event": _NAMES[type(event).__name__], **plain(event)})


class Forming:
    """What is known so far: who was asked, who came, how the consensus moved."""

    def __init__(self) -> None:
        self.members: tuple[str, ...] = ()
        self.outcomes: tuple[str, ...] = ()
        self.arrived: dict[str, MemberArrived] = {}
        self.history: list[float] = []
        self.consensus: RunningConsensus | None = None

    def note(self, event: PredictionEvent) -> None:
        """Take an event in."""
        if isinstance(event, PredictionStarted):
            self.members, self.outcomes = event.members, event.outcomes
        elif isinstance(event, MemberArrived):
            self.arrived[event.answer.member] = event
            self.consensus = event.consensus or self.consensus
            if event.consensus is not None and event.consensus.probabilities:
                self.history.append(event.consensus.probabilities[0])

    def consensus_text(self) -> Text:
        """The consensus in one line."""
        if self.consensus is None or not self.consensus.probabilities:
            return Text("no consensus yet", "dim")
        share = self.consensus.probabilities[0]
        name = self.outcomes[0] if self.outcomes else self.consensus.outcome
        text = Text(f"P({name}) {share:.1%}", "bold")
        text.append(f"  {looks.percent(self.consensus.agreement.vote_share, 0)} agree", "not bold")
        return text.append("  settled" if self.consensus.settled else "", "bold green")


def answer_text(arrived: MemberArrived) -> Text:
    """A member's answer, or why there is none."""
    answer = arrived.answer
    if answer.absent is not None:
        return Text(f"{answer.absent.reason}: {answer.absent.detail}".rstrip(": "), "dim italic")
    if answer.probability is None:
        return Text(answer.forecast.text if answer.forecast else "")
    return Text(f"{looks.bar(answer.probability)} {answer.probability:6.1%}", "cyan")


class Table:
    """For terminals: one table that changes in place."""

    def __init__(self, console: Console) -> None:
        self._forming = Forming()
        self._live = Live(console=console, refresh_per_second=12, get_renderable=self._render)

    def show(self, event: PredictionEvent) -> None:
        """Take an event in; the screen follows."""
        self._forming.note(event)
        self._live.refresh()

    def _render(self) -> RenderableType:
        table = RichTable(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("Member", no_wrap=True)
        table.add_column("Answer", min_width=24)
        table.add_column("Latency", justify="right")
        for member in self._forming.members:
            arrived = self._forming.arrived.get(member)
            if arrived is None:
                table.add_row(member, Spinner("dots"), "")
            else:
                table.add_row(member, answer_text(arrived), looks.duration(arrived.answer.latency_s))
        moved = Text.assemble(("Consensus ", "dim"), self._forming.consensus_text(), "  ")
        return Group(table, moved.append(looks.spark(self._forming.history), "cyan"), "")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


class Plain:
    """For pipes and files: one line for each arrival."""

    def __init__(self, console: Console) -> None:
        self._forming = Forming()
        self._console = console

    def show(self, event: PredictionEvent) -> None:
        """Print a line."""
        self._forming.note(event)
        if isinstance(event, MemberArrived):
            name = Text(f"{event.answer.member:24.24} ")
            line = Text.assemble(name, answer_text(event), "  → ", self._forming.consensus_text())
            self._console.print(line, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
