"""The night as a few typed calls."""
