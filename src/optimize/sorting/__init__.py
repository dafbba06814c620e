"""Which destination is sorted in which wave, station and slot, and with how many people."""
