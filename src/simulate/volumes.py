"""The volumes a supply side is scaled to: units per night, SKU and warehouse, and loads per place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Volumes:
    """Demand of past nights as a supplier planner sums it up.

    Attributes
    ----------
    mean, peak, usual : ndarray, shape (K, W)
        Units of a night the SKU is sold, of a 99 % night, and averaged over all nights.
    zone_nights : ndarray, shape (D, 3, W)
        Units per night by temperature zone (ambient, chilled, frozen) and warehouse.
    base_kg, base_l : ndarray, shape (D, B)
        Kilograms and litres per night and base (depots if there are any, else warehouses).
    stops : ndarray, shape (B,)
        Destinations of each base.
    stop_kg, stop_l : float
        The heaviest and the bulkiest stop of a night (99.9 % quantile).
    """

    mean: np.ndarray
    peak: np.ndarray
    usual: np.ndarray
    zone_nights: np.ndarray
    base_kg: np.ndarray
    base_l: np.ndarray
    stops: np.ndarray
    stop_kg: float
    stop_l: float


@dataclass(frozen=True)
class SkuMeasures:
    """Arrays of the SKU table, all of shape (K,); `zone` is 0 ambient, 1 chilled, 2 frozen."""

    weight_kg: np.ndarray
    volume_l: np.ndarray
    zone: np.ndarray


def sum_volumes(
    nights: np.ndarray, stop_units: list[np.ndarray], *, base_of: np.ndarray, bases: int, sku: SkuMeasures
) -> Volumes:
    """Return the volumes of a history.

    Parameters
    ----------
    nights : ndarray, shape (D, W, K)
        Units per night, warehouse and SKU; nights without any unit are left out.
    stop_units : list of ndarray, shape (C, 2)
        Kilograms and litres per community, one array per night.
    base_of : ndarray of int, shape (C,)
        Base that delivers to a community, 0 .. bases - 1.
    """
    open_nights = nights[nights.sum(axis=(1, 2)) > 0]
    city = open_nights.sum(axis=1) > 0
    listed = np.maximum(1, city.sum(axis=0))
    mean = open_nights.sum(axis=0).T / listed[:, None]
    peak = np.quantile(open_nights, 0.99, axis=0).T
    zones = np.stack([open_nights[:, :, sku.zone == z].sum(axis=2) for z in range(3)], axis=1)
    loads = np.stack(stop_units)
    of_base = np.eye(bases)[base_of]
    heaviest = np.quantile(loads.max(axis=1), 0.999, axis=0) if len(loads) else np.zeros(2)
    return Volumes(
        mean=mean,
        peak=np.maximum(peak, mean),
        usual=open_nights.mean(axis=0).T,
        zone_nights=zones,
        base_kg=loads[:, :, 0] @ of_base,
        base_l=loads[:, :, 1] @ of_base,
        stops=of_base.sum(axis=0),
        stop_kg=float(heaviest[0]),
        stop_l=float(heaviest[1]),
    )
