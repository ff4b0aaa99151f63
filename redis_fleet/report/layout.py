"""Where each box and line of a deployment's picture goes: once for a wide page, once for a phone. All in CSS pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from redis_fleet.report.picture import Node, Picture

_BOX_HIGH, _GAP = 46, 10
_HEAD = 46
_LANE = 12


@dataclass(frozen=True)
class Box:
    """A rectangle with two lines of text in it; ``kind`` is how it looks: machine, or the role of a process."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    title: str
    text: str
    badge: str = ""

    @property
    def middle(self) -> int:
        """The x of its middle."""
        return self.x + self.width // 2

    @property
    def bottom(self) -> int:
        """The y of its lower edge."""
        return self.y + self.height


@dataclass(frozen=True)
class Line:
    """A path of straight lines with an arrow at its end: ``follows`` or ``watches``."""

    kind: str
    points: tuple[tuple[int, int], ...]

    @property
    def path(self) -> str:
        """The path in SVG's words."""
        return "M" + " L".join(f"{x} {y}" for x, y in self.points)


@dataclass(frozen=True)
class Label:
    """Text beside the boxes, in lines."""

    x: int
    y: int
    title: str
    text: str


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn, in the order of drawing."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]


def wide(picture: Picture) -> Drawing:
    """Lay out machines as columns and services as rows, the Sentinels below; arrows run in lanes above their row."""
    return _Wide(picture).drawing()


class _Wide:
    GUTTER, CELL, PAD = 132, 166, 10

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._boxes: list[Box] = []
        self._lines: list[Line] = []
        self._labels: list[Label] = []
        self._columns: dict[str, tuple[int, int]] = {}
        x = self.GUTTER
        for name, _ in picture.machines:
            # A machine is as wide as the most processes of one service that it has.
            side = max((_count(nodes, name) for nodes in _rows(picture).values()), default=1)
            width = self.PAD + max(1, side) * (self.CELL + self.PAD)
            self._columns[name] = (x, width)
            x += width + 16
        self._width = x - 16 + 2

    def drawing(self) -> Drawing:
        y = _HEAD
        middles = {}
        for service, nodes in _rows(self._picture).items():
            masters = list(dict.fromkeys(arrow.master for arrow in self._picture.arrows if _has(nodes, arrow.replica)))
            top = y + 8 + _LANE * len(masters) + (8 if masters else 0)
            placed = self._row(nodes, top)
            for lane, master in enumerate(masters):
                self._arrows(placed, master, top - 14 - lane * _LANE)
            middles[service] = top + _BOX_HIGH // 2
            self._label(service, middles[service])
            y = top + _BOX_HIGH + 8
        self._watching(middles)
        machines = [
            Box("machine", x, 1, width, y + 3, name, dict(self._picture.machines)[name])
            for name, (x, width) in self._columns.items()
        ]
        return Drawing(self._width, y + 6, (*machines, *self._boxes), tuple(self._lines), tuple(self._labels))

    def _row(self, nodes: tuple[Node, ...], top: int) -> dict[str, Box]:
        placed = {}
        for machine, (left, _) in self._columns.items():
            for place, node in enumerate(node for node in nodes if node.machine == machine):
                x = left + self.PAD + place * (self.CELL + self.PAD)
                placed[node.id] = _process(node, x, top, self.CELL)
        self._boxes += placed.values()
        return placed

    def _arrows(self, placed: Mapping[str, Box], master: str, lane: int) -> None:
        """Draw one master's arrows: up from each replica, along the lane, down to the master."""
        end = placed[master]
        busy = any(arrow.replica == master for arrow in self._picture.arrows)
        into = end.middle + (16 if busy else 0)
        for arrow in self._picture.arrows:
            if arrow.master == master and arrow.replica in placed:
                start = placed[arrow.replica]
                follows_too = any(each.master == arrow.replica for each in self._picture.arrows)
                out = start.middle - (16 if follows_too else 0)
                points = ((out, start.y), (out, lane), (into, lane), (into, end.y - 2))
                self._lines.append(Line("follows", points))

    def _label(self, service: str, middle: int) -> None:
        watch = next((each for each in self._picture.watched if each.service == service), None)
        text = f"quorum {watch.quorum}" if watch else "not watched" if service and self._picture.sentinels else ""
        self._labels.append(Label(22, middle, _short(service or "Sentinels", 13), text if service else ""))

    def _watching(self, middles: Mapping[str, int]) -> None:
        watched = [middles[each.service] for each in self._picture.watched if each.service in middles]
        if "" in middles:
            self._lines += [Line("watches", ((16, middles[""]), (8, middles[""]), (8, y), (18, y))) for y in watched]


