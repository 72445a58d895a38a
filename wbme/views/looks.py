"""What networks find in a drawing: the face's mesh, its head, ghosts beside it, and who it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.data.pairs import Pairs
from wbme.geometry.parsing import HEAD
from wbme.metrics import identity
from wbme.metrics.identity import Gallery, Recogniser
from wbme.metrics.parsing import iou
from wbme.nets.mobilenet import MobileNetV2
from wbme.perception import facemesh, faces
from wbme.perception.faces import Face
from wbme.perception.parsing import Parser

F32 = NDArray[np.float32]
_BELIEF = 0.5  # of the mesh network, from which a face counts as found


class Looks:
    """The networks that look at drawings, and the photographs that they know people by.

    ``backbone`` of the descriptors and ``parser``; ``recogniser``: the user's own, or None.
    """

    def __init__(self, backbone: MobileNetV2, parser: Parser, recogniser: Recogniser | None = None) -> None:
        self._backbone, self._parser, self._recogniser = backbone, parser, recogniser
        self._galleries = {name: Gallery() for name in ("who", "who_weights")}

    def remember(self, made: Pairs, rows: Sequence[Mapping[str, Any]]) -> None:
        """Learn the photographs of those rows, each view of one person once."""
        views = {row["lineage"]["views"][0]: row for row in reversed(rows) if alone(row)}
        for view, row in views.items():
            found = made.load(row, ("src", "landmarks"))
            if len(found["points"]) == 1 and np.isfinite(found["points"]).all():
                mesh = found["points"][0]
                for name, value in self._described(found["src"], mesh).items():
                    self._galleries[name].add(value, row["identity"], view)

    def __call__(self, row: Mapping[str, Any], found: Mapping[str, Any], rgb: F32) -> dict[str, float]:
        """Of ``scores.BACKGROUND`` the ghosts, and the values of ``scores.FACE``, of the drawing ``rgb`` of a
        pair whose row and arrays (src, labels, points) these are: H x W x 3 sRGB in [0, 1].

        ``ghosts``: faces that the detector finds whose middle lies on nobody's head. ``readable``: share of
        heads where the mesh network, led to their exact place, believes in a face; ``landmarks``: root mean
        square distance of its points to the exact ones, % of the face's width, of those; ``head_iou``: of the
        head that the parser sees, led there too. Who it is (``metrics.identity``) is asked where one person
        is in the picture.
        """
        heads = [mesh for mesh in found["points"] if np.isfinite(mesh).all()]
        seen = faces.detect(rgb, rotations="none", irises=False)
        values = {"ghosts": float(sum(not _on(face, heads) for face in seen))}
        if not heads:
            return values
        meshes = [_mesh(rgb, mesh) for mesh in heads]
        misses = [_miss(own, mesh) for own, mesh in zip(meshes, heads, strict=True) if own is not None]
        labels = self._parser(rgb, [_face(mesh) for mesh in heads])
        values["readable"] = len(misses) / len(heads)
        values["landmarks"] = float(np.mean(misses)) if misses else float("nan")
        values["head_iou"] = iou(_head(labels), _head(found["labels"]))
        single = alone(row) and len(found["points"]) == 1
        return values | (self._who(row, found, rgb) if single else {})

    def _who(self, row: Mapping[str, Any], found: Mapping[str, Any], rgb: F32) -> dict[str, float]:
        values: dict[str, float] = {}
        view, mesh = row["lineage"]["views"][0], found["points"][0]
        described = self._described(rgb, mesh)
        for name, descriptor in described.items():
            hit, chance = self._galleries[name].rank_one(descriptor, row["identity"], view)
            values[name] = hit
            values.setdefault("chance", chance)
        if self._recogniser:
            own = self._recogniser(identity.aligned(found["src"], mesh))
            values["cosine"] = float(own @ described["who_weights"])
        return values

    def _described(self, rgb: F32, mesh: NDArray[Any]) -> dict[str, F32]:
        """Descriptors of the face at ``mesh``, by the name of their gallery."""
        crop = identity.aligned(rgb, mesh)
        found = {"who": identity.by_features(self._backbone, crop)}
        if self._recogniser:
            found["who_weights"] = self._recogniser(crop)
        return found


def alone(row: Mapping[str, Any]) -> bool:
    """Whether a pair shows one person of the renderer, without pasted heads."""
    lineage = row["lineage"]
    return len(lineage.get("views") or ()) == 1 and not lineage.get("cutface")


def _head(labels: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    return np.isin(labels, list(HEAD))


def _box(mesh: NDArray[Any]) -> NDArray[np.float64]:
    return np.concatenate([mesh[:, :2].min(0), mesh[:, :2].max(0)]).astype(float)


def _face(mesh: NDArray[Any]) -> Face:
    return Face(_box(mesh), 1.0, np.zeros((6, 2)), landmarks=mesh.astype(float))


def _mesh(rgb: F32, mesh: NDArray[Any]) -> NDArray[np.float64] | None:
    """The mesh, 468 x 3, that its network finds where ``mesh`` says a face is; None where it finds none."""
    points, belief = facemesh.fit(rgb, _box(mesh), mesh[[33, 263], :2].astype(float))
    return points if belief >= _BELIEF else None


def _miss(own: NDArray[Any], mesh: NDArray[Any]) -> float:
    width = float(np.ptp(mesh[:, 0]))
    return 100 * float(np.sqrt(np.square(own[:, :2] - mesh[:, :2]).sum(1).mean())) / max(width, 1e-6)


def _on(face: Face, heads: Sequence[NDArray[Any]]) -> bool:
    """Whether the middle of a found face lies on a head: in the box of its mesh, half as large again."""
    middle = (face.box[:2] + face.box[2:]) / 2
    for box in map(_box, heads):
        reach = 0.25 * (box[2:] - box[:2])
        if (box[:2] - reach <= middle).all() and (middle <= box[2:] + reach).all():
            return True
    return False
