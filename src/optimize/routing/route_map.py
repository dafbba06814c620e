"""Route map and load chart: a page of its own (HTML with SVG, nothing fetched) and a picture (PNG)."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from html import escape

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pandera.typing import DataFrame

from contracts.reference import VehicleTypes
from contracts.world import Reference
from optimize.routing.lines import Line, trip_lines
from optimize.routing.plan import RoutePlan

STYLE = (
    "body{font:14px system-ui,sans-serif;margin:1rem}svg{max-width:100%;background:#fafafa}polyline{stroke-width:1.5}"
)
WIDTH = 1000.0
MARGIN = 20.0
GOLDEN_ANGLE = 137.508
"""Hue step in degrees that keeps the colours of neighbouring routes apart however many there are."""


def route_map_html(plan: RoutePlan, *, reference: Reference, title: str = "Routes") -> str:
    """Return a page with the routes as SVG; hovering shows route, stop and kilometres. Nothing is loaded from outside.

    East-west is scaled by the cosine of the middle latitude, so that angles look right within a city.
    """
    lines = trip_lines(plan, reference=reference)
    if not lines:
        return _page(title, "<p>No routes.</p>")
    place = _projection(lines)
    height = max(place(point)[1] for line in lines for point in line.points) + MARGIN
    hue = {route: number * GOLDEN_ANGLE % 360 for number, route in enumerate(sorted({line.route_id for line in lines}))}
    drawn = [_svg_line(line, f"hsl({hue[line.route_id]:.0f} 70% 40%)", place) for line in lines]
    bases = {line.base_id: line.points[0] for line in lines}
    squares = [
        f'<rect x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12"><title>{escape(name)}</title></rect>'
        for name, (x, y) in ((name, place(point)) for name, point in sorted(bases.items()))
    ]
    total = f"{len(hue)} routes, {sum(len(line.places) for line in lines)} stops, "
    total += f"{sum(line.distance_km for line in lines):.0f} km, {plan.costs['total']:.2f} yuan"
    svg = f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img">{"".join(drawn)}{"".join(squares)}</svg>'
    return _page(title, f"<p>{escape(total)}</p>{svg}")


def route_map_png(plan: RoutePlan, *, reference: Reference, title: str = "Routes", dpi: int = 120) -> bytes:
    """Return the map as a PNG picture."""
    figure = Figure(figsize=(8, 8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    lines = trip_lines(plan, reference=reference)
    for line in lines:
        axes.plot(*zip(*line.points, strict=True), linewidth=1, marker="o", markersize=2.5)
    for name, (x, y) in sorted({line.base_id: line.points[0] for line in lines}.items()):
        axes.plot([x], [y], marker="s", color="black", markersize=7)
        axes.annotate(name, (x, y), fontsize=8)
    if lines:
        axes.set_aspect(1.0 / max(math.cos(math.radians(lines[0].points[0][1])), 0.05))
    axes.set(title=title, xlabel="longitude", ylabel="latitude")
    return _png(figure, dpi)


def load_chart_png(
    plan: RoutePlan, vehicles: DataFrame[VehicleTypes], *, title: str = "Load of each trip", dpi: int = 120
) -> bytes:
    """Return a bar chart of each trip's kg and litres as shares of its van."""
    trips = plan.trips
    vans = vehicles.set_index("vehicle_type_id").loc[trips["vehicle_type_id"]]
    kg = (trips["load_kg"].to_numpy() / vans["capacity_kg"].to_numpy()).tolist()
    litres = (trips["load_l"].to_numpy() / vans["capacity_l"].to_numpy()).tolist()
    figure = Figure(figsize=(8, max(2.0, 0.22 * len(trips) + 1)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    rows = range(len(trips))
    axes.barh([row - 0.2 for row in rows], kg, height=0.4, label="kg")
    axes.barh([row + 0.2 for row in rows], litres, height=0.4, label="litres")
    names = [f"{route} / {trip}" for route, trip in zip(trips["route_id"], trips["trip"], strict=True)]
    axes.set_yticks(list(rows), names, fontsize=7)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(title=title, xlabel="share of the van")
    axes.margins(y=0.0)
    axes.invert_yaxis()
    figure.legend(loc="outside lower right", ncols=2)
    return _png(figure, dpi)


def _png(figure: Figure, dpi: int) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()


class _Projection:
    """Longitude and latitude to points on the page."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self.west, self.north = min(xs), max(ys)
        self.squeeze = math.cos(math.radians((min(ys) + max(ys)) / 2.0))
        wide = max((max(xs) - self.west) * self.squeeze, (self.north - min(ys)), 1e-6)
        self.scale = (WIDTH - 2 * MARGIN) / wide

    def __call__(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return x and y on the page."""
        x, y = point
        return MARGIN + (x - self.west) * self.squeeze * self.scale, MARGIN + (self.north - y) * self.scale


def _projection(lines: Sequence[Line]) -> _Projection:
    return _Projection([point for line in lines for point in line.points])


def _svg_line(line: Line, colour: str, place: _Projection) -> str:
    points = [place(point) for point in line.points]
    label = escape(f"{line.route_id} trip {line.trip}: {len(line.places)} stops, {line.distance_km:.1f} km")
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{escape(line.route_id)} {seq}: '
        f"{escape(name)}</title></circle>"
        for seq, (name, (x, y)) in enumerate(zip(line.places, points[1:-1], strict=True), start=1)
    )
    return f'<polyline points="{path}" stroke="{colour}" fill="none"><title>{label}</title></polyline>{dots}'


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )
