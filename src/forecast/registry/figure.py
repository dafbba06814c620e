"""The picture kept with a run: each member's error and bias over the rolling windows."""

from __future__ import annotations

import io

import pandas as pd


def score_figure(scores: pd.DataFrame) -> bytes:
    """Return a PNG of WAPE and bias per member over the rolling windows, oldest first.

    Parameters
    ----------
    scores : DataFrame
        ``member, origin, wape, bias`` as in `DemandModel.scores`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for member, group in scores.groupby("member"):
        line = group.sort_values("origin")
        upper.plot(range(1, len(line) + 1), line["wape"], marker="o", label=str(member))
        lower.plot(range(1, len(line) + 1), line["bias"], marker="o")
    upper.set_ylabel("absolute error / units")
    lower.set_ylabel("bias / units")
    lower.axhline(0.0, color="grey", linewidth=0.8)
    lower.set_xlabel("rolling window, oldest first")
    if len(scores):
        upper.legend(fontsize="small")
    FigureCanvasAgg(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100, metadata={"Software": None})
    return picture.getvalue()
