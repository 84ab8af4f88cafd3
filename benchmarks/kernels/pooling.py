# SPDX-License-Identifier: Apache-2.0
"""Pooling against NumPy, torch, plain numba, numbagg and crowd-kit."""

import math
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import torch

from benchmarks.kernels.alternate import Case
from benchmarks.kernels.peers import MISSING, Peers
from kernels.batch import pool_many, pool_rows, rows_workspace_size
from kernels.binary32 import BLOCK, linear_binary32, log_odds_binary32, pool_binary32
from kernels.consensus import NO_PARAMETERS, Consensus
from kernels.methods import PoolingMethod

MEMBERS = 32
QUESTIONS = 1_000_000
CLAMP = 1e-6
f4 = np.float32


@numba.njit("void(f4[:,::1],f4[::1],f4[::1])", nogil=True, error_model="numpy")
def plain_numba(p: Any, weights: Any, out: Any) -> None:
    for n in range(p.shape[1]):
        total = weight = f4(0)
        for i in range(p.shape[0]):
            if not math.isnan(p[i, n]):
                x = min(max(p[i, n], f4(CLAMP)), f4(1 - CLAMP))
                total += weights[i] * (math.log(x) - math.log(f4(1) - x))
                weight += weights[i]
        out[n] = f4(1) / (f4(1) + math.exp(-total / weight))


@numba.njit("f4(f4[:,::1])", nogil=True, fastmath={"reassoc"})
def read_only(p: Any) -> Any:
    total = f4(0)
    for i in range(p.shape[0]):
        for n in range(p.shape[1]):
            total += p[i, n]
    return total


def large_input() -> tuple[Any, Any]:
    """32 members × 10⁶ binary questions in float32, every member present, and their weights."""
    random = np.random.default_rng(0)
    p = random.beta(0.5, 0.5, (MEMBERS, QUESTIONS)).astype(f4)
    return np.clip(p, f4(1e-5), f4(1 - 1e-5)), random.random(MEMBERS).astype(f4)


def blocks(size: int) -> Iterator[slice]:
    for start in range(0, QUESTIONS, size):
        yield slice(start, start + size)


def large_log_odds(p: Any, w: Any) -> Case:
    share = w / w.sum()
    out, scratch = np.empty(QUESTIONS, f4), np.empty(BLOCK, f4)
    torch_p, torch_share = torch.from_numpy(p), torch.from_numpy(share)

    def kernel() -> Any:
        log_odds_binary32(p, w, f4(1), scratch, out)
        return out

    def numpy(part: slice = slice(None)) -> Any:
        x = np.clip(p[:, part], f4(CLAMP), f4(1 - CLAMP))
        return 1 / (1 + np.exp(-(share @ np.log(x / (1 - x)))))

    def numpy_blocked() -> Any:
        return np.concatenate([numpy(part) for part in blocks(2048)])

    def in_torch() -> Any:
        return torch.sigmoid(torch_share @ torch.logit(torch_p, eps=CLAMP)).numpy()

    def torch_blocked() -> Any:
        filled = torch.empty(QUESTIONS)
        for part in blocks(4096):
            torch.sigmoid(torch_share @ torch.logit(torch_p[:, part], eps=CLAMP), out=filled[part])
        return filled.numpy()

    def plain() -> Any:
        filled = np.empty(QUESTIONS, f4)
        plain_numba(p, w, filled)
        return filled

    return Case(
        "Log-odds pool, 32 members × 10⁶ questions, float32",
        "kernel",
        {
            "kernel": kernel,
            "kernel behind its checked door": lambda: pool_binary32(p, w, out=out),
            "NumPy": numpy,
            "NumPy in blocks": numpy_blocked,
            "torch": in_torch,
            "torch in blocks": torch_blocked,
            "numba with math.log": plain,
            "reading the input": lambda: read_only(p),
        },
        elements=p.size,
        floors=("reading the input",),
    )


def large_linear(p: Any, w: Any) -> Case:
    share = w / w.sum()
    out, scratch = np.empty(QUESTIONS, f4), np.empty(BLOCK, f4)
    torch_p, torch_share = torch.from_numpy(p), torch.from_numpy(share)

    def kernel() -> Any:
        linear_binary32(p, w, scratch, out)
        return out

    def numpy_absent() -> Any:
        present = ~np.isnan(p)
        return (w @ np.where(present, p, 0)) / (w @ present.astype(f4))

    return Case(
        "Linear pool, 32 members × 10⁶ questions, float32",
        "kernel",
        {
            "kernel": kernel,
            "NumPy, absent members handled": numpy_absent,
            "NumPy, matrix product (no absent members)": lambda: share @ p,
            "torch, matrix product (no absent members)": (torch_share @ torch_p).numpy,
        },
        elements=p.size,
    )


