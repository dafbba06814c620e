"""Orders to history to features to models to forecasts to the order book."""

from forecast.book import BookModel, cold_model, fit_curve, set_aside, update_book

__all__ = ["BookModel", "cold_model", "fit_curve", "set_aside", "update_book"]
