# SPDX-License-Identifier: Apache-2.0
import numpy as np
import torch
from scipy.special import logit, softmax

from models.heads import ForecastHeads, odds_of


def test_odds_are_those_of_the_called_class():
    logits = torch.randn(5, 2, 3)
    call = torch.randint(3, (5, 2))
    chance = np.take_along_axis(softmax(logits.numpy(), 2), call.numpy()[..., None], 2)[..., 0]
    np.testing.assert_allclose(odds_of(logits, call).numpy(), logit(chance), rtol=1e-4, atol=1e-5)


def test_odds_stay_finite_where_a_class_is_certain():
    logits = torch.tensor([[[100.0, 0.0, 0.0]], [[-100.0, 0.0, 0.0]]])
    assert torch.isfinite(odds_of(logits, torch.zeros(2, 1, dtype=torch.long))).all()


def test_fresh_heads_trust_their_own_odds():
    heads = ForecastHeads(width=4, horizons=2)
    logits, confidence, expected = heads(torch.randn(6, 4))
    torch.testing.assert_close(confidence, torch.softmax(logits, -1).max(-1).values)
    assert not expected.any()


def test_confidence_speaks_of_the_call_and_not_of_the_most_probable_class():
    heads = ForecastHeads(width=4, horizons=1)
    heads.calibration.call_offset.copy_(torch.tensor([[9.0, 0.0, 0.0]]))
    logits, confidence, _ = heads(torch.randn(6, 4))
    torch.testing.assert_close(confidence[:, 0], torch.softmax(logits, -1)[:, 0, 0])


def test_calibration_scales_and_shifts():
    heads = ForecastHeads(width=4, horizons=2)
    embedding = torch.randn(6, 4)
    plain, _, _ = heads(embedding)
    heads.calibration.scale.fill_(0.5)
    heads.calibration.shift.copy_(torch.arange(6.0).view(2, 3))
    torch.testing.assert_close(heads(embedding)[0], 0.5 * plain + torch.arange(6.0).view(2, 3))


def test_no_gradient_of_the_confidence_reaches_the_direction_head():
    heads = ForecastHeads(width=4, horizons=1)
    heads(torch.randn(6, 4))[1].sum().backward()
    assert not heads.answers.weight.grad[:3].any()
    assert heads.answers.weight.grad[3].any()
