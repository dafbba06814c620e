"""How right an order book was, once the true demand is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from contracts.flow import OrderBook
from contracts.planned import TrueDemand
from contracts.world import Reference

SCORED_QUANTILES = {"q10": 0.10, "q50": 0.50, "q90": 0.90}


def score_book(book: DataFrame[OrderBook], truth: DataFrame[TrueDemand], reference: Reference) -> pd.DataFrame:
    """Return WAPE, bias and one-sided coverage of a book per level, against the demand that was true.

    Returns
    -------
    DataFrame
        ``level``, ``rows``, ``units`` (true), ``wape`` = sum|final - true| / sum true, ``bias`` = (sum final - sum
        true) / sum true, and the share of rows whose demand stayed at or below q10, q50 and q90.
    """
    day = truth[truth["delivery_date"] == book["delivery_date"].iloc[0]]
    homes = reference.communities.set_index("community_id")
    places = {"community": day["community_id"]}
    places |= {level: day["community_id"].map(homes[f"{level}_id"]) for level in ("warehouse", "area")}
    scores = []
    for level, rows in book.groupby("level", sort=False):
        true = day.assign(place_id=places[str(level)]).groupby(["place_id", "sku_id"])["units"].sum()
        both = rows.set_index(["place_id", "sku_id"]).join(true.rename("true"), how="outer")
        final, wanted = both["final_mean"].fillna(0.0), both["true"].fillna(0.0)
        total = max(float(wanted.sum()), 1e-12)
        covered = {f"below_{q}": float(np.mean(wanted <= both[q].fillna(0.0) + 1e-9)) for q in SCORED_QUANTILES}
        scores.append(
            {
                "level": level,
                "rows": len(both),
                "units": float(wanted.sum()),
                "wape": float((final - wanted).abs().sum() / total),
                "bias": float((final - wanted).sum() / total),
                **covered,
            }
        )
    return pd.DataFrame(scores)
