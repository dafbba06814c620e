"""Lead times in groups: a day ahead is another question than a week ahead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAD_BORDERS = (1, 3, 7, 14)
"""Lead times up to each border share a group; longer ones share the last."""
LEAD_GROUPS = len(LEAD_BORDERS) + 1


def lead_group(lead: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the lead-time group.

    Examples
    --------
    >>> lead_group(np.array([1, 2, 7, 8, 28])).tolist()
    [0, 1, 2, 3, 4]
    """
    return np.searchsorted(np.asarray(LEAD_BORDERS), lead, side="left")
