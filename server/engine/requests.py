# SPDX-License-Identifier: Apache-2.0
"""A request that another server is answering: wait for its answer, or take over when it dies."""

import asyncio

from server.engine.recording import SEND_S, Recorder
from server.engine.treasury import Account
from server.forecasting.deadline import Deadline
from server.forecasting.errors import DeadlineError
from server.forecasting.prediction import Prediction

#: Between looks.
POLL_S = 0.05


async def answered_elsewhere(recorder: Recorder, account: Account, deadline: Deadline) -> Prediction | None:
    """The other server's answer; None: it has given up, and the request is ours now.

    Raises:
        DeadlineError: neither came to pass in time to say so by the deadline.
    """
    payer, deadline = account.payer, deadline.earlier(SEND_S)
    try:
        async with deadline.timeout():
            while True:
                stored = await recorder.find(payer.caller, payer.request_id)
                if stored is not None:
                    return stored
                if await account.take_over(deadline):
                    return None
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        msg = "another server is answering this request; repeat it to get its answer"
        raise DeadlineError(msg) from None
