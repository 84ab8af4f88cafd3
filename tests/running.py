# SPDX-License-Identifier: Apache-2.0
"""A whole server in this process, on real ports, with members at a simulated provider."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc

from consilience.v1 import admin_service_pb2_grpc, predict_service_pb2, predict_service_pb2_grpc, question_pb2
from consilience.v1 import prediction_pb2 as wishes
from server.app import App
from server.config import Settings

PRICE = {"input": 1.0, "output": 4.0}


class Running:
    """The server and a channel to it."""

    def __init__(self, app: App, channel: grpc.aio.Channel) -> None:
        self.app = app
        self.predict = predict_service_pb2_grpc.PredictServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)

    async def ask(self, text: str = "Will it rain?", **options: Any) -> wishes.Prediction:
        """One question of one's own."""
        request = predict_service_pb2.PredictRequest(
            question=question_pb2.Question(text=text, market_probability=0.3),
            options=wishes.PredictOptions(**options),
        )
        return (await self.predict.Predict(request)).prediction

    async def metrics(self) -> dict[str, float]:
        """All samples of the real endpoint, by name and labels as they are written."""
        url = f"http://{self.app.metrics_address}/metrics"
        text = await asyncio.to_thread(lambda: urlopen(url).read().decode())
        lines = (line.rpartition(" ") for line in text.splitlines() if line and line[0] != "#")
        return {name: float(value) for name, _, value in lines}


def settings(folder: Path, **parts: Any) -> Settings:
    """Settings with a database of its own and free ports."""
    return Settings(
        rpc={"listen": "127.0.0.1:0", "grace_s": 2.0, **parts.pop("rpc", {})},
        storage={"url": f"sqlite:///{folder / 'test.db'}"},
        telemetry={"metrics_listen": "127.0.0.1:0", **parts.pop("telemetry", {})},
        **parts,
    )


def chat(model: str, provider: str = "sim", **more: Any) -> dict[str, Any]:
    """A member at a provider."""
    return {"kind": "chat", "provider": provider, "model": model, "price": PRICE, **more}


@asynccontextmanager
async def running(chosen: Settings) -> AsyncIterator[Running]:
    """Start it, and stop it at the end."""
    app = App(chosen)
    await app.start()
    try:
        async with grpc.aio.insecure_channel(app.rpc.address) as channel:
            yield Running(app, channel)
    finally:
        await app.stop()
