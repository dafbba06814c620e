"""The planner's pages: plain HTML made on the server, readable without scripts."""

from api.pages.planner import router as pages_router

__all__ = ["pages_router"]
