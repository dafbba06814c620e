"""Price breaks as bands: the cost of additional cases of an offer, linear inside each band."""

from __future__ import annotations

import numpy as np
import pandas as pd

from contracts.errors import first_keys
from optimize.purchase.opening import OFFER_KEY


def price_bands(offers: pd.DataFrame, breaks: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the bands of additional cases, and a warning where a price rises with quantity.

    With L cases locked already and n more, the price level is that of L + n cases; the locked amount stays as it is.
    All units: the n cases cost the level's price. Incremental: they cost ``T(L + n) - T(L)`` where T adds each case at
    the price of the level it falls in. The minimum and maximum hold for L + n, so locked cases count. Late cases cost
    the late price, without breaks and minimum.

    Parameters
    ----------
    offers : DataFrame
        Open offers (index 0..n-1) with ``locked_cases`` and ``late``.
    breaks : DataFrame
        ``PriceBreaks`` rows, in any order.

    Returns
    -------
    bands : DataFrame
        ``offer, from_cases, to_cases, fixed_yuan, yuan_per_case``, sorted.
    """
    number = pd.Series(np.arange(len(offers)), index=pd.MultiIndex.from_frame(offers[OFFER_KEY]))
    owner = number.reindex(pd.MultiIndex.from_frame(breaks[OFFER_KEY]))
    stepped = breaks.assign(offer=owner.to_numpy())[["offer", "from_cases", "unit_price_yuan"]]
    stepped = stepped[stepped["offer"].notna()].astype({"offer": np.int64})
    stepped = stepped[~offers["late"].to_numpy()[stepped["offer"]]]
    first = pd.DataFrame(
        {
            "offer": np.arange(len(offers)),
            "from_cases": 1,
            "unit_price_yuan": offers["unit_price_yuan"].where(~offers["late"], offers["late_price_yuan"]),
        }
    )
    bands = pd.concat([first, stepped]).sort_values(["offer", "from_cases"], kind="stable", ignore_index=True)
    offer = bands["offer"].to_numpy()
    own = offers.iloc[offer].reset_index(drop=True)
    follows = np.diff(offer, append=-1) == 0
    top = np.where(follows, bands["from_cases"].shift(-1, fill_value=0) - 1, np.iinfo(np.int64).max)
    case_yuan = (bands["unit_price_yuan"] * own["case_units"]).to_numpy(np.float64)
    locked = own["locked_cases"].to_numpy(np.int64)
    late = own["late"].to_numpy(bool)
    fixed = _carried(bands, own, case_yuan, follows, locked)
    low = np.maximum(bands["from_cases"].to_numpy() - locked, np.where(late, 1, own["min_cases"] - locked))
    high = np.minimum(np.minimum(top, own["max_cases"].to_numpy()), 10**9) - locked
    late_most = np.floor(own["late_max_cases"].fillna(np.inf).to_numpy(np.float64) + 1e-9)
    high = np.where(late, np.minimum(np.maximum(own["max_cases"] - locked, 0), late_most), high).astype(np.int64)
    made = pd.DataFrame(
        {
            "offer": offer,
            "from_cases": np.maximum(np.where(late, 1, low), 1),
            "to_cases": high,
            "fixed_yuan": np.where(late, 0.0, fixed),
            "yuan_per_case": case_yuan,
        }
    )
    return made[made["from_cases"] <= made["to_cases"]].reset_index(drop=True), _rising(bands, offers)


def _carried(
    bands: pd.DataFrame, own: pd.DataFrame, case_yuan: np.ndarray, follows: np.ndarray, locked: np.ndarray
) -> np.ndarray:
    """Return each band's fixed yuan: zero for all-units offers, the dearer first cases for incremental ones."""
    starts = bands["from_cases"].to_numpy(np.float64)
    width = np.where(follows, np.append(starts[1:], 0.0) - starts, 0.0)
    group = bands["offer"]
    before = (width * case_yuan) - 0.0
    base = pd.Series(before).groupby(group).cumsum().to_numpy() - before  # yuan of all cases below the band
    fixed = base - case_yuan * (starts - 1.0)
    inside = (locked >= starts) & (~follows | (locked < np.append(starts[1:], np.inf)))
    total = pd.Series(np.where(inside, fixed + case_yuan * locked, 0.0)).groupby(group).transform("sum").to_numpy()
    incremental = (own["discount_kind"] == "incremental").to_numpy()
    return np.where(incremental, fixed + case_yuan * locked - total, 0.0)


def _rising(bands: pd.DataFrame, offers: pd.DataFrame) -> list[str]:
    dearer = (bands["unit_price_yuan"].diff() > 0) & (bands["offer"].diff() == 0)
    if not dearer.any():
        return []
    names = offers.iloc[bands.loc[dearer, "offer"].unique()][OFFER_KEY].agg(" / ".join, axis=1)
    return [
        f"{len(names)} offers get dearer with quantity, taken as given; check their price breaks: {first_keys(names)}."
    ]
