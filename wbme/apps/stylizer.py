"""``Stylizer``: a trained student on pictures of any size, with its live controls."""

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wbme import runtime
from wbme.apps import heads, tiles
from wbme.apps.heads import Head
from wbme.apps.tiles import Progress, Rgb
from wbme.base.errors import ModelError, ParameterError, WbmeError
from wbme.color.inputs import check_picture
from wbme.perception.faces import Face, detect
from wbme.runtime import card

# What each live control may be (``wbme.nets.layered``); which of them a graph has stands in its card.
RANGES = {
    "line_threshold": (-20.0, 20.0),
    "line_gain": (0.1, 50.0),
    "levels": (2.0, 64.0),
    "phase": (-1.0, 1.0),
    "softness": (0.0, 1.0),
    "saturation": (0.0, 4.0),
    "lift": (0.3, 2.0),
    "ink_colour": (0.0, 1.0),
}
MARGIN = 192  # pixels, at least the radius of the receptive field: 94 of S2-32, 170 of S4-64
DIRECT = 1.25  # faces up to so many times wider or narrower than the trained width are drawn as they are
_ENLARGED = 4.0  # most that a head is enlarged
_THIN, _BOLD = 2.0, 1.5  # how far the line threshold goes from its default, up and down
_NO_INK = 1e4  # a line threshold above every logit


def coverage(drawn: Rgb, bare: Rgb, ink: Rgb) -> Rgb:
    """Coverage a, H x W in [0, 1], of the colour ``ink`` in drawn = bare (1 - a) + ink a, H x W x 3."""
    way = ink - bare
    cover = np.einsum("hwc,hwc->hw", drawn - bare, way) / (np.einsum("hwc,hwc->hw", way, way) + 1e-4)
    return np.clip(cover, 0, 1)


def check_controls(
    controls: Mapping[str, Any],
    where: str,
    failure: type[WbmeError],
    ranges: Mapping[str, tuple[float, float]] = RANGES,
) -> None:
    """Raise ``failure`` for the first control whose value is of another kind or out of its range; ``where``
    begins the sentence."""
    for name, value in controls.items():
        low, high = ranges.get(name, (-1e6, 1e6))
        array = np.asarray(value)
        fits = array.shape == ((3,) if name == "ink_colour" else ()) and array.dtype.kind in "iuf"
        if not (fits and (array >= low).all() and (array <= high).all()):
            kind = "three numbers" if name == "ink_colour" else "a number"
            raise failure(f"{where}{name} must be {kind} from {low:g} to {high:g}, not {value!r}")


