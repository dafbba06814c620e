"""Seeded worlds - tiny, town, city - with reference data, order streams and the demand that was true."""
