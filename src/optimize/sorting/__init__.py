"""Which destination is sorted in which wave, station and slot, and with how many people."""

from optimize.sorting.booking import Booking, book_ahead
from optimize.sorting.check import check
from optimize.sorting.data import SortingData, sorting_data
from optimize.sorting.earliest import earliest_releases
from optimize.sorting.homes import Homes, HomesData, free_homes
from optimize.sorting.plan import SortingPlan
from optimize.sorting.progress import Remaining, TaskProgress, remaining
from optimize.sorting.share import share_out
from optimize.sorting.solve import sort
from optimize.sorting.whole_night import whole_night

__all__ = [
    "Booking",
    "Homes",
    "HomesData",
    "Remaining",
    "SortingData",
    "SortingPlan",
    "TaskProgress",
    "book_ahead",
    "check",
    "earliest_releases",
    "free_homes",
    "remaining",
    "share_out",
    "sort",
    "sorting_data",
    "whole_night",
]
