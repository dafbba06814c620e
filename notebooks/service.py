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
# # The service from Python
# Bring data in, train, plan, read the plan, change a price from tomorrow on: all by the typed client.
# With `TUANCAI_ADDRESS` and `TUANCAI_KEY` set it talks to that service, otherwise to one of its own on the tiny world.

# %%
import os
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import matplotlib.pyplot as plt
import pandas as pd

from api.client import Client, ServiceProblemError

address, key = os.environ.get("TUANCAI_ADDRESS", ""), os.environ.get("TUANCAI_KEY", "")
if not address:
    import uvicorn

    from api.app import create_app
    from contracts.settings import Settings

    folder = Path(tempfile.mkdtemp(prefix="tuancai-notebook-"))
    own = Settings(
        storage={
            "url": f"sqlite:///{folder}/tuancai.sqlite",
            "history": folder / "history",
            "models": folder / "models",
        },
        service={"worker": "thread", "work": folder / "work", "admin_key_file": folder / "admin.key"},
        solve={"routing_work": 100, "purchase_seconds": 20, "sorting_seconds": 20},
        forecast={"backtest_origins": 1},
    )
    server = uvicorn.Server(uvicorn.Config(create_app(own), port=0, log_config=None))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.1)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    key = (folder / "admin.key").read_text().strip()
service = Client.to(address, key)
print(service.me())

# %% [markdown]
# ## Data in
# Rows that break a rule come back with the rule; sending anything twice changes nothing.

# %%
from simulate import build_world, planning_date

world = build_world("tiny", seed=0)
for name, table in world.reference.tables():
    if len(table):
        print(service.add_reference(name, table).reconciliation)
books = service.add_orders(world.order_lines)
print(sum(report.rows_new for report in books), "order lines in", len(books), "batches")

# %% [markdown]
# ## Train and plan
# Both are jobs; `wait` returns when they are done and raises what went wrong.

# %%
day = planning_date(world)
evening = (day - pd.Timedelta(hours=6)).tz_localize("Asia/Shanghai")
print(service.wait(service.train(until=(day - pd.Timedelta(days=1)).date())).outcome)
job = service.wait(service.ask_plan(day.date(), evening, idempotency_key="notebook"))
plan_id = job.outcome["plan_id"]
summary = service.plan(plan_id).summary
print(summary.status, {name: round(yuan) for name, yuan in summary.costs_yuan.items() if yuan})

# %%
service.table(plan_id, "purchase-orders").head()

# %%
coverage = service.table(plan_id, "coverage")
coverage.plot.scatter("final_mean", "bought", figsize=(5, 4), title="Bought against expected, per SKU x warehouse")
plt.show()

# %% [markdown]
# ## A price that changes on the delivery date
# One more row that holds from then on; a plan of an earlier date still has the old price.

# %%
offer = service.reference("offers").iloc[0]
offer_key = [offer["supplier_id"], offer["sku_id"], offer["warehouse_id"]]
row = service.reference_row("offers", offer_key)
dearer = {**row, "unit_price_yuan": row["unit_price_yuan"] * 1.2, "valid_from": day.date().isoformat()}
print(service.put_reference_row("offers", offer_key, dearer, valid_from=day.date()).reconciliation)
for on in (day - pd.Timedelta(days=1), day):
    prices = service.reference("offers", on=on.date()).set_index(["supplier_id", "sku_id", "warehouse_id"])
    print(on.date(), prices.loc[tuple(offer_key), "unit_price_yuan"])

# %%
after = service.wait(service.ask_plan(day.date(), evening)).outcome["plan_id"]
print(service.compare(plan_id, after))
print(service.line_changes(plan_id, after).head())

# %% [markdown]
# ## What goes wrong is an error with a document

# %%
try:
    service.plan("20000101-none")
except ServiceProblemError as wrong:
    print(wrong.problem.status, wrong.problem.detail)
service.http.close()
