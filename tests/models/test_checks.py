# SPDX-License-Identifier: Apache-2.0
"""Every architecture passes every named check, in the form that is shipped and in others."""

import pytest

from models.architectures import ARCHITECTURES, make_config
from models.checks import CHECKS, Specimen, check_compiled_equals_eager, check_shapes

#: Few layers, so that all checks are quick; the parts are the same.
FORMS = [
    ("bin_ctabl", {}),
    ("bin_ctabl", {"summary": True}),
    ("bin_ctabl", {"levels": 20}),
    ("bin_ctabl", {"levels": 1, "horizons": [10]}),
    ("bin_ctabl", {"levels": 10, "encoding": "fi2010_window_as_published"}),
    ("book_memory", {}),
    ("book_mlp", {}),
    ("mlplob", {}),
    ("mlplob", {"summary": True}),
    ("mlplob", {"levels": 10, "rows": 100, "layers": 1}),
    ("tlob", {"layers": 1}),
    ("tlob", {"layers": 1, "auxiliary": True}),
    ("mpd_transformer", {"layers": 1, "width": 64}),
    ("cnn_lstm", {"hidden": 64}),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize(("name", "config"), FORMS, ids=str)
def test_check(name, config, check):
    check(Specimen(ARCHITECTURES[name], make_config(name, config)))


@pytest.mark.parametrize("name", ["tlob", "mpd_transformer", "cnn_lstm"])
@pytest.mark.parametrize("check", [check_shapes, check_compiled_equals_eager])
def test_full_size(name, check):
    check(Specimen(ARCHITECTURES[name], make_config(name, {})))


def test_every_architecture_is_checked():
    assert {name for name, _ in FORMS} == set(ARCHITECTURES)
