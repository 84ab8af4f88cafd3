# SPDX-License-Identifier: Apache-2.0
"""Configurations of servers under test."""

RECORDED = """
[recordings]
forecasts = "samples/forecasts"
min_forecasters = 11
cache = ""

[forecasters.sonnet]
kind = "recorded"
model = "sonnet-high-brave-c0-t1"

[forecasters.gpt5]
kind = "recorded"
model = "gpt5-high-brave-c0-t1"

[forecasters.gemini]
kind = "recorded"
model = "pro-high-brave-c0-t1"

[forecasters.market]
kind = "market"

[ensembles.recorded]
members = ["sonnet", "gpt5", "gemini", "market"]
"""
QUESTION = "polymarket-4zgncn-20251026"


def simulated(url: str, models: dict[str, str], closed_port: int = 0, **ensemble: object) -> str:
    """One chat member for each of the simulator's models, always asked: no breakers, no modes.

    With ``closed_port``, "refused" has a provider that nobody listens for.
    """
    members = [
        f'[forecasters.{name}]\nkind = "chat"\nprovider = "sim"\nmodel = "{model}"\n'
        for name, model in models.items()
    ]
    names = list(models)
    if closed_port:
        members.append('[forecasters.refused]\nkind = "chat"\nprovider = "closed"\nmodel = "sim-fast"\n')
        names.append("refused")
    choices = "\n".join(f"{key} = {_toml(value)}" for key, value in ensemble.items())
    return f"""
[providers.sim]
base_url = "{url}/local/v1"
breaker = {{enabled = false}}

[degradation]
enabled = false

[providers.closed]
base_url = "http://127.0.0.1:{closed_port or 9}/v1"
breaker = {{enabled = false}}

{"".join(members)}

[ensembles.simulated]
members = {names!r}
{choices}
"""


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
