# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from models.architectures import architecture, make_config, plain_config
from models.layers import FeatureScaling
from models.mpd_transformer import Patches


def test_unknown_architecture():
    with pytest.raises(ValueError, match=r"architecture: 'gpt' is not known; choose from .*bin_ctabl"):
        architecture("gpt")


def test_unknown_setting():
    with pytest.raises(ValueError, match=r"config\.depth: bin_ctabl has no such setting; it has .*width"):
        make_config("bin_ctabl", {"depth": 3})


def test_settings_survive_json():
    config = make_config("bin_ctabl", {"horizons": [10, 20], "width": 8})
    assert make_config("bin_ctabl", plain_config(config)) == config


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("book_memory", 8_000, 16_000),
        ("bin_ctabl", 6_000, 18_000),
        ("mlplob", 25_000, 45_000),
        ("tlob", 1_100_000, 1_300_000),
        ("cnn_lstm", 1_900_000, 2_100_000),
        ("mpd_transformer", 4_700_000, 4_900_000),
    ],
)
def test_sizes_are_those_promised(name, least, most):
    count = architecture(name).build(make_config(name, {})).parameter_count()
    assert least <= count <= most, f"{name} has {count} parameters"


def test_patches_tile_the_features_without_remainder():
    features = torch.arange(60 * 112.0).view(1, 60, 112)
    patches = Patches(patch=(10, 14))(features)
    assert patches.shape == (1, 48, 140)
    assert torch.equal(patches[0, 0].view(10, 14), features[0, :10, :14])
    assert torch.equal(patches[0, 9].view(10, 14), features[0, 10:20, 14:28])
    with pytest.raises(ValueError, match="patch: "):
        make_config("mpd_transformer", {"patch": [7, 14]})


def test_the_defaults_are_those_of_the_rows():
    mpd, tlob = make_config("mpd_transformer", {}), make_config("tlob", {})
    assert (mpd.patch, mpd.width, mpd.layers, mpd.heads, mpd.ratio, mpd.dropout) == (
        (10, 14),
        256,
        6,
        8,
        4,
        0.1,
    )
    assert (tlob.spatial, tlob.scales, tlob.layers, tlob.width, tlob.heads) == (
        (32, 64, 128),
        (3, 5, 7),
        4,
        128,
        4,
    )
    assert tlob.horizons == (10, 30, 50)


def test_features_are_scaled_by_median_and_deviation_clipped_and_filled():
    scaling = FeatureScaling()
    generator = np.random.default_rng(0)
    features = generator.standard_normal((500, 112)).astype(np.float32) * 3 + 5
    features[:, 1] = 7.0
    features[::3, 2] = np.nan
    scaling.fit(torch.from_numpy(features))
    median = np.nanmedian(features, axis=0)
    deviation = 1.4826 * np.nanmedian(np.abs(features - median), axis=0)
    deviation[1] = 1.0
    probe = features[:50] * 10
    wanted = np.nan_to_num(np.clip((probe - median) / deviation, -8, 8))
    np.testing.assert_allclose(scaling(torch.from_numpy(probe)).numpy(), wanted, atol=0.1)
    assert not torch.isnan(scaling(torch.full((1, 112), float("nan")))).any()
