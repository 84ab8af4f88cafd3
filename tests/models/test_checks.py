# SPDX-License-Identifier: Apache-2.0
"""Every architecture passes every named check, in the form that is shipped and in others."""

import pytest

from models.architectures import ARCHITECTURES, make_config
from models.checks import CHECKS, Specimen

FORMS = [
    ("bin_ctabl", {}),
    ("bin_ctabl", {"levels": 20}),
    ("bin_ctabl", {"levels": 1, "horizons": [10]}),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize(("name", "config"), FORMS, ids=str)
def test_check(name, config, check):
    check(Specimen(ARCHITECTURES[name], make_config(name, config)))


def test_every_architecture_is_checked():
    assert {name for name, _ in FORMS} == set(ARCHITECTURES)