def large_cases() -> Iterator[Case]:
    p, w = large_input()
    yield large_log_odds(p, w)
    yield large_linear(p, w)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def outcome_cases() -> Iterator[Case]:
    random = np.random.default_rng(1)
    queries, members, outcomes = 100_000, 12, 3
    p = random.dirichlet(np.ones(outcomes), (queries, members))
    w = random.random(members)
    share = w / w.sum()
    out, workspace = np.empty((queries, outcomes)), np.empty(rows_workspace_size(members, outcomes))
    torch_p, torch_share = torch.from_numpy(p), torch.from_numpy(share)

    def kernel() -> Any:
        pool_rows(p, w[None], int(PoolingMethod.LOG_ODDS), NO_PARAMETERS[None], workspace, out)
        return out

    def numpy() -> Any:
        return softmax(np.einsum("i,nic->nc", share, np.log(np.clip(p, CLAMP, 1 - CLAMP))))

    def in_torch() -> Any:
        logs = torch.log(torch.clamp(torch_p, CLAMP, 1 - CLAMP))
        return torch.softmax(torch.einsum("i,nic->nc", torch_share, logs), 1).numpy()

    yield Case(
        "Log-odds pool, 10⁵ queries × 12 members × 3 outcomes, float64",
        "kernel",
        {"kernel": kernel, "NumPy": numpy, "torch": in_torch},
        elements=p.size,
        tolerance=1e-9,
    )


def single_cases() -> Iterator[Case]:
    random = np.random.default_rng(2)
    p = random.dirichlet(np.ones(2), 12)
    w = random.random(12)
    buffers = Consensus(12, 2)
    stack = np.concatenate([np.zeros(2), np.full(12, 1 / 12)])
    given = {
        PoolingMethod.BAYESIAN: np.array([0.5, 0.5, 0.5]),
        PoolingMethod.BETA_LINEAR: np.array([2.0, 2.0]),
        PoolingMethod.STACKED: stack,
    }

    def ours(method: PoolingMethod) -> Any:
        number, parameters = int(method), given.get(method, NO_PARAMETERS)
        return lambda: buffers(p, w, number, parameters)

    def numpy_log_odds() -> Any:
        share = w / w.sum()
        return softmax(share @ np.log(np.clip(p, CLAMP, 1 - CLAMP)))

    def numpy_linear() -> Any:
        return (w / w.sum()) @ p

    yield Case(
        "One query of 12 members, log-odds: whole consensus from Python",
        "kernel",
        {"kernel": ours(PoolingMethod.LOG_ODDS), "NumPy, pool only": numpy_log_odds},
        tolerance=1e-9,
    )
    yield Case(
        "One query of 12 members, linear: whole consensus from Python",
        "kernel",
        {"kernel": ours(PoolingMethod.LINEAR), "NumPy, pool only": numpy_linear},
        tolerance=1e-9,
    )
    for method in PoolingMethod:
        if method not in (PoolingMethod.LINEAR, PoolingMethod.LOG_ODDS):
            name = method.name.lower().replace("_", " ")
            yield Case(f"One query of 12 members, {name}", "kernel", {"kernel": ours(method)})


def peer_input() -> Any:
    """20 members × 50,000 binary questions with a fifth absent: probability of YES."""
    random = np.random.default_rng(3)
    rows = random.random((20, 50_000))
    rows[random.random(rows.shape) < 0.2] = np.nan
    return rows


def peer_cases(found: Peers | None) -> Iterator[Case]:
    rows = peer_input()
    p = np.ascontiguousarray(np.stack([rows, 1 - rows], -1).swapaxes(0, 1))
    out, workspace = np.empty((len(p), 2)), np.empty(rows_workspace_size(p.shape[1], 2))
    ones = np.ones((1, p.shape[1]))

    def kernel(method: PoolingMethod) -> Any:
        def call() -> Any:
            pool_rows(p, ones, int(method), NO_PARAMETERS[None], workspace, out)
            return out[:, 0]

        return call

    def numpy_votes() -> Any:
        return np.nanmean(np.where(np.isnan(rows), np.nan, rows > 0.5), axis=0)

    plain = {
        PoolingMethod.LINEAR: ("numbagg nanmean", "NumPy nanmean", lambda: np.nanmean(rows, axis=0)),
        PoolingMethod.MEDIAN: ("numbagg nanmedian", "NumPy nanmedian", lambda: np.nanmedian(rows, axis=0)),
        PoolingMethod.MAJORITY: ("crowd-kit majority", "NumPy", numpy_votes),
    }
    for method, (peer, name, numpy) in plain.items():
        contenders = {"kernel": kernel(method), name: numpy}
        if found is not None and peer in found.names:
            contenders[peer] = found.call(peer)
        skipped = [] if found is not None else [MISSING]
        title = f"{method.name.capitalize()} pool, 50,000 queries × 20 members, a fifth absent, float64"
        yield Case(title, "kernel", contenders, rows.size, 1e-9, skipped=skipped)


def many_door_case() -> Iterator[Case]:
    """What checking costs: the same batch through the door."""
    random = np.random.default_rng(4)
    p = random.dirichlet(np.ones(2), (10_000, 12))
    out, workspace = np.empty((10_000, 2)), np.empty(rows_workspace_size(12, 2))
    ones = np.ones((1, 12))

    def kernel() -> Any:
        pool_rows(p, ones, int(PoolingMethod.LOG_ODDS), NO_PARAMETERS[None], workspace, out)
        return out

    contenders = {"kernel": kernel, "kernel behind its checked door": lambda: pool_many(p)}
    yield Case("Log-odds pool, 10⁴ queries × 12 members, float64", "kernel", contenders, p.size, 1e-12)
