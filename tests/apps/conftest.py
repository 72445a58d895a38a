"""A small graph with the inputs of an exported student, made by hand: its receptive field is known."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

_spec = importlib.util.spec_from_file_location(
    "media_clips", Path(__file__).parents[1] / "media" / "conftest.py"
)
_clips = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_clips)
encode, sound_of = _clips.encode, _clips.sound_of  # the fixtures of the media tests

CONTROLS = {
    "line_threshold": 0.0,
    "line_gain": 2.0,
    "levels": 6.0,
    "phase": 0.0,
    "softness": 0.3,
    "saturation": 1.0,
    "lift": 1.0,
    "ink_colour": [0.1, 0.05, 0.1],
}


def _layered():
    """base: half a 3 x 3 mean, half the mean of the pixel's cell of 16 x 16; ink where luma is below the
    local mean; tone: luma rounded to (k + phase) / levels and mixed with itself by softness."""
    constants = {
        "luma": np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 3, 1, 1),
        "scales": np.array([1, 1, 16, 16], np.float32),
        "half": np.float32(0.5),
        "hundred": np.float32(100),
        "six": np.float32(6),
        "zero": np.float32(0),
        "one": np.float32(1),
        "wide": np.array([1, 3, 1, 1], np.int64),
    }
    steps = [
        ("AveragePool", ["image"], "near", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("AveragePool", ["image"], "cells", {"kernel_shape": [16, 16], "strides": [16, 16]}),
        ("Resize", ["cells", "", "scales"], "blocks", {"mode": "nearest"}),
        ("Add", ["near", "blocks"], "both", {}),
        ("Mul", ["both", "half"], "base", {}),
        ("Conv", ["base", "luma"], "y", {}),
        ("Conv", ["image", "luma"], "own", {}),
        ("Conv", ["near", "luma"], "mean", {}),
        ("Sub", ["mean", "own"], "darker", {}),
        ("Mul", ["darker", "hundred"], "strong", {}),
        ("Sub", ["strong", "six"], "logit", {}),
        ("Sub", ["logit", "line_threshold"], "above", {}),
        ("Mul", ["above", "line_gain"], "steep", {}),
        ("Sigmoid", ["steep"], "cover", {}),
        ("Mul", ["y", "levels"], "steps", {}),
        ("Sub", ["steps", "phase"], "shifted", {}),
        ("Round", ["shifted"], "whole", {}),
        ("Add", ["whole", "phase"], "back", {}),
        ("Div", ["back", "levels"], "flat", {}),
        ("Sub", ["y", "flat"], "rest", {}),
        ("Mul", ["rest", "softness"], "some", {}),
        ("Add", ["flat", "some"], "soft", {}),
        ("Clip", ["soft", "zero", "one"], "unit", {}),
        ("Pow", ["unit", "lift"], "lifted", {}),
        ("Sub", ["base", "y"], "chroma", {}),
        ("Mul", ["chroma", "saturation"], "coloured", {}),
        ("Add", ["lifted", "coloured"], "tone", {}),
        ("Clip", ["tone", "zero", "one"], "paper", {}),
        ("Reshape", ["ink_colour", "wide"], "ink", {}),
        ("Sub", ["ink", "paper"], "way", {}),
        ("Mul", ["way", "cover"], "inked", {}),
        ("Add", ["paper", "inked"], "drawing", {}),
    ]
    return steps, constants, CONTROLS


def _plain():
    return [("AveragePool", ["image"], "drawing", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})], {}, {}


def _write(folder, head="layered", **card):
    steps, constants, controls = _layered() if head == "layered" else _plain()
    image = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, "height", "width"])
        for name in ("image", "drawing")
    ]
    live = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [np.size(value)])
        for name, value in controls.items()
    ]
    graph = helper.make_graph(
        [helper.make_node(kind, given, [made], **options) for kind, given, made, options in steps],
        "tiny",
        [image[0], *live],
        [image[1]],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    about = {
        "schema": 1,
        "name": "tiny",
        "architecture": "by hand",
        "head": head,
        "multiple": 8,
        "controls": controls,
        "face_width": 96,
        "training": {"steps": 1200, "views": 3400},
        **card,
    }
    (folder / "model.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="session")
def write_model():
    return _write


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return _write(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def stylizer(model):
    from wbme.apps.stylizer import Stylizer

    return Stylizer(model, threads=1)


@pytest.fixture(scope="session")
def astronaut():
    import skimage.data

    return (skimage.data.astronaut() / 255).astype(np.float32)
