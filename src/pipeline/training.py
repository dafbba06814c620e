"""Training both models of the night on the store's history, with the evidence that goes into the registry."""

from __future__ import annotations
