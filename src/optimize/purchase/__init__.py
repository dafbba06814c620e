"""What to buy from whom, in whole cases, at least expected cost."""
