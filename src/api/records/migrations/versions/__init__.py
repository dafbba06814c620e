"""One file per revision of the service's tables."""
