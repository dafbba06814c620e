"""Orders to history to features to models to forecasts to the order book."""
