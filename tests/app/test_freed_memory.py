"""What was freed goes back to the system: measured by the kernel, over heaps of several threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workstation.app.freed_memory import GROWN_BYTES, REST_S, FreedMemory

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20


FREED = """
import ctypes, threading
from workstation.app.freed_memory import FreedMemory, resident_bytes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
PIECE = 64 * 1024  # below what the C library takes straight from the system
before = resident_bytes()
def keep_and_free():
    # Pieces on this thread's heap, all freed but the last, which keeps the heap from shrinking by itself.
    pieces = [ctypes.c_void_p(libc.malloc(PIECE)) for _ in range((24 << 20) // PIECE)]
    for piece in pieces:
        ctypes.memset(piece, 1, PIECE)
    for piece in pieces[:-1]:
        libc.free(piece)
workers = [threading.Thread(target=keep_and_free) for _ in range(3)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
kept = resident_bytes() - before
freed = FreedMemory()
freed.begin()
freed.wait()
print(kept, resident_bytes() - before)
"""


def told(script: str) -> list[int]:
    """The numbers that a process of its own prints: this one's heaps were used by the tests before."""
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    return [int(each) for each in answer.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="only the C library of Linux keeps so much")
def test_what_threads_have_freed_is_no_longer_resident_afterwards() -> None:
    kept, left = told(FREED)
    assert kept > 16 * MIB
    assert left < kept // 4


class Process:
    """Grows as it is told, and counts how often it was asked to give back."""

    def __init__(self) -> None:
        self.resident = 200 * MIB
        self.kept = 0
        self.asked = 0
        self.now_s = 1000.0
        self.freed = FreedMemory(give_back=self.give_back, resident=lambda: self.resident, now=lambda: self.now_s)

    def give_back(self) -> None:
        self.asked += 1
        self.resident -= self.kept

    def look(self, *, after_s: float = 2 * REST_S) -> int:
        self.now_s += after_s
        self.freed.look()
        self.freed.wait()
        return self.asked


def test_a_process_that_stays_as_it_is_is_left_alone() -> None:
    process = Process()
    assert [process.look() for _ in range(5)] == [0] * 5


def test_growth_is_given_back_and_what_is_really_held_is_not_asked_for_again() -> None:
    process = Process()
    process.resident += GROWN_BYTES
    process.kept = GROWN_BYTES // 2
    assert process.look() == 1
    process.kept = 0
    assert process.look() == 1
    process.resident += GROWN_BYTES - 1
    assert process.look() == 1
    process.resident += 1
    assert process.look() == 2


def test_it_is_not_done_again_and_again_while_much_comes_and_goes() -> None:
    process = Process()
    process.resident += GROWN_BYTES
    assert process.look() == 1
    process.resident += GROWN_BYTES
    assert process.look(after_s=REST_S / 2) == 1
    assert process.look(after_s=REST_S) == 2


def test_growth_counts_from_the_least_there_was() -> None:
    process = Process()
    process.resident -= 2 * GROWN_BYTES
    assert process.look() == 0
    process.resident += GROWN_BYTES
    assert process.look() == 1
