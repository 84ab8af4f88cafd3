# SPDX-License-Identifier: Apache-2.0
"""The one form in which every network answers.

Shape letters of this room: B windows in a batch, T rows of a window, D values
of a row, H horizons, W width of what a network's body hands to its heads.
"""

import torch
from torch import Tensor, nn

DIRECTIONS = ("DOWN", "NEUTRAL", "UP")
CLASSES = len(DIRECTIONS)

#: Names of the outputs, in the order in which ``forward`` returns them.
DIRECTION_LOGITS = "direction_logits"
CONFIDENCE = "confidence"
EXPECTED_RETURN_BPS = "expected_return_bps"

Heads = tuple[Tensor, Tensor, Tensor]


def odds_of(direction_logits: Tensor, call: Tensor) -> Tensor:
    """Log-odds of the called direction against the others: (B, H, 3), (B, H) -> (B, H)."""
    log_probability = torch.log_softmax(direction_logits, dim=-1)
    called = torch.gather(log_probability, -1, call.unsqueeze(-1)).squeeze(-1).clamp(max=-1e-6)
    return called - torch.log(-torch.expm1(called))


class Calibration(nn.Module):
    """What is set after training, on data that the training never saw; at first it changes nothing.

    - logits become ``scale * logits + shift``: temperature and class bias of each horizon.
    - ``call_offset`` (H, 3) is added to the logits before the direction is
      called: it trades accuracy on the common class for the rare ones and
      leaves the probabilities alone.
    - the odds of the confidence become ``trust * odds + lean * lift + doubt``: how
      much is left of the direction's own odds, and of what was learned beside them.
    - ``return_bps`` (H,) is the unit of the expected return.
    """

    scale: Tensor
    shift: Tensor
    call_offset: Tensor
    trust: Tensor
    lean: Tensor
    doubt: Tensor
    return_bps: Tensor

    def __init__(self, *, horizons: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(horizons, 1))
        self.register_buffer("shift", torch.zeros(horizons, CLASSES))
        self.register_buffer("call_offset", torch.zeros(horizons, CLASSES))
        self.register_buffer("trust", torch.ones(horizons))
        self.register_buffer("lean", torch.ones(horizons))
        self.register_buffer("doubt", torch.zeros(horizons))
        self.register_buffer("return_bps", torch.ones(horizons))

    def forward(self, logits: Tensor, lift: Tensor, expected: Tensor) -> Heads:
        """Raw logits (B, H, 3), lift of the odds (B, H), return in its unit (B, H) -> heads."""
        calibrated = logits * self.scale + self.shift
        plain = calibrated.detach()
        call = torch.argmax(plain + self.call_offset, dim=-1)
        odds = self.trust * odds_of(plain, call) + self.lean * lift + self.doubt
        return calibrated, torch.sigmoid(odds), expected * self.return_bps


class ForecastHeads(nn.Module):
    """Three answers for each horizon, from one embedding of the window.

    - direction logits (B, H, 3): down, neutral, up; softmax gives probabilities.
    - confidence (B, H) in 0..1: probability that the direction called is right.
      It starts from the odds that the direction head gives its own call and
      learns what those leave out; no gradient flows back into that head.
    - expected return (B, H), basis points: change of the mid over the horizon.
    """

    def __init__(self, *, width: int, horizons: int) -> None:
        super().__init__()
        self.horizons = horizons
        self.sizes = [horizons * CLASSES, horizons, horizons]
        self.answers = nn.Linear(width, sum(self.sizes))
        self.calibration = Calibration(horizons=horizons)
        with torch.no_grad():
            self.answers.weight[horizons * CLASSES :] = 0.0
            self.answers.bias[horizons * CLASSES :] = 0.0

    def forward(self, embedding: Tensor) -> Heads:
        """(B, W) -> (B, H, 3), (B, H), (B, H)."""
        logits, lift, expected = self.answers(embedding).split(self.sizes, dim=1)
        heads: Heads = self.calibration(logits.unflatten(1, (self.horizons, -1)), lift, expected)
        return heads


class ForecastNetwork(nn.Module):
    """What every architecture is: a body of its own, and ``heads`` at its end."""

    def fit_inputs(self, *inputs: Tensor) -> None:
        """Take the scale of the inputs from examples of the training part; nothing by default."""
        del inputs

    def calibration(self) -> Calibration:
        """What is set after training."""
        found = self.get_submodule("heads.calibration")
        assert isinstance(found, Calibration)  # noqa: S101 - tells mypy
        return found

    def parameter_count(self) -> int:
        """Numbers that training may change."""
        return sum(parameter.numel() for parameter in self.parameters())
