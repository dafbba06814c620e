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
# Orders become daily demand: listed without a sale is a zero, not listed is no row, a sold-out day is censored.

# %%
history = build_history(lines, reference.listings, reference.communities)
print(history.describe())
history.groupby("delivery_date")["quantity"].sum().plot(figsize=(10, 3), title="Units per delivery date")
plt.show()

# %%
arrivals = lines.assign(hour=lines["placed_at"].dt.tz_convert(settings.city.timezone).dt.hour)
arrivals.groupby("hour")["quantity"].sum().plot.bar(figsize=(10, 3), title="Units by hour of the order")
plt.show()

# %% [markdown]
# ## Train and backtest
# The model is a combination chosen on rolling origins; `champion` in a backtest is that whole model.

# %%
from forecast import Context, backtest, predict, train
from forecast.book import fit_curve, update_book
from simulate import planning_date

tomorrow = planning_date(world)
known = history[history["delivery_date"] < tomorrow].reset_index(drop=True)
model = train(
    known,
    skus=reference.skus,
    communities=reference.communities,
    listings=reference.listings,
    calendar=reference.calendar,
    settings=settings.forecast,
    city=settings.city,
)
print(model.scores.groupby("member")[["wape", "bias", "rmse"]].mean().sort_values("rmse"))

# %%
context = Context(reference.skus, reference.communities, reference.listings, reference.calendar)
scores = backtest(
    known,
    models=["moving_average", "seasonal_naive"],
    origins=3,
    horizon=7,
    context=context,
    settings=settings.forecast,
)
print(scores.summary())

# %% [markdown]
# ## The order book at 18:00
# What is ordered, what is still expected, and how the final demand turned out (a simulated town knows).

# %%
opening, evening, cutoff = (
    clock_instant(moment, delivery_date=tomorrow, timezone=settings.city.timezone)
    for moment in (settings.city.orders_open, "18:00-1", settings.city.cutoff)
)
past = lines[lines["delivery_date"] < tomorrow]
book_model = fit_curve(
    past, skus=reference.skus, communities=reference.communities, settings=settings.book, city=settings.city
)
forecast = predict(model, known, delivery_dates=[tomorrow], issued_at=opening, context=context)
today = lines[lines["delivery_date"] == tomorrow]
book = update_book(
    forecast, today, as_of=evening, model=book_model, communities=reference.communities, city=settings.city
)
view = book[book["level"] == "warehouse"][["place_id", "sku_id", "confirmed", "final_mean", "q10", "q50", "q90"]]
print(view.sort_values("final_mean", ascending=False).head(10).to_string())

# %% [markdown]
# ## Plan the night

# %%
from pipeline.models import NightModels
from pipeline.night import NightInput, plan_night
from pipeline.score import score_book
from pipeline.views import cost_view, stage_view, supplier_view

night = NightInput(
    reference=reference,
    history=known,
    order_lines=today,
    models=NightModels(model, book_model, version="notebook"),
    delivery_date=tomorrow,
    as_of=evening,
)
plan = plan_night(night, settings=settings)
print(stage_view(plan.summary).to_string())
print(cost_view(plan.summary).to_string())
print(supplier_view(plan, reference).to_string())
print(score_book(plan.order_book, world.true_demand, reference).to_string())

# %%
plan.coverage.plot.scatter("final_mean", "bought", figsize=(5, 4), title="Bought against expected, per SKU x warehouse")
plt.show()

# %% [markdown]
# Next: `tuancai --help` for the same verbs on a store, docs/tutorial-own-data.md for your own orders.
