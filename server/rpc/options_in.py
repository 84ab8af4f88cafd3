# SPDX-License-Identifier: Apache-2.0
"""A caller's wishes from the wire."""

from google.protobuf.duration_pb2 import Duration

from consilience.v1 import prediction_pb2
from server.forecasting.ensemble import Durability, Options
from server.forecasting.money import MOST_NANO_USD
from server.rpc.rules import Rules

MAX_NAME = 128
MAX_SECONDS = 300.0
MAX_MEMBERS = 256
MAX_TAGS = 32

_DURABILITIES = {
    prediction_pb2.DURABILITY_UNSPECIFIED: None,
    prediction_pb2.DURABILITY_DURABLE: Durability.DURABLE,
    prediction_pb2.DURABILITY_DEADLINE_FIRST: Durability.DEADLINE_FIRST,
    prediction_pb2.DURABILITY_NONE: Durability.NONE,
}
MAX_AGE_S = 30 * 86_400.0


def options_from(message: prediction_pb2.PredictOptions, rules: Rules, at: str = "options") -> Options:
    """The wishes; broken rules are noted under the path ``at``."""
    return Options(
        ensemble=rules.text(f"{at}.ensemble", message.ensemble, MAX_NAME, printable=True),
        members=_members(message, rules, f"{at}.members"),
        pooling=rules.text(f"{at}.pooling", message.pooling, MAX_NAME, printable=True),
        execution=rules.text(f"{at}.execution", message.execution, MAX_NAME, printable=True),
        selection=rules.text(f"{at}.selection", message.selection, MAX_NAME, printable=True),
        weighting=rules.text(f"{at}.weighting", message.weighting, MAX_NAME, printable=True),
        calibration=rules.text(f"{at}.calibration", message.calibration, MAX_NAME, printable=True),
        deadline_s=rules.seconds(f"{at}.deadline", message.deadline, MAX_SECONDS)
        if message.HasField("deadline")
        else None,
        member_timeout_s=rules.seconds(f"{at}.member_timeout", message.member_timeout, MAX_SECONDS)
        if message.HasField("member_timeout")
        else None,
        min_responses=_min_responses(message, rules, at),
        min_agreement=_share(message, "min_agreement", rules, at),
        high_agreement=_share(message, "high_agreement", rules, at),
        early_stop_threshold=_share(message, "early_stop_threshold", rules, at),
        min_consensus=_share(message, "min_consensus", rules, at),
        confidence_threshold=_share(message, "confidence_threshold", rules, at),
        hedge_delay_s=rules.seconds(f"{at}.hedge_delay", message.hedge_delay, MAX_SECONDS)
        if message.HasField("hedge_delay")
        else None,
        max_cost_nano_usd=_max_cost(message, rules, at),
        share_market_price=message.share_market_price,
        durability=_durability(message, rules, at),
        weights=_weights(message, rules, f"{at}.weights"),
        tags=_tags(message, rules, f"{at}.tags"),
        max_age_s=_max_age_s(message, rules, f"{at}.max_age"),
        similar=message.similar if message.HasField("similar") else None,
    )


def _max_age_s(message: prediction_pb2.PredictOptions, rules: Rules, at: str) -> float | None:
    """0 means never from the cache, which is more than leaving it out."""
    if not message.HasField("max_age"):
        return None
    if message.max_age == Duration():
        return 0.0
    return rules.seconds(at, message.max_age, MAX_AGE_S)


def _members(message: prediction_pb2.PredictOptions, rules: Rules, at: str) -> tuple[str, ...]:
    rules.count(at, message.members, MAX_MEMBERS)
    if len(set(message.members)) != len(message.members):
        rules.broken(at, "the names must differ")
    for index, name in enumerate(message.members):
        rules.text(f"{at}[{index}]", name, MAX_NAME, least=1, printable=True)
    return tuple(message.members)


def _min_responses(message: prediction_pb2.PredictOptions, rules: Rules, at: str) -> int | None:
    if not message.HasField("min_responses"):
        return None
    return int(rules.number(f"{at}.min_responses", message.min_responses, 1, MAX_MEMBERS))


def _max_cost(message: prediction_pb2.PredictOptions, rules: Rules, at: str) -> int | None:
    if not message.HasField("max_cost_nano_usd"):
        return None
    return int(rules.number(f"{at}.max_cost_nano_usd", message.max_cost_nano_usd, 0, MOST_NANO_USD))


def _share(message: prediction_pb2.PredictOptions, name: str, rules: Rules, at: str) -> float | None:
    if not message.HasField(name):
        return None
    return rules.share(f"{at}.{name}", getattr(message, name))


def _durability(message: prediction_pb2.PredictOptions, rules: Rules, at: str) -> Durability | None:
    if message.durability not in _DURABILITIES:
        rules.broken(f"{at}.durability", f"{message.durability} is not a Durability")
    return _DURABILITIES.get(message.durability)


def _weights(message: prediction_pb2.PredictOptions, rules: Rules, at: str) -> dict[str, float]:
    rules.count(at, message.weights, MAX_MEMBERS)
    return {name: rules.weight(f"{at}[{name}]", weight) for name, weight in message.weights.items()}


def _tags(message: prediction_pb2.PredictOptions, rules: Rules, at: str) -> dict[str, str]:
    rules.count(at, message.tags, MAX_TAGS)
    for key, value in message.tags.items():
        rules.text(f"{at}[{key[:64]}]", key, 64, least=1, printable=True)
        rules.text(f"{at}[{key[:64]}]", value, 256)
    return dict(message.tags)
