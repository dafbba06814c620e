"""Which van brings what to which community, and when."""
