# SPDX-License-Identifier: Apache-2.0
"""Models that repeat what they are given, in every datatype; one that counts; one that fails."""

import asyncio
import time

from server.inference.errors import ModelFailedError, QueueFullError, QueueTimeoutError, UnknownModelError
from server.inference.servable import ModelEntry, ModelForm, ModelState, TensorForm
from server.inference.statistics import Execution, Statistics
from server.rpc.inference.datatypes import DATATYPES


class Repeating:
    """Any subset of 14 inputs, one of each datatype, any length; each comes back as it was."""

    form = ModelForm(
        name="repeating",
        version=3,
        platform="test",
        backend="test",
        inputs=tuple(TensorForm(f"in_{name}", name, (-1, -1), optional=True) for name in DATATYPES),
        outputs=tuple(TensorForm(f"out_{name}", name, (-1, -1)) for name in DATATYPES),
    )

    def __init__(self):
        self.statistics = Statistics()
        self.wishes = []

    async def answer(self, inputs, wishes):
        self.wishes.append(wishes)
        self.statistics.executed(Execution(1, [0], 1, 1, 1))
        return [inputs.get(each.name) for each in self.form.inputs]

    def counts(self):
        return self.statistics.snapshot()


class Held:
    """Answers its own input once its turn is called."""

    form = ModelForm(
        name="held",
        version=1,
        platform="test",
        backend="test",
        inputs=(TensorForm("number", "INT32", (1,)),),
        outputs=(TensorForm("number", "INT32", (1,)),),
    )

    def __init__(self):
        self.turns = {}
        self.cancelled = []

    def turn(self, number):
        return self.turns.setdefault(number, asyncio.Event())

    async def answer(self, inputs, wishes):
        number = int(inputs["number"][0])
        if number == 13:
            raise ModelFailedError("ArithmeticError: thirteen")
        if number == 14:
            raise QueueFullError("2 items wait already", 0.25)
        if number == 15:
            raise QueueTimeoutError("the time was up before its turn came")
        try:
            await self.turn(number).wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        return [inputs["number"]]

    def counts(self):
        return Statistics().snapshot()


class Counting(Held):
    """Decoupled: as many responses as its input says; ``sure``: the last one is marked as such."""

    def __init__(self, *, sure):
        super().__init__()
        self.sure = sure
        self.form = ModelForm(
            name="counting" if sure else "counting_on",
            version=1,
            platform="test",
            backend="test",
            inputs=Held.form.inputs,
            outputs=Held.form.outputs,
            decoupled=True,
        )

    async def answers(self, inputs, wishes):
        count = int(inputs["number"][0])
        if count == 13:
            raise ModelFailedError("ArithmeticError: thirteen")
        for number in range(count):
            yield [inputs["number"] * 0 + number], self.sure and number == count - 1


class Source:
    """A source of ready models."""

    def __init__(self, *models):
        self.models = {model.form.name: model for model in models}

    def get(self, name, version):
        model = self.models.get(name)
        if model is None or version not in {None, model.form.version}:
            raise UnknownModelError("not there")
        return model

    def loaded(self):
        return list(self.models.values())

    def index(self):
        return [ModelEntry(m.form.name, m.form.version, ModelState.READY) for m in self.models.values()]

    async def load(self, name, version):
        self.get(name, version)

    async def unload(self, name):
        self.get(name, None)


def now_ms():
    return time.time_ns() // 1_000_000
