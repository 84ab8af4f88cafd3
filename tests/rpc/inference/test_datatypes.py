# SPDX-License-Identifier: Apache-2.0
"""Bytes of tensors, against NumPy and against the arithmetic of BF16."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rpc.inference.datatypes import BF16, BYTES, DATATYPES, RawError, from_raw, texts, to_raw

NUMBERS = sorted(set(DATATYPES) - {BYTES})


@given(st.sampled_from(NUMBERS), st.binary(max_size=64))
def test_any_bytes_are_a_tensor_or_refused(name, raw):
    kind = DATATYPES[name]
    count, left = divmod(len(raw), kind.wire.itemsize)
    if name == "BOOL":
        raw = bytes(byte & 1 for byte in raw)
    if left:
        with pytest.raises(RawError):
            from_raw(raw, kind, count)
        return
    values = from_raw(raw, kind, count)
    assert values.shape == (count,)
    if name == BF16:
        nan = np.isnan(values)
        back = np.frombuffer(to_raw(values, kind), "<u2")
        np.testing.assert_array_equal(back[~nan], np.frombuffer(raw, "<u2")[~nan])
    else:
        assert to_raw(values, kind) == raw
    with pytest.raises(RawError):
        from_raw(raw, kind, count + 1)


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_texts_come_back(items):
    raw = to_raw(texts(items), DATATYPES[BYTES])
    assert from_raw(raw, DATATYPES[BYTES], len(items)).tolist() == items
    for wrong in (raw[:-1], raw + b"\0"):
        if wrong != raw:
            with pytest.raises(RawError):
                from_raw(wrong, DATATYPES[BYTES], len(items))


@given(st.binary(max_size=64), st.integers(0, 20))
def test_lengths_that_lie_are_refused_or_exact(raw, count):
    try:
        found = from_raw(raw, DATATYPES[BYTES], count)
    except RawError:
        return
    assert to_raw(found, DATATYPES[BYTES]) == raw


@given(st.floats(width=32, allow_nan=False))
def test_bf16_is_the_nearest(value):
    kind = DATATYPES[BF16]
    with np.errstate(over="ignore"):
        (found,) = from_raw(to_raw(np.array([value], np.float32), kind), kind, 1)
    bits = np.frombuffer(to_raw(np.array([value], np.float32), kind), "<u2")[0]
    neighbours = [
        (np.uint32(max(0, int(bits) + step)) << np.uint32(16)).view(np.float32) for step in (-1, 0, 1)
    ]
    if np.isfinite(found) and all(map(np.isfinite, neighbours)):
        assert abs(float(found) - value) <= min(abs(float(n) - value) for n in neighbours)


def test_bf16_keeps_nan_and_infinity():
    kind = DATATYPES[BF16]
    values = np.array([np.nan, np.inf, -np.inf], np.float32)
    np.testing.assert_array_equal(from_raw(to_raw(values, kind), kind, 3), values)
