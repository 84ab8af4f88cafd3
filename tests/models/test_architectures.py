# SPDX-License-Identifier: Apache-2.0
import pytest

from models.architectures import architecture, make_config, plain_config


def test_unknown_architecture():
    with pytest.raises(ValueError, match=r"architecture: 'gpt' is not known; choose from .*bin_ctabl"):
        architecture("gpt")


def test_unknown_setting():
    with pytest.raises(ValueError, match=r"config\.depth: bin_ctabl has no such setting; it has .*width"):
        make_config("bin_ctabl", {"depth": 3})


def test_settings_survive_json():
    config = make_config("bin_ctabl", {"horizons": [10, 20], "width": 8})
    assert make_config("bin_ctabl", plain_config(config)) == config


def test_the_default_has_about_sixteen_thousand_parameters():
    kind = architecture("bin_ctabl")
    assert 12_000 < kind.build(make_config("bin_ctabl", {})).parameter_count() < 18_000
