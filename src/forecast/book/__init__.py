"""The order book: what is ordered, what is still expected until the cutoff, and how sure that is."""

from forecast.book.batches import add_batch
from forecast.book.count import set_aside
from forecast.book.model import BookModel, SessionModel, cold_model, fit_curve
from forecast.book.sessions import Sessions
from forecast.book.today import DayFacts
from forecast.book.update import update_book
from forecast.book.window import OrderWindow

__all__ = [
    "BookModel",
    "DayFacts",
    "OrderWindow",
    "SessionModel",
    "Sessions",
    "add_batch",
    "cold_model",
    "fit_curve",
    "set_aside",
    "update_book",
]
