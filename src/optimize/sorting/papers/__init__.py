"""What is printed for the floor and for the leaders: station sheets, slot labels, hand-out sheets, shortage notices."""

from optimize.sorting.papers.handout import hand_out, mask_name
from optimize.sorting.papers.labels import parcel_list, slot_labels
from optimize.sorting.papers.notices import shortage_notices
from optimize.sorting.papers.pages import hand_out_pdf, label_pdf, station_sheet_pdf
from optimize.sorting.papers.stations import station_grid, station_pages
from optimize.sorting.papers.words import Language

__all__ = [
    "Language",
    "hand_out",
    "hand_out_pdf",
    "label_pdf",
    "mask_name",
    "parcel_list",
    "shortage_notices",
    "slot_labels",
    "station_grid",
    "station_pages",
    "station_sheet_pdf",
]
