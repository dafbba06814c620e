"""Orders to history to features to models to forecasts to the order book."""

from forecast.backtest import backtest
from forecast.backtest_scores import BacktestScores
from forecast.book import BookModel, add_batch, cold_model, fit_curve, set_aside, update_book
from forecast.categories import by_category
from forecast.context import Context
from forecast.drift import DriftReport, drift_report
from forecast.history import build_history
from forecast.model import DemandModel
from forecast.open_share import open_share
from forecast.panel import Panel
from forecast.partition import relocated
from forecast.predicting import predict
from forecast.registry import Evidence, Registry, Served, evidence_of
from forecast.training import stand_in, train

__all__ = [
    "BacktestScores",
    "BookModel",
    "Context",
    "DemandModel",
    "DriftReport",
    "Evidence",
    "Panel",
    "Registry",
    "Served",
    "add_batch",
    "backtest",
    "build_history",
    "by_category",
    "cold_model",
    "drift_report",
    "evidence_of",
    "fit_curve",
    "open_share",
    "predict",
    "relocated",
    "set_aside",
    "stand_in",
    "train",
    "update_book",
]