def narrow(picture: Picture, width: int = 300) -> Drawing:
    """Lay out machines one below the other; arrows run in lanes on the left, one lane for each master."""
    masters = list(dict.fromkeys(arrow.master for arrow in picture.arrows))
    gutter = 8 + len(masters) * _LANE
    boxes, placed, y = [], {}, 1
    for name, address in picture.machines:
        own = [node for nodes in _rows(picture).values() for node in nodes if node.machine == name]
        height = _HEAD - 6 + len(own) * (_BOX_HIGH + _GAP)
        boxes.append(Box("machine", gutter, y, width - gutter - 1, height, name, address))
        for place, node in enumerate(own):
            top = y + _HEAD - 8 + place * (_BOX_HIGH + _GAP)
            placed[node.id] = _process(node, gutter + 16, top, width - gutter - 28)
        y += height + 12
    lines = []
    for lane, master in enumerate(masters):
        x, end = 6 + lane * _LANE, placed[master]
        busy = any(arrow.replica == master for arrow in picture.arrows)
        into = end.y + _BOX_HIGH // 2 + (10 if busy else 0)
        for arrow in picture.arrows:
            if arrow.master == master:
                start = placed[arrow.replica]
                followed = any(each.master == arrow.replica for each in picture.arrows)
                out = start.y + _BOX_HIGH // 2 - (10 if followed else 0)
                lines.append(Line("follows", ((start.x, out), (x, out), (x, into), (end.x - 2, into))))
    return Drawing(width, y - 11, (*boxes, *placed.values()), tuple(lines), ())


def _rows(picture: Picture) -> dict[str, tuple[Node, ...]]:
    """Return the rows: a service each, then the Sentinels under an empty name."""
    rows = {service: picture.of(service) for service in picture.services}
    return {**rows, **({"": picture.sentinels} if picture.sentinels else {})}


def _count(nodes: tuple[Node, ...], machine: str) -> int:
    return sum(node.machine == machine for node in nodes)


def _has(nodes: tuple[Node, ...], name: str) -> bool:
    return any(node.id == name for node in nodes)


def _process(node: Node, x: int, y: int, width: int) -> Box:
    name = node.service or "Sentinel"
    if node.machine == "outside":
        return Box(node.role, x, y, width, _BOX_HIGH, _short(node.note, 20), f"port {node.port}", node.role)
    badge = "down" if node.role == "down" else node.role if node.service else ""
    # A box that is down says so already.
    where = f"port {node.port}" if node.port else "its socket"
    note = where + (f", {node.note}" if node.note and node.role == "replica" else "")
    title = _short(name, (width - 8 * len(badge) - 24) // 8)
    return Box(node.role, x, y, width, _BOX_HIGH, title, _short(note, (width - 22) // 7), badge)


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: max(1, letters - 1)] + "…"


def overlaps(drawing: Drawing) -> Iterator[tuple[Box, Box]]:
    """Yield pairs of process boxes that cover each other: there must be none."""
    boxes = [box for box in drawing.boxes if box.kind != "machine"]
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            if not apart and one.y < other.bottom and other.y < one.bottom:
                yield one, other
