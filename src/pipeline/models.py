"""The two models a night needs, as one value that is trained, registered and served together."""

from __future__ import annotations

from dataclasses import dataclass

from forecast import DemandModel
from forecast.book import BookModel


@dataclass(frozen=True)
class NightModels:
    """A demand model and a book model with the version they are registered under."""

    demand: DemandModel
    book: BookModel
    version: str
