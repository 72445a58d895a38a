"""A student as a teacher: its drawing in two layers."""

import pickle

import numpy as np

from wbme.apps.stylizer import Stylizer
from wbme.apps.teacher import StudentTeacher
from wbme.runtime.export import model_folder


def test_the_layers_make_the_drawing(astronaut):
    teacher = pickle.loads(pickle.dumps(StudentTeacher("student")))
    base, ink = teacher(astronaut)
    assert base.shape == astronaut.shape and ink.shape == astronaut.shape[:2]
    assert 0.02 < (ink > 0.5).mean() < 0.4
    stylizer = Stylizer(model_folder("student"), threads=1)
    drawn = stylizer.picture(astronaut)
    colour = np.float32(stylizer.controls["ink_colour"])
    off = np.abs(base + ink[..., None] * (colour - base) - drawn)
    assert off.max() < 0.06 and (off > 0.02).mean() < 0.002  # a cubic and clipping lie between
