"""What each sample of a picture of a person shows: place, direction, colour, label, before any light.

A deferred renderer's geometry buffer (Saito and Takahashi 1990), with a shadow map of the key light.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.parsing import INDEX
from wbme.people.camera import Camera
from wbme.people.context import Context, bind, read
from wbme.people.lights import Light
from wbme.people.mesh import MATERIALS, Mesh, Model

SCALE = 2  # samples a pixel, each way
SHADOW_SIZE = 2048
TARGETS = ((4, "f1"), (4, "f4"), (4, "f2"), (4, "f4"), (4, "f2"), (2, "f4"), (4, "u1"))
# Depth in metres that each material is pushed back: cloth and hair win over the skin they lie on.
_PUSH = {"skin": 0.004, "eye": 0.004, "mouth": 0.004}
_LAYOUT = ("3f 3f 3f 2f 3f 3f 3f", "in_position", "in_normal", "in_rest", "in_uv", "in_albedo", "in_tangent")


@dataclass(frozen=True, eq=False)
class GBuffer:
    """Arrays of H x W samples, ``SCALE`` to a pixel each way, first row on top; where nothing is: depth inf,
    part and material 255, label 0 and the rest 0.

    depth: metres along the camera's axis. position, normal (towards the viewer), tangent (hair's strands,
    else 0): scene. albedo: sRGB in [0, 1]. uv: of the mesh. label: parsing.
    part: index into ``Model.meshes``. material: index into MATERIALS. smooth, clump: see Mesh. shadow: 1 lit,
    0 in the key light's cast shadow (or turned away from it). Clear glass is not in it.
    """

    depth: NDArray[np.float32]
    position: NDArray[np.float32]
    normal: NDArray[np.float32]
    albedo: NDArray[np.float32]
    label: NDArray[np.uint8]
    part: NDArray[np.uint8]
    material: NDArray[np.uint8]
    tangent: NDArray[np.float32]
    uv: NDArray[np.float32]
    smooth: NDArray[np.float32]
    shadow: NDArray[np.float32]
    clump: NDArray[np.int16]


def is_clear(mesh: Mesh) -> bool:
    """Whether one sees through ``mesh``: glass that is not dark."""
    return mesh.material == "glass" and float(mesh.albedo.mean()) > 0.35


def vertices(context: Context, mesh: Mesh) -> tuple:
    """``mesh`` on the renderer: its vertex and index buffers, to be released after the draw."""
    count = len(mesh.positions)
    tangents = np.zeros((count, 3)) if mesh.tangents is None else mesh.tangents
    smooth = np.zeros(count) if mesh.smooth is None else mesh.smooth
    clump = np.zeros(count) if mesh.clump is None else mesh.clump
    marks = np.column_stack([mesh.labels, smooth, clump])
    columns = (mesh.positions, mesh.normals, mesh.rest, mesh.uv, mesh.albedo, tangents, marks)
    table = np.concatenate(columns, axis=1).astype(np.float32)
    triangles = np.ascontiguousarray(mesh.triangles, np.int32)
    return context.gl.buffer(table.tobytes()), context.gl.buffer(triangles.tobytes())


def render_mesh(context: Context, program, mesh: Mesh, buffers: tuple, inputs: dict) -> None:
    """Draw one mesh with ``program`` into the framebuffer in use."""
    values = dict(inputs, has_image=mesh.texture is not None, has_labels=mesh.label_map is not None)
    values |= {"has_tangents": mesh.tangents is not None, "push": _PUSH.get(mesh.material, 0.0)}
    if mesh.texture is not None:
        values["image"] = context.texture(mesh.texture)
    if mesh.label_map is not None:
        values["label_image"] = context.texture(mesh.label_map, indices=True)
    bind(program, values)
    used = [name if name in program else None for name in (*_LAYOUT[1:], "in_marks")]
    formats = [
        part if name else f"{int(part[0]) * 4}x" for part, name in zip(_LAYOUT[0].split(), used, strict=True)
    ]
    content = [(buffers[0], " ".join(formats), *[name for name in used if name])]
    array = context.gl.vertex_array(program, content, index_buffer=buffers[1])
    array.render()
    array.release()


def draw(context: Context, model: Model, camera: Camera, light: Light) -> GBuffer:
    """All of ``model`` but clear glass, seen by ``camera``; ``light`` gives the direction of the shadow."""
    size = (camera.size[0] * SCALE, camera.size[1] * SCALE)
    frame, textures = context.target("gbuffer", size, TARGETS, depth=True)
    gl = context.gl
    program = context.program("mesh.vert", "gbuffer.frag")
    solid = [(number, mesh) for number, mesh in enumerate(model.meshes) if not is_clear(mesh)]
    uploaded = [(number, mesh, vertices(context, mesh)) for number, mesh in solid]
    frame.use()
    frame.clear(0.0, 0.0, 0.0, 0.0)
    gl.disable(gl.BLEND | gl.CULL_FACE)
    gl.enable(gl.DEPTH_TEST)
    inputs = {"view": camera.view, "view_projection": camera.projection @ camera.view}
    for number, mesh, buffers in uploaded:
        own = {"part": number, "material": MATERIALS.index(mesh.material)}
        own["spread"] = 0.0 if mesh.tangents is not None else 0.5  # strands, or lashes
        render_mesh(context, program, mesh, buffers, inputs | own)
    lit = _shadow(context, model, camera, light, textures, [(mesh, b) for _, mesh, b in uploaded])
    for *_, buffers in uploaded:
        for one in buffers:
            one.release()
    result = _read(textures, lit)
    context.drawn = result
    return result


def _read(textures: list, lit) -> GBuffer:
    albedo, position, normal, tangent, uv, marks = (read(textures[i]) for i in (0, 1, 2, 4, 5, 6))
    nothing = position[..., 3] <= 0
    depth = np.where(nothing, np.float32(np.inf), position[..., 3])
    label, part, material = (np.ascontiguousarray(marks[..., i]) for i in range(3))
    label[nothing] = INDEX["background"]
    part[nothing] = material[nothing] = 255
    return GBuffer(
        depth=depth,
        position=np.ascontiguousarray(position[..., :3]),
        normal=normal[..., :3].astype(np.float32),
        albedo=albedo[..., :3].astype(np.float32) / np.float32(255),
        label=label,
        part=part,
        material=material,
        tangent=tangent[..., :3].astype(np.float32),
        uv=uv,
        smooth=normal[..., 3].astype(np.float32),
        shadow=read(lit).astype(np.float32) / np.float32(255),
        clump=tangent[..., 3].astype(np.int16),
    )


def light_frame(model: Model, camera: Camera, direction: NDArray) -> tuple[NDArray, float, float]:
    """The orthographic view from ``direction`` fitted to what the camera sees: scene -> [0, 1]^3 (4 x 4), the
    size of a texel and the depth range in metres."""
    forward = np.asarray(direction, float) / np.linalg.norm(direction)
    side = np.cross((0.0, 1.0, 0.0) if abs(forward[1]) < 0.95 else (0.0, 0.0, 1.0), forward)
    side /= np.linalg.norm(side)
    basis = np.stack([side, np.cross(forward, side), -forward])
    points = np.concatenate([mesh.positions for mesh in model.meshes]).astype(float)
    pixels = camera.project(points)
    size = np.array(camera.size)
    inside = ((pixels[:, :2] > -0.06 * size) & (pixels[:, :2] < 1.06 * size)).all(1) & (pixels[:, 2] > 0)
    placed = points @ basis.T
    seen = placed[inside] if inside.any() else placed
    low, high = seen.min(0), seen.max(0)
    extent = max(*(high - low)[:2]) * 1.02 + 1e-3
    middle = (low + high) / 2
    near, far = placed[:, 2].min() - 0.02, placed[:, 2].max() + 0.02
    matrix = np.eye(4)
    matrix[:2, :3] = basis[:2] / extent
    matrix[:2, 3] = 0.5 - middle[:2] / extent
    matrix[2, :3] = basis[2] / (far - near)
    matrix[2, 3] = -near / (far - near)
    return matrix, extent / SHADOW_SIZE, far - near


def _shadow(context: Context, model: Model, camera: Camera, light: Light, textures: list, solid: list):
    matrix, texel, depth_range = light_frame(model, camera, light.direction)
    gl = context.gl
    frame, (depths,) = context.target("shadow map", (SHADOW_SIZE, SHADOW_SIZE), (), depth=True)
    depths.compare_func = ""
    depths.filter = (gl.NEAREST, gl.NEAREST)
    program = context.program("shadow.vert", "depth.frag")
    frame.use()
    frame.clear(depth=1.0)
    gl.enable(gl.DEPTH_TEST)
    for mesh, buffers in solid:
        render_mesh(context, program, mesh, buffers, {"light_matrix": matrix})
    target, (lit,) = context.target("shadow", textures[0].size, ((1, "f1"),))
    inputs = {
        "positions": textures[1],
        "normals": textures[2],
        "depths": depths,
        "light_matrix": matrix,
        "direction": np.asarray(light.direction, "f4"),
        "texel": texel,
        "depth_range": depth_range,
        "light_radius": light.radius,
    }
    context.cover(context.program("screen.vert", "shadow.frag"), target, inputs)
    return lit
