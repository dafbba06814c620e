"""What passes between the rooms: table contracts, settings, errors, solve status. Imports nothing of ours."""
