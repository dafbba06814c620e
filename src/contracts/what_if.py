"""Other circumstances a purchase can be planned under: suppliers away, other prices, other demand, another budget."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WhatIf(BaseModel):
    """What is different from the reference data and the order book; nothing by default.

    Names and factors are checked against a purchase problem by `optimize.purchase.what_if`.

    Examples
    --------
    >>> WhatIf(without_suppliers=("S1",), demand_factor={"*": 1.2}).sentence
    'without S1; demand * x 1.2'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    without_suppliers: tuple[str, ...] = Field(
        default=(), description="Suppliers that take no order; what is locked with them stays.", examples=[["S1"]]
    )
    price_factor: dict[str, float] = Field(
        default={}, description="Supplier to factor on all its prices: list, breaks and late.", examples=[{"S2": 1.1}]
    )
    demand_factor: dict[str, float] = Field(
        default={},
        description="SKU to factor on what is not ordered yet; * stands for the others.",
        examples=[{"*": 1.2}],
    )
    lock: tuple[tuple[str, str, str], ...] = Field(
        default=(),
        description="Lines of the plan before that stay: supplier, SKU, warehouse.",
        examples=[[("S1", "K001", "W1")]],
    )
    budget_yuan: float | None = Field(default=None, description="Another budget.", examples=[50_000.0])

    @property
    def sentence(self) -> str:
        """Return what is different in a few words, empty where nothing is."""
        parts = [f"without {', '.join(self.without_suppliers)}"] if self.without_suppliers else []
        parts += [f"prices of {name} x {factor:g}" for name, factor in self.price_factor.items()]
        parts += [f"demand {name} x {factor:g}" for name, factor in self.demand_factor.items()]
        parts += [f"{len(self.lock)} lines locked"] if self.lock else []
        parts += [f"budget {self.budget_yuan:,.2f} yuan"] if self.budget_yuan is not None else []
        return "; ".join(parts)
