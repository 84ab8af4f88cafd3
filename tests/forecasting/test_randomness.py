# SPDX-License-Identifier: Apache-2.0
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.forecasting.randomness import random_bytes, random_hex


def test_nobody_gets_the_same_bytes() -> None:
    def some(_: int) -> list[bytes]:
        return [random_bytes(16) for _ in range(2_000)]

    with ThreadPoolExecutor(8) as threads:
        given = [one for each in threads.map(some, range(8)) for one in each]
    assert len(set(given)) == len(given) == 16_000


@pytest.mark.parametrize("count", [0, 1, 8, 4_096, 10_000])
def test_as_many_as_were_asked_for(count: int) -> None:
    assert len(random_bytes(count)) == count
    assert len(random_hex(count)) == 2 * count


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_fork_goes_its_own_way() -> None:
    import os  # noqa: PLC0415

    random_bytes(1)  # so that there is a page that both could hand out
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.write(writes, random_bytes(16))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reads, 16) != random_bytes(16)
    os.close(reads)
    os.close(writes)
