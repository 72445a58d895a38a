"""The OpenGL context: what it says when it cannot start, and that it keeps no more than it should."""

import subprocess
import sys

import numpy as np
import pytest

from wbme.base.errors import WbmeError
from wbme.people import context


def test_without_a_renderer_one_sentence_says_what_to_install(monkeypatch):
    def broken(**_):
        raise OSError("libEGL.so: cannot open shared object file")

    monkeypatch.setattr("moderngl.create_context", broken)
    with pytest.raises(WbmeError, match=r"libEGL\.so.*apt-get install libegl1.*libgl1-mesa-dri"):
        context.get.__wrapped__()  # the context of the other tests stays


def test_one_context_a_process():
    assert context.get() is context.get()
    assert context.renderer()


@pytest.mark.slow
def test_people_can_be_drawn_and_a_network_trained_in_one_process():
    """Mesa and torch's triton each bring an LLVM: which is loaded first decides over life and death."""
    code = """
from wbme.people import context
context.renderer()
import torch
net = torch.nn.Linear(3, 3)
optimizer = torch.optim.AdamW(net.parameters(), 1e-3)
net(torch.rand(2, 3)).sum().backward()
optimizer.step()
import importlib.util
if importlib.util.find_spec("triton"):
    import triton
print("both live")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout == "both live\n", done.stderr[-500:]


def test_a_texture_is_uploaded_once_and_forgotten_in_time():
    gl = context.get()
    first = np.zeros((4, 4), np.uint8)
    assert gl.texture(first) is gl.texture(first)
    for _ in range(60):
        gl.texture(np.zeros((4, 4), np.uint8))
    assert len(gl._textures) <= 48


def test_a_target_is_read_from_its_top_left_corner():
    gl = context.get()
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(context.read(gl.texture(picture, indices=True)), picture)
