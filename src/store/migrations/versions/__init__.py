"""Schema migrations, applied when a store is opened."""
