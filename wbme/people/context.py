"""The OpenGL context that people are drawn in: off screen, by EGL, on any machine (Mesa's software renderer).

The one file of the room that knows moderngl. A context lives as long as its process; programs, textures and
targets are kept in it and used again, and vertex buffers are released after each draw.
"""

import contextlib
import ctypes
import importlib.resources
import importlib.util
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import WbmeError

_TEXTURES = 48  # kept at most; a person has about twelve


class Context:
    """``gl`` is the moderngl context; the rest gives its objects by name so that each is made once."""

    def __init__(self, gl: Any) -> None:
        self.gl = gl
        self.drawn: object = None  # the GBuffer that the targets hold at present
        self._programs: dict[tuple, Any] = {}
        self._targets: dict[tuple, tuple[Any, list[Any]]] = {}
        self._textures: OrderedDict[tuple[int, bool], tuple[NDArray, Any]] = OrderedDict()
        self._screen = gl.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())

    def program(self, vertex: str, fragment: str) -> Any:
        """The linked program of two files of ``shaders/`` (without ``.glsl``)."""
        key = (vertex, fragment)
        if key not in self._programs:
            self._programs[key] = self.gl.program(
                vertex_shader=_source(vertex), fragment_shader=_source(fragment)
            )
        return self._programs[key]

    def target(
        self, name: str, size: tuple[int, int], kinds: tuple[tuple[int, str], ...], depth: bool = False
    ) -> tuple[Any, list[Any]]:
        """A framebuffer of ``size`` (W, H) and its textures: one for each (channels, dtype) of ``kinds``,
        and last the depth texture where ``depth`` is set. Made anew when the size changes."""
        key = (name, size, kinds, depth)
        if key not in self._targets:
            for old in [k for k in self._targets if k[0] == name]:
                framebuffer, textures = self._targets.pop(old)
                for one in (framebuffer, *textures):
                    one.release()
            colours = [self.gl.texture(size, channels, dtype=dtype) for channels, dtype in kinds]
            for texture in colours:
                texture.repeat_x = texture.repeat_y = False
                if texture.dtype.startswith("u"):
                    texture.filter = (self.gl.NEAREST, self.gl.NEAREST)
            depths = [self.gl.depth_texture(size)] if depth else []
            framebuffer = self.gl.framebuffer(colours, depths[0] if depths else None)
            self._targets[key] = (framebuffer, colours + depths)
        return self._targets[key]

    def texture(self, array: NDArray[np.uint8], *, indices: bool = False) -> Any:
        """``array`` (S x S or S x S x 4 uint8, first row on top) as a texture, uploaded once; ``indices``
        gives whole numbers without filter. The array must not change afterwards."""
        key = (id(array), indices)
        if key in self._textures:
            self._textures.move_to_end(key)
            return self._textures[key][1]
        channels = 1 if array.ndim == 2 else array.shape[2]
        size = (array.shape[1], array.shape[0])
        data = np.ascontiguousarray(array, np.uint8)
        made = self.gl.texture(size, channels, data, alignment=1, dtype="u1" if indices else "f1")
        if indices:
            made.filter = (self.gl.NEAREST, self.gl.NEAREST)
        else:
            made.build_mipmaps()
            made.filter = (self.gl.LINEAR_MIPMAP_LINEAR, self.gl.LINEAR)
            made.repeat_x = made.repeat_y = False
        self._textures[key] = (array, made)
        while len(self._textures) > _TEXTURES:
            self._textures.popitem(last=False)[1][1].release()
        return made

    def cover(self, program: Any, framebuffer: Any, inputs: dict[str, Any]) -> None:
        """Run ``program`` on every pixel of ``framebuffer``; ``inputs`` are its textures and uniforms."""
        bind(program, inputs)
        framebuffer.use()
        self.gl.disable(self.gl.DEPTH_TEST | self.gl.BLEND | self.gl.CULL_FACE)
        array = self.gl.vertex_array(program, [(self._screen, "2f", "at")])
        array.render()
        array.release()


def bind(program: Any, inputs: dict[str, Any]) -> None:
    """Set uniforms by name: a texture gets the next unit, anything else is a value; names that the program
    does not use are passed over."""
    unit = 0
    for name, value in inputs.items():
        if name not in program:
            continue
        if hasattr(value, "use"):
            value.use(unit)
            program[name].value = unit
            unit += 1
        elif isinstance(value, np.ndarray):
            flat = value.T if value.ndim == 2 and value.shape in ((3, 3), (4, 4)) else value
            program[name].write(np.ascontiguousarray(flat, "f4").tobytes())
        else:
            program[name].value = value


def read(texture: Any) -> NDArray:
    """A target's texture as an array, H x W (x channels), first row on top."""
    kind = {"f1": "u1", "f2": "f2", "f4": "f4", "u1": "u1"}[texture.dtype]
    data = np.frombuffer(texture.read(alignment=1), kind)
    shape = (texture.height, texture.width, texture.components)
    return data.reshape(shape if texture.components > 1 else shape[:2])


@cache
def _source(name: str) -> str:
    """The text of a shader; a line ``#include "NAME"`` is replaced by that file."""
    folder = importlib.resources.files("wbme.people").joinpath("shaders")
    lines = folder.joinpath(f"{name}.glsl").read_text("utf-8").splitlines()
    whole = [_source(line.split('"')[1]) if line.startswith("#include") else line for line in lines]
    return "\n".join(whole)


@cache
def get() -> Context:
    """This process's context. Raises WbmeError with the line that installs what is missing."""
    import moderngl

    _own_llvm()
    try:
        gl = moderngl.create_context(standalone=True, backend="egl", require=330)
    except Exception as error:  # moderngl raises bare Exceptions, and OSError where the library lacks
        reason = " ".join(str(error).split())
        raise WbmeError(
            f"people cannot be drawn, because no off-screen OpenGL starts ({reason}): run "
            "'apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri', or the same for your system"
        ) from error
    gl.gc_mode = None
    gl.front_face = "cw"  # the vertex shaders turn the picture over, so that its first row is on top
    return Context(gl)


def _own_llvm() -> None:
    """Load the compiler of torch's triton, where it is installed, before Mesa's.

    Each carries an LLVM. Triton's, loaded second (by the first step of an optimizer, say), is bound to Mesa's
    and the process dies of a segmentation fault; loaded first, both work.
    """
    found = importlib.util.find_spec("triton")
    if found and found.origin:
        with contextlib.suppress(OSError):
            ctypes.CDLL(str(Path(found.origin).parent / "_C" / "libtriton.so"))


def renderer() -> str:
    """Name of what draws, such as 'llvmpipe (LLVM 15.0.6, 256 bits)'; WbmeError where nothing does."""
    return str(get().gl.info["GL_RENDERER"])
