"""The night's verbs from a terminal."""
