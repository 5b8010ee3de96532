"""All luck: every draw is a pure function of (seed, replication, entity, day, purpose).

There is no generator and no state. A draw hashes its address with the finaliser of
SplitMix64 (Steele, Lea & Flood 2014, OOPSLA), so that nothing depends on the order of
calls, on threads, on chunks, on the arm, or on how many people there are. Draws are used
by inverse transform, so that a little more pressure never turns a contact off.
"""

from __future__ import annotations

import functools
import hashlib
import os
import statistics
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from omnisim import sources

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Before numba is imported, which reads it once.
os.environ.setdefault("NUMBA_CACHE_DIR", str(sources.kernel_folder()))

import numba  # noqa: E402


def kernel(function: Kernel) -> Kernel:
    """Compile a function that fills arrays: cached, without fast-math, so that bits are kept.

    Kernels make no arrays, hence `_nrt=False`: with it, a call no longer counts references
    of every array that it hands over, which cost more than the work itself (measured: a
    person's day took twice as long). LLVM is told to inline: handing some forty arrays from
    function to function cost as much as the walk (measured: a day took 1.6 times as long).
    """
    jit: Any = numba.njit  # the options are not in Numba's type stubs
    options = {"cache": True, "nogil": True, "error_model": "numpy"}
    compiled: Kernel = jit(**options, _nrt=False, forceinline=True)(function)
    return compiled


GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S33 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(33)
_LOW = np.uint64(0x7FFFFFFF)
_UNIT = 2.0**-31
WORDS = 2.0**32  # how many results `scramble` has
REMEMBERED = 2**15  # draws for channels: all arms and forks of a replication ask for the same
_ODD, _MIX, _MORE = np.uint32(0x9E3779B9), np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_S15, _S16, _S32 = np.uint32(15), np.uint32(16), np.uint64(32)

# What a draw is for. A number is never used twice and never changes its meaning.
TRAIT_SEGMENT, TRAIT_CONSENT, TRAIT_REACH, TRAIT_IDENTITY = 1, 2, 3, 4
TRAIT_NEEDS, TRAIT_DROP, TRAIT_FIRST, TRAIT_COHORT, TRAIT_REGION = 5, 6, 7, 8, 9
CONTACT, DAILY, MESSAGE, REMINDER, SEARCH, CHOOSE_US, DROP_OUT = 10, 11, 12, 13, 14, 15, 16
WALK, BASKET, EXPERIENCE, OPT_IN, TIE, CLICK, CATEGORY = 17, 18, 19, 20, 21, 22, 23
AFTER, TELLS, INVITES, CROSS, HAGGLES, FRIENDS = 24, 25, 26, 27, 28, 29
# Each of these is followed by room for the contacts of one day.
TOUCH, HAND_OVER, BRAND_SEARCH, OUTCOME, BRAND_AD, SAME_DAY = 30, 40, 50, 60, 70, 80
COUPON, PHONE, CLOSED = 110, 120, 130
DRIFT, REPORT_COUNT, REPORT_NOISE, EXPLORATION, BOOTSTRAP = 100, 101, 102, 103, 104
DEMAND, UNTOUCHED, ROLLOUT, PROMOTION, CLAIM = 105, 106, 107, 108, 109
IDEA, TRIAL = 140, 141
PURPOSES = 140


@kernel
def mix(bits: np.uint64) -> np.uint64:
    """Scramble 64 bits (finaliser of SplitMix64)."""
    bits = (bits ^ (bits >> _S30)) * _FIRST
    bits = (bits ^ (bits >> _S27)) * _SECOND
    return bits ^ (bits >> _S31)


@kernel
def draw(key: np.uint64, person: np.uint32) -> np.uint64:
    """Return 64 fresh bits for one person under a key of `keys`."""
    return mix(key + np.uint64(person) * GOLDEN)


@kernel
def high(bits: np.uint64) -> float:
    """Return a uniform number in [0, 1) from the upper 31 bits."""
    return np.float64(np.int64(bits >> _S33)) * _UNIT


@kernel
def low(bits: np.uint64) -> float:
    """Return a uniform number in [0, 1) from the lower 31 bits."""
    return np.float64(np.int64(bits & _LOW)) * _UNIT


@kernel
def scramble(key: np.uint64, person: np.uint32) -> np.uint32:
    """Return 32 fresh bits for one person under a key of `keys`, many persons at a time.

    The halves of the key enter before and between the rounds of a 32-bit finaliser
    (constants of Wellons 2018, "lowbias32"); vectors of 64-bit products cost three times as
    much. Every result is cast back, for compiled code would widen it.
    """
    bits = np.uint32(np.uint32(person * _ODD) + np.uint32(key))
    bits = np.uint32(bits ^ np.uint32(bits >> _S16))
    bits = np.uint32(np.uint32(bits * _MIX) ^ np.uint32(key >> _S32))
    bits = np.uint32(bits ^ np.uint32(bits >> _S15))
    bits = np.uint32(bits * _MORE)
    return np.uint32(bits ^ np.uint32(bits >> _S16))


def replication_key(seed: int, replication: int) -> np.uint64:
    """Return the root of all luck of one replication."""
    return _word(f"{seed}/{replication}")


def keys(root: np.uint64, day: int) -> np.ndarray:
    """Return one key per purpose for a day (uint64[PURPOSES])."""
    words = np.empty(PURPOSES, np.uint64)
    with np.errstate(over="ignore"):
        _fill(np.uint64(root), np.int64(day), words)
    return words


@kernel
def _fill(root: np.uint64, day: np.int64, words: np.ndarray) -> None:
    day_key = mix(root + np.uint64(day))
    for purpose in range(len(words)):
        words[purpose] = mix(day_key + np.uint64(purpose + 1) * GOLDEN)


def mix_array(bits: np.ndarray) -> np.ndarray:
    """Scramble an array of 64-bit words, element by element as `mix` does."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> _S30)) * _FIRST
        bits = (bits ^ (bits >> _S27)) * _SECOND
        mixed: np.ndarray = bits ^ (bits >> _S31)
    return mixed


def trait(root: np.uint64, purpose: int, ids: np.ndarray, option: str = "") -> np.ndarray:
    """Return a uniform number in (0, 1) per person that never changes (float64[people])."""
    with np.errstate(over="ignore"):
        key = mix_array(np.array([int(root)], np.uint64) ^ _word(f"trait/{purpose}/{option}"))
        bits = mix_array(key + ids.astype(np.uint64) * GOLDEN)
    uniforms: np.ndarray = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return uniforms


def label(name: str) -> np.uint64:
    """Return the luck that goes with a name: another name is another channel."""
    return _word(f"label/{name}")


@functools.lru_cache(REMEMBERED)
def uniform(root: np.uint64, purpose: int, name: str, day: int) -> float:
    """Return a uniform number in (0, 1) for a channel or a department."""
    word = int(_word(f"{int(root)}/{purpose}/{name}/{day}"))
    return ((word >> 11) + 0.5) * 2.0**-53


@functools.lru_cache(REMEMBERED)
def normal(root: np.uint64, purpose: int, name: str, day: int) -> float:
    """Return a standard normal number for a channel or a department."""
    return statistics.NormalDist().inv_cdf(uniform(root, purpose, name, day))


def _word(text: str) -> np.uint64:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))
