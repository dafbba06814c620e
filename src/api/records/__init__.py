"""What the service itself remembers: keys, sessions, jobs, plan states, the audit log. Data lives in `store`."""

from api.records.book import Records

__all__ = ["Records"]
