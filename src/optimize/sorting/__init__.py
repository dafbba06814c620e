"""Which destination is sorted in which wave, station and slot, and with how many people."""

from optimize.sorting.check import check
from optimize.sorting.data import SortingData, sorting_data
from optimize.sorting.plan import SortingPlan
from optimize.sorting.share import share_out
from optimize.sorting.solve import sort

__all__ = ["SortingData", "SortingPlan", "check", "share_out", "sort", "sorting_data"]
