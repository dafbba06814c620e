# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here
# Load a world, look at its demand, train, backtest, plan a night, look at the plan.
# Open as a notebook with `jupytext --to ipynb notebooks/start_here.py`; the tests run it from top to bottom.

# %%
import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import matplotlib.pyplot as plt
import pandas as pd

from contracts.clock import clock_instant
from contracts.settings import load_settings
from forecast import build_history
from simulate import build_world

PRESET = os.environ.get("TUANCAI_NOTEBOOK_WORLD", "tiny")  # "town" for a real look
settings = load_settings()
world = build_world(PRESET, seed=0)
reference, lines = world.reference, world.order_lines
print(f"{len(lines):,} order lines, {len(reference.communities)} communities, {len(reference.skus)} SKUs")

# %% [markdown]
# ## Demand
# Orders become daily demand: a listed SKU without a sale is a zero, an unlisted one is no row, a sold-out day is censored.

# %%
history = build_history(lines, reference.listings, reference.communities)
print(history.describe())
history.groupby("delivery_date")["quantity"].sum().plot(figsize=(10, 3), title="Units per delivery date")
plt.show()

# %%
arrivals = lines.assign(hour=lines["placed_at"].dt.tz_convert(settings.city.timezone).dt.hour)
arrivals.groupby("hour")["quantity"].sum().plot.bar(figsize=(10, 3), title="Units by hour of the order")
plt.show()
