"""A generated supply side: for orders without one, never over data somebody gave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.errors import ConflictError, EmptyInputError
from contracts.settings import Settings
from contracts.world import World
from pipeline.desk import PlanningDesk


@pytest.fixture
def empty(tmp_path: Path) -> PlanningDesk:
    """Return a desk with nothing in it."""
    kept = {"url": f"sqlite:///{tmp_path / 'd.sqlite'}", "history": tmp_path / "h", "models": tmp_path / "m"}
    return PlanningDesk.open(Settings(storage=kept))  # type: ignore[arg-type]


def test_without_orders_there_is_nothing_to_scale_to(empty: PlanningDesk) -> None:
    """An empty store is said to be empty."""
    with pytest.raises(EmptyInputError, match="import some"):
        empty.generate_supply()


def test_every_generated_table_is_labelled_and_listings_end_when_asked(empty: PlanningDesk, tiny: World) -> None:
    """Orders alone become a city that can be planned; a hindsight plan does not read the day's own sales."""
    empty.store.add_order_lines(tiny.order_lines)
    day = tiny.order_lines["delivery_date"].max()
    before = tiny.order_lines["delivery_date"][tiny.order_lines["delivery_date"] < day].max()
    reference = empty.generate_supply(until=before)
    assert {"suppliers", "offers", "lanes", "vehicle_types", "listings"} <= set(reference.synthetic)
    assert reference.listings["delivery_date"].max() == before
    assert set(reference.communities["community_id"]) == set(tiny.order_lines["community_id"])


def test_given_data_is_never_replaced(empty: PlanningDesk, tiny: World) -> None:
    """With a real price list in the store the command refuses and names it."""
    empty.store.add_order_lines(tiny.order_lines)
    empty.store.write_reference(replace(tiny.reference, synthetic=()))
    with pytest.raises(ConflictError, match="offers"):
        empty.generate_supply()
    assert empty.store.reference().offers.equals(tiny.reference.offers)
