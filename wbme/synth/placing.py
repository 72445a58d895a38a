"""A deformed character's head, drawn in its own proportions, brought to the geometry of the person."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from wbme.color.spaces import srgb_to_lab
from wbme.data.matched import Matched
from wbme.data.rendered import Layers
from wbme.geometry import fields, landmarks, warps
from wbme.geometry.inversion import inverse
from wbme.geometry.parsing import HEAD, INDEX
from wbme.metrics import warping
from wbme.synth.composite import UNDER
from wbme.synth.recipes import Warp

F32 = NDArray[np.float32]
_HEAD = HEAD - {INDEX["neck"], INDEX["neck_l"]}  # landmarks tell nothing of what lies below it
_FEWEST = 60  # landmarks that are seen; of fewer, hidden ones count too
_LINE = 0.012  # of the head's width: half of how wide its outline may be
_EDGE = 3  # pixels from the skin within which its border may be misplaced
_GAP = 0.04  # of the head's width: what the correspondence lacks and its surroundings fill
_SOFT = 0.7  # sigma in pixels of a cut edge


def brought(found: Matched, how: Warp) -> Layers:
    """The layers of a view with its drawing in the person's geometry, heads only.

    ``palette``, ``oracle`` and ``drawn`` go through the field of ``how`` with premultiplied alpha and ``ink``
    with them; what is no head in the drawing or in the photograph becomes transparent, so that the body is
    the photograph's. ``toon`` holds the drawing's labels where it shows. Raises ParameterError where no warp
    can be fitted to the landmarks.
    """
    layers, shape = found.layers, found.layers.labels.shape
    places, known = _field(found, how)
    own = labelled(found)
    keep = _without_specks(np.isin(own, list(_HEAD)))
    reach = max(round(_LINE * _width(layers)), 1)
    person = np.isin(layers.labels, list(HEAD)).astype(np.float32)
    cut = _through(keep, places) * cv2.GaussianBlur(person, (0, 0), _SOFT) * known
    outline = _through(_grown(keep, reach), places) * _grown(person, reach) * known
    made: dict[str, Any] = {"ink": _through(layers.ink, places) * outline}
    for name in ("palette", "oracle", "drawn"):
        rgba = getattr(layers, name)
        moved = _through(np.dstack([rgba[..., :3] * rgba[..., 3:], rgba[..., 3]]), places)
        straight = np.clip(moved[..., :3] / np.maximum(moved[..., 3:], 1e-6), 0, 1)
        made[name] = np.dstack([straight, moved[..., 3] * cut]).astype(np.float32)
    x, y = np.moveaxis(np.rint(places.numpy()).astype(int), -1, 0)
    nearest = np.where(keep > 0, own, 0)[y.clip(0, shape[0] - 1), x.clip(0, shape[1] - 1)]
    shown = (made["palette"][..., 3] > 0.5) & (person > 0)
    return replace(layers, **made, toon=np.where(shown, nearest, 0).astype(np.uint8))


def _field(found: Matched, how: Warp) -> tuple[Tensor, F32]:
    """Where each pixel of the person's picture lies in the drawing, H x W x 2, and how far that is known."""
    shape = found.layers.labels.shape
    if how.method == "exact":
        places, near = _filled(*inverse(torch.from_numpy(found.places), shape), _GAP * _width(found.layers))
        head = np.isin(found.layers.labels, list(_HEAD)).astype(np.float32)
        return places, near * _grown(head, max(round(_LINE * _width(found.layers)), 1))
    seen = found.visible if found.visible.sum() >= _FEWEST else np.ones_like(found.visible)
    both = [landmarks.subset(points, how.landmarks, seen) for points in (found.source, found.target)]
    method, strength = ("similarity", 0.0) if how.method == "none" else (how.method, how.strength)
    settings = warps.Settings(smoothing=how.smoothing, reach=how.reach)
    warp = warps.fit(method, *both, strength, base="robust", settings=settings)
    return fields.field(warp, (shape[0], shape[1]))[0], np.ones(shape, np.float32)


def labelled(found: Matched) -> NDArray[np.uint8]:
    """The labels of the drawing, uint8 H x W: those of the photograph at the places of its pixels, and where
    the photograph hides them those of the nearest that it shows; 0 where nobody is drawn."""
    layers = found.layers
    own = warping.shown(layers.labels, found.places)
    if not own.any():
        return own
    away = (own == 0).astype(np.uint8)
    _, which = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    by_number = np.zeros(which.max() + 1, np.uint8)
    by_number[which[away == 0]] = own[away == 0]
    own = np.where(layers.palette[..., 3] > 0.5, by_number[which], 0).astype(np.uint8)
    return _by_colour(own, layers.palette[..., :3])


def _by_colour(labels: NDArray[np.uint8], rgb: F32) -> NDArray[np.uint8]:
    """``labels`` with skin, too, what lies beside skin and looks more like it than like its own: of a place
    known to a pixel the label may be its neighbour's, and what colour reflection leaves out stays pale."""
    skin = np.isin(labels, list(UNDER))
    near = (_grown(skin.astype(np.float32), _EDGE) > 0) & ~skin & (labels > 0)
    if not near.any():
        return labels
    lab = srgb_to_lab(rgb)
    own = np.median(lab[skin], axis=0)
    for one in np.unique(labels[near]):
        here = near & (labels == one)
        inner = (labels == one) & ~near
        middle = np.median(lab[inner if inner.any() else labels == one], axis=0)
        closer = np.linalg.norm(lab[here] - own, axis=1) < np.linalg.norm(lab[here] - middle, axis=1)
        labels[here] = np.where(closer, np.uint8(INDEX["skin"]), labels[here])
    return labels


def _without_specks(mask: NDArray[np.bool_]) -> F32:
    """``mask`` without its parts that are a two-hundredth of the largest or less."""
    _, which = cv2.connectedComponents(mask.astype(np.uint8))
    sizes = np.bincount(which[mask], minlength=which.max() + 1)
    return (mask & (sizes[which] > sizes.max() / 200)).astype(np.float32)


def _width(layers: Layers) -> float:
    return float(np.nanmax([layers.boxes[0, 2] - layers.boxes[0, 0], 16.0]))


def _filled(places: Tensor, known: Tensor, reach: float) -> tuple[Tensor, F32]:
    """A field where it is ``known``, and within ``reach`` pixels of that as its nearest place goes on."""
    away, (y, x) = ndimage.distance_transform_edt(~known.numpy(), return_indices=True)
    own = fields.places((known.shape[0], known.shape[1]))
    whole = own + (torch.nan_to_num(places) - own)[torch.from_numpy(y), torch.from_numpy(x)]
    return whole, (away <= reach).astype(np.float32)


def _grown(mask: F32, by: int) -> F32:
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    return np.asarray(cv2.dilate(mask, around), np.float32)


def _through(plane: F32, places: Tensor) -> F32:
    """A plane h x w (x C) seen through the field ``places``, H x W x 2."""
    given = plane if plane.ndim == 3 else plane[..., None]
    pixels = torch.from_numpy(np.ascontiguousarray(given.transpose(2, 0, 1)))[None]
    out = fields.resampled(pixels, places[None])[0].permute(1, 2, 0).contiguous().numpy()
    return out if plane.ndim == 3 else out[..., 0]
