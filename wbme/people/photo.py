"""The photo look: a person as a camera would have seen it, over nothing (alpha).

Linear light throughout: diffuse light with occlusion, scattered under the skin, then what glints (two GGX
lobes on skin, strands after Kajiya and Kay 1989 with Marschner's second highlight on hair, a cornea with the
key's window in it), exposed with a soft shoulder, filtered from 2 x 2 samples a pixel to sRGB.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.people import gbuffer
from wbme.people.camera import Camera
from wbme.people.context import Context, read
from wbme.people.gbuffer import GBuffer
from wbme.people.lights import Light
from wbme.people.mesh import Model

_LIGHT = ((4, "f2"),)
_RUN_ON = 8  # pixels that colours run on beyond the person
_SKULL = np.array([0.0, 0.02, -0.085, 1.0])  # its centre in the head's frame
_UPPER_LIDS, _LOWER_LIDS = (159, 386), (145, 374)  # of mediapipe's landmarks: right, left


@dataclass(frozen=True, eq=False)
class Photo:
    """H x W at the camera's size, uint8. rgba: sRGB, straight alpha, colours run on into what is
    transparent. shading: the sRGB of a grey of 50 % linear under the same light and exposure, without glints.
    albedo: sRGB x 3, what the surface would show under even white light."""

    rgba: NDArray[np.uint8]
    shading: NDArray[np.uint8]
    albedo: NDArray[np.uint8]


def shade(context: Context, model: Model, camera: Camera, light: Light, samples: GBuffer) -> Photo:
    """The photo of ``model``; ``samples`` is its G-buffer by the same camera and light, drawn last."""
    if context.drawn is not samples:
        gbuffer.draw(context, model, camera, light)
    size = (camera.size[0] * gbuffer.SCALE, camera.size[1] * gbuffer.SCALE)
    _, textures = context.target("gbuffer", size, gbuffer.TARGETS, depth=True)
    _, (shadows,) = context.target("shadow", size, ((1, "f1"),))
    names = ("albedos", "positions", "normals", "rests", "tangents", "uvs", "marks")
    inputs = dict(zip(names, textures[:7], strict=True)) | {"shadows": shadows}
    inputs |= _light_inputs(light) | _person_inputs(model) | _camera_inputs(camera, light)

    def run(shader: str, target: str, kinds: tuple, at: tuple[int, int], **more) -> list:
        frame, made = context.target(target, at, kinds)
        context.cover(context.program("screen.vert", shader), frame, inputs | more)
        return made

    (raw,) = run("occlusion.frag", "raw occlusion", ((1, "f1"),), camera.size)
    (occlusion,) = run("smooth.frag", "occlusion", ((1, "f1"),), camera.size, occlusion=raw)
    lit, surfaces = run("light.frag", "light", _LIGHT * 2, size, occlusion=occlusion)
    (across,) = run("scatter.frag", "across", _LIGHT, size, lights=lit, axis=(1.0, 0.0))
    (down,) = run("scatter.frag", "down", _LIGHT, size, lights=across, axis=(0.0, 1.0))
    kinds = ((4, "f2"), (1, "f2"))
    colours, shades = run("compose.frag", "colours", kinds, size, lights=down, surfaces=surfaces)
    lenses = _lenses(context, model, camera, inputs, size, textures[7])
    more = {"colours": colours, "lenses": lenses, "shades": shades}
    kinds = ((4, "f1"), (1, "f1"), (4, "f1"))
    photo, shading, albedo = (read(t) for t in run("resolve.frag", "photo", kinds, camera.size, **more))
    clear = photo[..., 3] == 0
    rgba, shading, colour = photo.copy(), shading.copy(), np.ascontiguousarray(albedo[..., :3])
    if clear.any() and not clear.all():
        near, far = _nearest(clear)
        for picture in (rgba[..., :3], shading, colour):
            flat = picture.reshape(clear.size, -1)
            picture[clear] = flat[near[clear]].reshape(picture[clear].shape)
            picture[far] = np.median(flat[~clear.ravel()], axis=0).squeeze()
    return Photo(rgba, shading, colour)


def _nearest(clear: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each pixel the flat index of a nearest pixel that is not ``clear``, and whether it is far."""
    distance, labels = cv2.distanceTransformWithLabels(
        clear.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    index = np.zeros(labels.max() + 1, np.int64)
    opaque = np.flatnonzero(~clear)
    index[labels.reshape(-1)[opaque]] = opaque
    return index[labels], distance > _RUN_ON


def _light_inputs(light: Light) -> dict:
    level = light.direction[[0, 2]] / (np.linalg.norm(light.direction[[0, 2]]) + 1e-9)
    x, z = level[0], level[1] + 0.6  # a catch-light lies where the eye can show it
    rise = min(max(light.direction[1], 0.3), 0.55)
    flat = np.sqrt(1 - rise**2) / np.hypot(x, z)
    catch = np.array([x * flat, rise, z * flat])
    return {
        "key_direction": light.direction,
        "key_colour": light.colour,
        "key_radius": float(light.radius),
        "sky": light.ambient[0],
        "ground": light.ambient[1],
        "fill_direction": light.fill_direction,
        "fill_colour": light.fill,
        "rim_direction": light.rim_direction,
        "rim_colour": light.rim,
        "catch_direction": catch,
    }


def _person_inputs(model: Model) -> dict:
    centres, rims = model.irises[:, 0].astype(float), model.irises[:, 1:].astype(float)
    gazes = np.cross(rims[:, 0] - rims[:, 2], rims[:, 1] - rims[:, 3])
    forward = model.head[:3, 2].astype(float)
    gazes *= np.sign(gazes @ forward)[:, None]
    gazes /= np.linalg.norm(gazes, axis=1, keepdims=True) + 1e-12
    radius = np.linalg.norm(rims - centres[:, None], axis=2).mean()
    oil = float(model.facts.get("oil", 1.0))
    return {
        "iris_centres": centres,
        "gazes": gazes,
        "iris_radius": float(radius),
        "upper_lids": model.landmarks[list(_UPPER_LIDS)].astype(float),
        "lower_lids": model.landmarks[list(_LOWER_LIDS)].astype(float),
        "head_up": model.head[:3, 1].astype(float),
        "skull": (model.head @ _SKULL)[:3].astype(float),
        "to_head": np.linalg.inv(model.head.astype(float)),
        "oil": oil,
        "relief": float(model.facts.get("relief", 1.0)),
    }


def _camera_inputs(camera: Camera, light: Light) -> dict:
    return {
        "eye_point": camera.eye,
        "pixels_per_radian": float(camera.pixels_per_radian * gbuffer.SCALE),
        "exposure": float(2.0**light.exposure_ev),
    }


def _lenses(context: Context, model: Model, camera: Camera, inputs: dict, size: tuple[int, int], depth):
    """Clear glass, drawn over the depth of the G-buffer."""
    frame, (lenses,) = context.target("lenses", size, _LIGHT)
    frame.use()
    frame.clear(0.0, 0.0, 0.0, 0.0)
    clear = [mesh for mesh in model.meshes if gbuffer.is_clear(mesh)]
    if not clear:
        return lenses
    gl = context.gl
    joint = gl.framebuffer([lenses], depth)
    joint.use()
    joint.depth_mask = False
    gl.disable(gl.BLEND | gl.CULL_FACE)
    gl.enable(gl.DEPTH_TEST)
    program = context.program("mesh.vert", "lens.frag")
    inputs = inputs | {"view": camera.view, "view_projection": camera.projection @ camera.view}
    for mesh in clear:
        buffers = gbuffer.vertices(context, mesh)
        gbuffer.render_mesh(context, program, mesh, buffers, inputs)
        for one in buffers:
            one.release()
    joint.release()
    return lenses
