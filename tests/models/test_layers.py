# SPDX-License-Identifier: Apache-2.0
"""Parts of networks against torch's own."""

import torch
from torch import nn

from models.layers import SelfAttention


def test_attention_is_torchs_own_in_training_and_after():
    torch.manual_seed(3)
    attention = SelfAttention(width=24, heads=4)
    oracle = nn.MultiheadAttention(24, 4, batch_first=True)
    oracle.load_state_dict(
        {
            "in_proj_weight": attention.project_in.weight,
            "in_proj_bias": attention.project_in.bias,
            "out_proj.weight": attention.project_out.weight,
            "out_proj.bias": attention.project_out.bias,
        }
    )
    x = torch.randn(5, 7, 24)
    expected = oracle(x, x, x, need_weights=False)[0]
    torch.testing.assert_close(attention.train()(x), expected)
    torch.testing.assert_close(attention.eval()(x), expected)
