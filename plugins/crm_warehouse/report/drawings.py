"""Geometry of the report's pictures, as SVG without a script: the numbers stand beside each as text."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH = 100  # of a bar's field; the browser stretches it


def bar(value: float, largest: float, kind: str = "") -> Markup:
    """A bar from the left, as long as its share of the largest."""
    return _field([(0, _part(value, largest) * WIDTH, kind)])


def pair(left: float, right: float, largest: float) -> Markup:
    """Two bars from the middle: what went to the left, what came to the right."""
    half = WIDTH / 2
    out, came = _part(left, largest) * half, _part(right, largest) * half
    return _field([(half - out, out, "out"), (half, came, "in")], axis=half)


def span(start: float, end: float, lowest: float, highest: float, kind: str = "") -> Markup:
    """A bar that begins where the one before ended: a step of a waterfall."""
    breadth = float(highest - lowest) or 1.0
    x, y = (WIDTH * float(value - lowest) / breadth for value in (start, end))
    return _field([(min(x, y), abs(x - y), kind)])


def sparkline(points: Sequence[dict | None]) -> Markup:
    """One stroke a run: a low grey one where the rule passed, a tall one where it did not, none where it was not asked."""
    step, shapes = 5, []
    largest = max((point["rows"] for point in points if point), default=0) or 1
    for place, point in enumerate(points):
        if point is None:
            continue
        passed = point["status"] == "passed"
        height = 2 if passed else 6 + 12 * point["rows"] / largest
        kind = "ok" if passed else "waived" if point["status"] == "waived" else "bad"
        shapes.append(
            f'<rect class="{kind}" x="{place * step}" y="{20 - height:.1f}" width="3.4" height="{height:.1f}"/>'
        )
    return Markup(f'<svg class="spark" viewBox="0 0 {len(points) * step} 20" width="{len(points) * step}" height="20" aria-hidden="true">{"".join(shapes)}</svg>')  # fmt: skip


def curve(shares: Sequence[float], size: int = 300) -> Markup:
    """Path of a Lorenz curve through cumulative shares at 0, 1, ... 100 per cent of customers, the smallest first.

    Losses take it below nothing; it leaves its frame there.
    """
    last = len(shares) - 1 or 1
    points = (f"{size * place / last:.1f},{size * (1 - float(share)):.1f}" for place, share in enumerate(shares))
    return Markup("M" + " L".join(points))


def _part(value: float, largest: float) -> float:
    return min(1.0, abs(float(value)) / float(largest)) if largest else 0.0


def _field(bars: Sequence[tuple[float, float, str]], axis: float | None = None) -> Markup:
    drawn = "".join(
        f'<rect class="{kind}" x="{x:.2f}" y="1" width="{max(width, 0.6):.2f}" height="8"/>'
        for x, width, kind in bars
        if width
    )
    line = f'<line x1="{axis:.1f}" x2="{axis:.1f}" y1="0" y2="10"/>' if axis is not None else ""
    return Markup(
        f'<svg class="bar" viewBox="0 0 {WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">{drawn}{line}</svg>'
    )
