"""The editor of landmarks: drag the five points and the box of a drawn face, and save them as its JSON."""

from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError, WbmeError
from wbme.data import drawn_faces, landmark_file
from wbme.data.drawings import Drawings
from wbme.data.landmark_file import POINTS
from wbme.perception import drawn
from wbme.views.drawings import around
from wbme.views.panel import button, canvas, widgets

_REACH = 16  # screen pixels at which a point or a corner is caught
_SHOWN = 1000  # longer side of the picture on the screen
_SIGNS = ("R", "L", "n", "r", "l")  # right eye, left eye, nose, right and left corner of the mouth


@dataclass(frozen=True, eq=False)
class Face:
    """A face while it is edited, in pixels: ``points`` 5 x 2, ``box`` x0, y0, x1, y1, ``contour`` N x 2.
    ``fresh``: no point was dragged yet, so that the points follow the box."""

    points: NDArray[np.float64]
    box: NDArray[np.float64]
    contour: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    fresh: bool = False

    def dragged(self, part: str, by: NDArray[np.float64], size: tuple[int, int]) -> "Face":
        """The face after ``part`` (a point's number, "low" or "high" corner of the box, or "whole") was drawn
        ``by`` so many pixels (x, y); points stay within the picture of ``size`` (width, height)."""
        last = np.array(size, float) - 1
        if part == "whole":
            by = np.clip(by, -self.points.min(0), last - self.points.max(0))
            return replace(
                self, points=self.points + by, box=self.box + np.tile(by, 2), contour=self.contour + by
            )
        if part.isdigit():
            points = self.points.copy()
            points[int(part)] = np.clip(points[int(part)] + by, 0, last)
            return replace(self, points=points, fresh=False)
        box, ends = self.box.copy(), slice(0, 2) if part == "low" else slice(2, 4)
        box[ends] = np.clip(box[ends] + by, 0, last)
        if (box[2:] - box[:2]).min() < 4:
            return self
        if not self.fresh:
            return replace(self, box=box)
        share = (self.points - self.box[:2]) / (self.box[2:] - self.box[:2])
        return replace(self, box=box, points=box[:2] + share * (box[2:] - box[:2]))


@dataclass(eq=False)
class Page:
    """One drawing in the editor: its row, where its landmarks are saved, its faces, and whether they are."""

    row: dict[str, Any]
    path: Path
    faces: list[Face]
    changed: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.row["width"], self.row["height"]

    def save(self) -> None:
        """Write the landmarks of this drawing. StoreError where that cannot be."""
        marks = [landmark_file.marks(*_rounded(face)) for face in self.faces]
        landmark_file.save(self.path, marks, Path(self.row["name"]).name, self.size)
        self.changed = False


def _rounded(face: Face) -> tuple[Any, ...]:
    contour = np.round(face.contour, 2) if len(face.contour) else None
    return np.round(face.points, 2), np.round(face.box, 2), contour


def pages(drawings: Drawings, files: dict[str, Path], marks: Path | None = None) -> list[Page]:
    """The drawings to edit. ``files``: the user's own picture by its name, beside which its landmarks are
    saved, or in the folder ``marks`` where one is given."""
    made = []
    for row in drawings.pictures:
        faces = [
            Face(
                np.array([face["points"][name] for name in POINTS], float),
                np.array(face["box"], float),
                np.array(face["contour"], float).reshape(-1, 2),
            )
            for face in drawings.found(row)
        ]
        made.append(Page(row, drawn_faces.place(files[row["name"]], row["name"], marks), faces))
    return made


