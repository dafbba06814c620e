"""The M5 panel as one of our histories: reading, mapping to the contracts, official scores."""
