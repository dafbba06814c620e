"""Training both models of the night on the store's history, with the evidence that goes into the registry."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from contracts.errors import EmptyInputError
from contracts.settings import Settings
from pipeline.models import NightModels