class Editor:
    """The editor as a widget, ``box``: of the drawings ``pages``, one at a time.

    A point, a corner of the box, or the face as a whole (from anywhere else in its box) follows the mouse.
    "save" writes the landmark file of every drawing that was changed; nothing else is written.
    Raises ParameterError where there is no drawing.
    """

    def __init__(self, drawings: Drawings, pages: list[Page]):
        from matplotlib.figure import Figure

        if not pages:
            raise ParameterError("there is no drawing to edit: name a folder of drawings")
        self.drawings, self.pages, self.at, self.face = drawings, pages, 0, 0
        self.held: tuple[str, NDArray[np.float64]] | None = None
        figure = Figure(figsize=(6.8, 6.8), dpi=100)
        self.axes = figure.add_axes((0, 0, 1, 1))
        acts = {"button_press_event": self._press, "button_release_event": self._release}
        self.canvas = canvas(figure, {**acts, "motion_notify_event": self._move})
        self.title, self.message = widgets.HTML(), widgets.HTML()
        self.near = widgets.ToggleButton(value=True, description="near", layout=widgets.Layout(width="80px"))
        self.near.observe(lambda _: self._show(), names="value")
        self.which = widgets.Dropdown(description="face", layout=widgets.Layout(width="160px"))
        self.which.observe(self._choose, names="value")
        buttons = [
            button("previous", lambda: self._turn(-1)),
            button("next", lambda: self._turn(1)),
            self.near,
            self.which,
            button("add face", self._add),
            button("remove face", self._remove),
            button("save", self._save),
        ]
        rows = widgets.Layout(flex_flow="row wrap", overflow="visible")
        self.box = widgets.VBox([widgets.Box(buttons, layout=rows), self.title, self.message, self.canvas])
        self._show()

    @property
    def page(self) -> Page:
        """The drawing that is shown."""
        return self.pages[self.at]

    def _turn(self, step: int) -> None:
        self.at, self.face = (self.at + step) % len(self.pages), 0
        self._show()

    def _choose(self, change: Any) -> None:
        if change["new"] is not None and change["new"] != self.face:
            self.face = change["new"]
            self._show()

    def _add(self) -> None:
        width, height = self.page.size
        side = min(width, height) / 3
        middle = np.array([width / 2, min(height / 2, 0.75 * width)])
        box = np.concatenate([middle - side / 2, middle + side / 2])
        self.page.faces.append(Face(drawn.usual(box), box, fresh=True))
        self.page.changed, self.face = True, len(self.page.faces) - 1
        self.near.value = False
        self._show()

    def _remove(self) -> None:
        if self.page.faces:
            del self.page.faces[self.face]
            self.page.changed, self.face = True, 0
            self._show()

    def _save(self) -> None:
        changed = [page for page in self.pages if page.changed]
        try:
            for page in changed:
                page.save()
            names = ", ".join(page.path.name for page in changed) or "nothing: no drawing was changed"
            self._say(f"saved {names}")
        except WbmeError as error:
            self._say(str(error))
        self._name()

    def _say(self, text: str) -> None:
        self.message.value = f"<b>{escape(text)}</b>" if text else ""

    def _name(self) -> None:
        page, faces = self.page, len(self.page.faces)
        state = "changed, not saved" if page.changed else "saved" if page.path.exists() else "as found"
        words = f"{page.row['name']} ({self.at + 1} of {len(self.pages)}), faces: {faces}, {state}"
        self.title.value = escape(words)

    def _show(self) -> None:
        """Draw the page anew: the picture, then the face's artists."""
        page = self.page
        self.which.options = [(str(k + 1), k) for k in range(len(page.faces))]
        if page.faces:
            self.which.value = self.face
        self._name()
        self._say("" if page.faces else "no face: press 'add face', then drag its box and points into place")
        rgb = self.drawings.rgb(page.row)
        window = np.array([0, 0, *page.size], float)
        if self.near.value and page.faces:
            window = around(page.faces[self.face].box)
        x0, y0 = np.clip(np.floor(window[:2]), 0, np.array(page.size) - 2).astype(int)
        x1, y1 = np.clip(np.ceil(window[2:]), (x0 + 2, y0 + 2), page.size).astype(int)
        part = rgb[y0:y1, x0:x1]
        shrink = min(_SHOWN / max(part.shape[:2]), 1)
        if shrink < 1:
            part = np.clip(cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), 0, 1)
        self.axes.clear()
        self.axes.set_axis_off()
        self.axes.imshow(part, extent=(x0 - 0.5, x1 - 0.5, y1 - 0.5, y0 - 0.5), interpolation="bilinear")
        self._artists()

    def _artists(self) -> None:
        from matplotlib.patches import Rectangle
        from matplotlib.patheffects import withStroke

        self.drawn: list[dict[str, Any]] = []
        halo = [withStroke(linewidth=3, foreground="white")]
        for number, face in enumerate(self.page.faces):
            strong = number == self.face
            colour = "#d01c6b" if strong else "#6b6b6b"
            frame = self.axes.add_patch(
                Rectangle((0, 0), 1, 1, fill=False, ec=colour, lw=1.3, path_effects=halo)
            )
            style = {"ls": "", "mec": "white", "mew": 1.2, "color": colour}
            corners = self.axes.plot([], [], "s", ms=8 if strong else 4, **style)[0]
            points = self.axes.plot([], [], "o", ms=9 if strong else 5, **style)[0]
            rim = self.axes.plot([], [], color=colour, lw=1, path_effects=halo)[0]
            words = {"color": colour, "fontsize": 11, "fontweight": "bold", "path_effects": halo}
            signs = [
                self.axes.annotate(sign, (0, 0), (7, 7), textcoords="offset points", **words)
                for sign in _SIGNS
            ]
            self.drawn.append(
                {"frame": frame, "corners": corners, "points": points, "rim": rim, "signs": signs}
            )
            self._put(number, face)
        self.canvas.draw_idle()

    def _put(self, number: int, face: Face) -> None:
        """Move the artists of a face to where it lies."""
        drawn = self.drawn[number]
        x0, y0, x1, y1 = face.box
        drawn["frame"].set_bounds(x0, y0, x1 - x0, y1 - y0)
        drawn["corners"].set_data([x0, x1], [y0, y1])
        drawn["points"].set_data(*face.points.T)
        drawn["rim"].set_data(*face.contour.T)
        for sign, point in zip(drawn["signs"], face.points, strict=True):
            sign.xy = point

    def _press(self, event: Any) -> None:
        if event.xdata is None or not self.page.faces:
            return
        here, place = np.array([event.xdata, event.ydata]), np.array([event.x, event.y])
        order = [self.face, *(k for k in range(len(self.page.faces)) if k != self.face)]
        for number in order:
            part = self._part(self.page.faces[number], here, place)
            if part is not None:
                if number != self.face:
                    self.face = number
                    self._show()
                self.held = part, here
                return

    def _part(self, face: Face, here: NDArray[np.float64], place: NDArray[np.float64]) -> str | None:
        """The part of ``face`` at ``here`` (pixels of the picture), ``place`` on the screen."""
        handles = np.concatenate([face.points, face.box.reshape(2, 2)])
        far = np.hypot(*(self.axes.transData.transform(handles) - place).T)
        if far.min() <= _REACH:
            return [*map(str, range(len(POINTS))), "low", "high"][int(far.argmin())]
        return "whole" if (face.box[:2] <= here).all() and (here <= face.box[2:]).all() else None

    def _move(self, event: Any) -> None:
        if self.held is None or event.xdata is None:
            return
        part, before = self.held
        here = np.array([event.xdata, event.ydata])
        if (here == before).all():
            return
        face = self.page.faces[self.face].dragged(part, here - before, self.page.size)
        self.page.faces[self.face] = face
        self.page.changed, self.held = True, (part, here)
        self._put(self.face, face)
        self.canvas.draw_idle()

    def _release(self, event: Any) -> None:
        self._move(event)
        self.held = None
        self._name()
