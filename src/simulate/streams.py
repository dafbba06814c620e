"""Independent random streams, one per named part, so that a new part never changes the draws of another."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, part: str, *numbers: int) -> np.random.Generator:
    """Return the generator of a part of a world (and of a day, say, within the part).

    The stream is a child of the seed's `SeedSequence` whose spawn key is made from the part's name, so it depends
    on nothing but the seed, the name and the numbers - not on which other parts exist or in which order they run.

    Examples
    --------
    >>> int(stream(0, "places").integers(1000)) == int(stream(0, "places").integers(1000))
    True
    >>> bool((stream(0, "places").random(4) == stream(0, "goods").random(4)).any())
    False
    """
    key = (crc32(part.encode()), *numbers)
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=key))


def mean_one(rng: np.random.Generator, sigma: float, shape: int | tuple[int, ...]) -> np.ndarray:
    """Return lognormal factors with mean exactly one in expectation, ``exp(sigma z - sigma^2 / 2)``."""
    factors: np.ndarray = np.exp(sigma * rng.standard_normal(shape) - sigma * sigma / 2.0)
    return factors