class Stylizer:
    """A student's exported graph on pictures.

    ``folder`` holds ``model.json`` (schema 1) and ``model.onnx``. ``controls`` replaces defaults of the card:
    numbers, and ``ink_colour`` three numbers in [0, 1]; ``phase`` is measured from where a tone lies on the
    skin, in steps of tone. ``lines`` in [-1, 1] shifts the line threshold from thin to bold. ``net`` stands
    for the graph where it is loaded already, such as ``runtime.remembered.Remembered``. Raises ModelError for
    a folder that is no such model, and ParameterError for a control that the model does not have or a value
    out of its range.

    What comes out is what the graph draws. Around it there are only padding, tiles, resampling and blending:
    lines are so many pixels wide and shading so coarse whatever is in the picture, and a student is trained
    on faces about ``card["face_width"]`` pixels wide. So a picture with a larger face is drawn smaller, until
    that is near the trained width (``scale``), and brought back to its own size: tones by a cubic, the ink as
    a coverage map whose edge is then as sharp as it was. Faces that are still far from the trained width are
    drawn once more by themselves, at that width, and laid over it with a soft edge, the largest last. A whole
    picture is never enlarged for its faces: its flat areas would come back busier, its outlines thin.
    """

    def __init__(
        self,
        folder: str | Path,
        backend: str = "openvino",
        *,
        threads: int | None = None,
        lines: float | None = None,
        controls: Mapping[str, Any] | None = None,
        net: runtime.Backend | None = None,
    ) -> None:
        self.card = card.read(Path(folder) / "model.json", card.GRAPH)
        self.layered = self.card["head"] == "layered"  # ink OVER tone(base), with live controls
        graph = Path(folder) / "model.onnx"
        self._net = net or runtime.load(graph, backend, layout="nhwc", threads=threads)
        names = {spec.name for spec in self._net.inputs}
        if names != {"image", *self.card["controls"]} or not names <= {"image", *RANGES}:
            raise ModelError(f"the inputs of {folder}/model.onnx are not those of its card: export it again")
        check_controls(self.card["controls"], f"{folder}/model.json: controls.", ModelError)
        check_controls(self.card.get("base_alone", {}), f"{folder}/model.json: base_alone.", ModelError, {})
        if lines is not None:
            shift = -(_THIN if lines < 0 else _BOLD) * lines
            usual = {**self.card["controls"], **(controls or {})}.get("line_threshold", 0.0)
            controls = {**(controls or {}), "line_threshold": usual + shift}
        self.controls = {**self.card["controls"], **self._checked(controls or {})}

    def under(self, controls: Mapping[str, Any]) -> "Stylizer":
        """The same graph under other ``controls``, those left out as the card has them."""
        other = copy.copy(self)
        other.controls = {**self.card["controls"], **self._checked(controls)}
        return other

    def picture(
        self, rgb: Rgb, faces: Sequence[Face] | None = None, *, progress: Progress | None = None
    ) -> Rgb:
        """The drawing of an sRGB picture (H x W x 3, float32 in [0, 1]), of the same size and kind.

        ``faces`` are those found in it (default: looked for here); with [] the picture is drawn as it is,
        whole. ``progress`` gets the tiles of the whole picture that are done and their number.
        """
        picture = check_picture(rgb)
        found = list(detect(picture, irises=False) if faces is None else faces)
        luma = self.skin_level(picture, found)
        return self.draw(picture, [heads.head_of(face) for face in found], luma, progress=progress)

    def draw(
        self,
        rgb: Rgb,
        found: Sequence[Head],
        luma: float,
        *,
        scale: float | None = None,
        progress: Progress | None = None,
    ) -> Rgb:
        """``picture`` where the heads and the luma of the skin are known already.

        ``scale`` is that of the whole picture (default: by its largest face), for one of many frames.
        """
        width = self.card["face_width"]
        whole = self.scale(found) if scale is None else scale
        # A tone lies on the skin where the phase is frac(levels x luma).
        phase = self.controls.get("levels", 0) * luma + self.controls.get("phase", 0)
        net = functools.partial(self._graph, phase=phase % 1)
        out = self._at(net, rgb, whole, progress)
        for head in sorted(found, key=lambda head: head.face):
            ratio = head.face * whole / width
            if 1 / DIRECT <= ratio <= DIRECT * 1.01 or head.weight <= 0:
                continue
            rows, columns = heads.window(head, rgb.shape)
            if rows.stop - rows.start < 8 or columns.stop - columns.start < 8:
                continue
            drawn = self._at(net, rgb[rows, columns], min(width / head.face, _ENLARGED))
            share = heads.mask(head, rows, columns)[..., None]
            out[rows, columns] += share * (drawn - out[rows, columns])
        return out

    def skin_level(self, rgb: Rgb, faces: Sequence[Face]) -> float:
        """Median luma of the skin, where a tone should lie: of what the graph makes of the largest face
        without ink and tones, which is brighter or darker than the photograph; of the picture without a face.
        """
        alone = self.card.get("base_alone")
        largest = max(faces, key=lambda face: heads.head_of(face).face, default=None)
        if not alone or largest is None or largest.landmarks is None:
            return heads.skin_luma(rgb, list(faces))
        rows, columns = heads.window(heads.head_of(largest), rgb.shape)
        part, scale = rgb[rows, columns], min(1.0, self.card["face_width"] / heads.head_of(largest).face)
        if not part.size:  # the face lies beside the picture
            return heads.skin_luma(rgb, [])
        size = [max(round(side * scale), 1) for side in part.shape[:2]]
        sizes = {"multiple": self.card["multiple"], "margin": MARGIN}
        net = functools.partial(self._graph, phase=0.0, **alone)
        base = tiles.resized(tiles.run(net, tiles.resized(part, *size), **sizes), *part.shape[:2])
        moved = largest.landmarks - [columns.start, rows.start, 0]
        return heads.skin_luma(base, [replace(largest, landmarks=moved)])

    def scale(self, found: Sequence[Head]) -> float:
        """At which scale, up to 1, a picture with these heads is drawn: one whose largest face is wider than
        1.25 times the trained width is made smaller until it is no more than that."""
        ratio = max((head.face for head in found), default=0.0) / self.card["face_width"]
        return min(1.0, DIRECT / max(ratio, 1e-6))

    def _at(self, net: Any, rgb: Rgb, scale: float, progress: Progress | None = None) -> Rgb:
        """``net`` over ``rgb`` resized by ``scale``, and the drawing at the size of ``rgb``."""
        height, width = rgb.shape[:2]
        size = max(round(height * scale), 1), max(round(width * scale), 1)
        seen = tiles.resized(rgb, *size)
        if scale > 1:
            seen = tiles.sharpened(seen, scale)
        sizes = {"multiple": self.card["multiple"], "margin": MARGIN}
        drawn = tiles.run(net, seen, **sizes, progress=progress)
        if scale >= 1 or not self.layered:
            return tiles.resized(drawn, height, width)
        bare = tiles.run(functools.partial(net, line_threshold=_NO_INK), seen, **sizes)
        ink = np.asarray(self.controls["ink_colour"], np.float32)
        cover = tiles.resized(coverage(drawn, bare, ink), height, width)
        # Steeper as it is enlarged more, without a step at scale 1 and without ink where there was none.
        steep = max(0.75 / scale, 1.0)
        cover = np.clip((cover - 0.4) * steep + 0.4 + min(0.4 * (steep - 1), 0.1), 0, 1)[..., None]
        bare = tiles.resized(bare, height, width)
        return bare + cover * (ink - bare)

    def _graph(self, rgb: Rgb, phase: float, **controls: Any) -> Rgb:
        values = {**self.controls, "phase": phase, **controls}
        feed = {name: np.atleast_1d(np.asarray(value, np.float32)) for name, value in values.items()}
        feed["image"] = rgb[None]
        return self._net(*(feed[spec.name] for spec in self._net.inputs))[0][0]

    def _checked(self, controls: Mapping[str, Any]) -> dict[str, Any]:
        for name in controls:
            if name not in self.card["controls"]:
                has = ", ".join(self.card["controls"]) or "none"
                raise ParameterError(f"{self.card['name']!r} has no control {name!r}; it has {has}")
        check_controls(controls, "", ParameterError)
        return dict(controls)
