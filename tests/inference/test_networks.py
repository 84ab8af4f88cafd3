# SPDX-License-Identifier: Apache-2.0
"""What is loaded when, and who may change it."""

import numpy as np
import pytest

from server.inference.errors import ControlError, ModelNotReadyError
from server.inference.networks import Networks
from server.inference.servable import ModelState, Servable, Wishes
from server.inference.settings import InferenceSettings
from tests.inference import artifacts


@pytest.fixture
def root(tmp_path):
    artifacts.write(tmp_path, name="member")
    artifacts.write(tmp_path, name="other")
    artifacts.write(tmp_path, name="third")
    return tmp_path


@pytest.fixture
async def networks(root):
    made = []

    def make(*, first=("member",), **settings):
        made.append(Networks(InferenceSettings(repository=root, **settings), first=first))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def states(networks):
    return {entry.name: entry.state for entry in networks.models.index()}


async def test_members_first_the_rest_later(networks):
    made = networks(load=("*",))
    assert [served.name for served in made.repository.loaded()] == ["member"]
    rest = made.announce_rest()
    assert rest == ["other", "third"]
    assert states(made) == {
        "member": ModelState.READY,
        "other": ModelState.LOADING,
        "third": ModelState.LOADING,
    }
    with pytest.raises(ModelNotReadyError):
        made.models.get("other", None)
    await made.load_rest(rest)
    assert set(states(made).values()) == {ModelState.READY}


async def test_only_what_is_named(networks):
    assert networks().announce_rest() == []
    assert networks(load=("third", "none")).announce_rest() == ["third"]


async def test_a_damaged_one_is_left_out_and_says_why(networks, root):
    made = networks(load=("*",))
    (root / "other" / "1" / "model.pt").write_bytes(b"altered")
    await made.load_rest(made.announce_rest())
    entries = {entry.name: entry for entry in made.models.index()}
    assert entries["other"].state is ModelState.UNAVAILABLE
    assert "was altered" in entries["other"].reason
    assert entries["third"].state is ModelState.READY


async def test_stopping_begins_no_further_network(networks):
    made = networks(load=("*",))
    rest = made.announce_rest()
    made.stop_loading()
    await made.load_rest(rest)
    assert [served.name for served in made.repository.loaded()] == ["member"]


async def test_callers_load_only_where_they_may(networks):
    closed, open_ = networks(control="none"), networks()
    for change in (closed.models.load("other", None), closed.models.unload("member")):
        with pytest.raises(ControlError, match="not allowed"):
            await change
    await open_.models.load("other", None)
    await open_.models.unload("member")
    assert [model.form.name for model in open_.models.loaded()] == ["other"]


async def test_a_network_is_a_model(networks):
    model = networks().models.get("member", None)
    assert isinstance(model, Servable)
    inputs = {"book_window": np.zeros((1, 100, 20, 4), np.float32)}
    outputs = await model.answer(inputs, Wishes(priority=99, timeout_s=10.0))
    assert [output.shape for output in outputs] == [(1, 2, 3), (1, 2), (1, 2)]
    assert model.form.outputs[0].labels == tuple(
        f"{direction}@{horizon}" for horizon in (10, 50) for direction in ("DOWN", "NEUTRAL", "UP")
    )
    assert model.counts().inference_count == 1


async def test_a_precision_that_is_not_there_is_refused_at_start(root):
    with pytest.raises(
        ValueError, match=r"inference -> repository: .*member/1: has no int8 weights; it has fp32"
    ):
        Networks(InferenceSettings(repository=root, precision="int8"), first=("member",))


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
async def test_the_shipped_networks_in_every_precision(precision):
    made = Networks(InferenceSettings(precision=precision), first=("book_mlp",))
    try:
        served = made.repository.get("book_mlp", None)
        assert served.precision == precision
        logits, *_ = await served.infer([np.zeros((1, 100, 20, 4), np.float32)])
        assert np.isfinite(logits).all()
    finally:
        await made.close()
