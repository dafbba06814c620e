"""Which van brings what to which community, and when."""

from optimize.routing.build import routing_data
from optimize.routing.check import check
from optimize.routing.data import RoutingData
from optimize.routing.deadlines import trip_deadlines
from optimize.routing.plan import RoutePlan
from optimize.routing.radial import radial_yuan
from optimize.routing.route import route

__all__ = ["RoutePlan", "RoutingData", "check", "radial_yuan", "route", "routing_data", "trip_deadlines"]
