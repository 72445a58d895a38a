"""A whole person, drawn by chance from (seed, number): body, hair, clothes, what is worn, and shots of it."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from wbme.base.seeds import generator
from wbme.people import body, hairstyles, hats, outfits, phenotype, poses, rig, scalp, wear
from wbme.people.mesh import Curve, Mesh, Model
from wbme.people.variety import tables

Floats = NDArray[np.float64]

_STYLES = tables()["hair styles"]
_OPEN_EARS = {"bald", "buzz", "crop", "side part", "spiky", "slick back", "pixie", "ponytail",
              "high bun", "low bun", "braid"}  # fmt: skip
_NATURAL = ("black", "dark brown", "brown", "light brown", "dark blond", "blond", "red", "auburn")
_HATS = ("beanie", "cap", "bucket", "straw")
_HATLESS = ("afro", "high bun", "curly", "short curls")
_DYED = ("pink", "blue", "violet", "teal", "blond", "auburn")


@dataclass(frozen=True)
class Choice:
    """What makes a person, before anything is built."""

    spec: body.BodySpec
    style: str
    colour: str
    tint: tuple[float, float, float]
    outfit: str
    glasses: bool
    earrings: bool
    hat: str = ""


@dataclass(frozen=True, eq=False)
class Person:
    """One identity. Its body, hair and clothes are made when first needed and shared by all its shots."""

    seed: int
    number: int
    choice: Choice

    @cached_property
    def body(self) -> body.Body:
        return body.build(self.choice.spec)

    @cached_property
    def garments(self) -> outfits.Outfit:
        return outfits.make(self.choice.outfit, self.body, generator(self.seed, "clothes", self.number))

    @cached_property
    def _worn(self) -> tuple[list[Mesh], dict[str, object]]:
        rng, meshes, facts = generator(self.seed, "wear", self.number), [], {"glasses": "", "earrings": ""}
        if self.choice.glasses:
            facts["glasses"], made = wear.glasses(self.body, rng)
            meshes += made
        if self.choice.earrings and self.choice.style in _OPEN_EARS:
            facts["earrings"], made = wear.earrings(self.body, rng)
            meshes += made
        return meshes, facts

    @cached_property
    def hair(self) -> "_Followers":
        """Hair at rest, with the shares of head and chest that carry each vertex."""
        skull = self._skull
        meshes, curves = hairstyles.make(skull, self.choice.style, self.choice.tint, self.seed, self.number)
        if self.choice.hat:
            meshes = hats.flattened(meshes, skull, self._hat)
            curves = [replace(c, points=hats.pressed(c.points, skull, self._hat)) for c in curves]
        return _followers(self.body, meshes, curves, skull.levels)

    @cached_property
    def _skull(self) -> scalp.Skull:
        return scalp.skull(self.body, [g.points for g in self.garments.garments])

    @cached_property
    def _hat(self) -> list[Mesh]:
        if not self.choice.hat:
            return []
        return hats.make(self._skull, self.choice.hat, generator(self.seed, "hat", self.number))

    @cached_property
    def _ears(self) -> tuple[NDArray[np.integer], Floats]:
        """Corners of the skin's mesh that are ears, and how far hair presses them to the head, at rest."""
        source = self.body.anatomy.parts["skin"].source
        corner = np.flatnonzero(np.isin(source, scalp.ears()))
        if self.choice.style in _OPEN_EARS:
            return corner[:0], np.zeros((0, 3))
        points = self.body.vertices[source[corner]].astype(float)
        inner = np.zeros_like(points)
        for side in (points[:, 0] > 0, points[:, 0] <= 0):
            inner[side] = [np.sign(points[side, 0][0]) * np.abs(points[side, 0]).min(), 0, 0]
        return corner, np.stack([(inner - points)[:, 0] * 0.8, 0 * points[:, 0], 0 * points[:, 0]], 1)

    @cached_property
    def _bare(self) -> NDArray[np.bool_]:
        """Triangles of the skin that clothes do not cover."""
        part = self.body.anatomy.parts["skin"]
        return ~self.garments.hides[part.source][part.triangles].all(1)

    def shoot(
        self,
        shot: int,
        framing: Literal["portrait", "half", "full"] = "portrait",
        *,
        stance: str | None = None,
        expression: str | None = None,
    ) -> Model:
        """The person in its ``shot``-th posture and expression, in a ``stance`` of wbme.people.poses and an
        ``expression`` of wbme.people.expression or by chance. The same arguments give the same arrays."""
        return self.posed(self.pose(shot, framing, stance=stance, expression=expression))

    def posed(self, pose: rig.Pose) -> Model:
        """The person in that posture; its meshes have the same vertices and triangles in every one."""
        posed = self.body.pose(pose)
        moves = posed.moves
        head = moves[self.body.anatomy.bones.index("head")]
        skin, *rest = posed.model.meshes
        corner, press = self._ears
        positions = skin.positions.copy()
        positions[corner] += (press @ head[:3, :3].T).astype(np.float32)
        skin = replace(skin, positions=positions, triangles=skin.triangles[self._bare])
        meshes, curves = [skin, *rest], list(posed.model.curves)
        cloth = [garment.posed(moves) for garment in self.garments.garments]
        for garment, mesh in zip(self.garments.garments, cloth, strict=True):
            curves += garment.lines(mesh)
        own, lines = self.hair.posed(moves, cloth)
        worn, facts = self._worn
        meshes += cloth + own
        curves += lines
        for mesh in [*worn, *self._hat]:
            moved = mesh.positions @ head[:3, :3].T + head[:3, 3]
            normals = mesh.normals @ head[:3, :3].T
            meshes.append(
                replace(mesh, positions=moved.astype(np.float32), normals=normals.astype(np.float32))
            )
        return replace(posed.model, meshes=meshes, curves=curves, facts=self._facts(posed.model, pose, facts))

    def pose(self, shot: int, framing: str, **chosen: str | None) -> rig.Pose:
        """The posture of ``shoot``, without building anything."""
        rng = generator(self.seed, "shot", self.number, shot)
        return poses.sample(rng, full=framing != "portrait", **chosen)

    def _facts(self, model: Model, pose: rig.Pose, worn: dict[str, object]) -> dict[str, object]:
        spec = self.choice.spec
        turn = model.head[:3, 2]
        return model.facts | worn | {
            "monk": spec.complexion.monk,
            "age": round(float(spec.age), 1),
            "gender": "female" if spec.gender > 0.5 else "male",
            "hair": self.choice.style,
            "hair_colour": self.choice.colour,
            "beard": round(float(spec.complexion.stubble), 2),
            "clothes": self.choice.outfit,
            "hat": self.choice.hat,
            "expression": pose.name,
            "stance": pose.stance,
            "yaw": round(float(np.degrees(np.arctan2(turn[0], turn[2]))), 1),
            "pitch": round(float(np.degrees(np.arcsin(np.clip(-turn[1], -1, 1)))), 1),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Followers:
    """Meshes and curves at rest that follow head and chest."""

    meshes: list[Mesh]
    curves: list[Curve]
    points: NDArray[np.float32]
    bone: NDArray[np.int32]
    weight: NDArray[np.float32]

    def posed(self, moves: Floats, cloth: list[Mesh]) -> tuple[list[Mesh], list[Curve]]:
        if not self.meshes:
            return [], []
        points = rig.skin(self.points, self.bone, self.weight, moves)
        tangents, normals = (self._turned(name, points, moves) for name in ("tangents", "normals"))
        loose = np.flatnonzero(self.weight[:, 0] < 0.98)
        if len(loose) and cloth:
            points[loose] = _kept_out(points[loose], cloth)
        meshes, start = [], 0
        for mesh in self.meshes:
            own = points[start : start + len(mesh.positions)]
            here = slice(start, start + len(own))
            meshes.append(replace(mesh, positions=own, normals=normals[here], tangents=tangents[here]))
            start += len(own)
        curves = []
        for curve in self.curves:
            curves.append(replace(curve, points=points[start : start + len(curve.points)]))
            start += len(curve.points)
        return meshes, curves

    def _turned(self, name: str, points: NDArray[np.float32], moves: Floats) -> NDArray[np.float32]:
        """Directions of the meshes, turned as their vertices (``points``, posed) are."""
        vectors = np.concatenate([getattr(m, name) for m in self.meshes])
        n = len(vectors)
        ahead = rig.skin(self.points[:n] + vectors * np.float32(0.01), self.bone[:n], self.weight[:n], moves)
        return scalp.unit(ahead - points[:n]).astype(np.float32)


def _followers(
    person: body.Body, meshes: list[Mesh], curves: list[Curve], levels: dict[str, float]
) -> _Followers:
    parts = [m.positions for m in meshes] + [c.points for c in curves]
    points = np.concatenate(parts) if parts else np.zeros((0, 3), np.float32)
    bones = person.anatomy.bones
    t = np.clip(
        (points[:, 1] - (levels["shoulder"] - 0.03)) / (levels["chin"] + 0.01 - levels["shoulder"] + 0.03),
        0,
        1,
    )
    share = t * t * (3 - 2 * t)
    bone = np.tile(np.array([bones.index("head"), bones.index("spine01")], np.int32), (len(points), 1))
    return _Followers(meshes, curves, points, bone, np.stack([share, 1 - share], 1).astype(np.float32))


def _kept_out(points: NDArray[np.float32], cloth: list[Mesh], gap: float = 0.004) -> NDArray[np.float32]:
    """Points moved out of the clothes."""
    cloud = np.concatenate([m.positions for m in cloth])
    normal = np.concatenate([m.normals for m in cloth])
    middle = points[:, [0, 2]].mean(0)
    outer = (normal[:, [0, 2]] * (cloud[:, [0, 2]] - middle)).sum(1) > 0  # not the inside of a collar
    cloud, normal = cloud[outer], normal[outer]
    distance, near = cKDTree(cloud).query(points, distance_upper_bound=0.04)
    ok = np.isfinite(distance)
    near = np.where(ok, near, 0)
    depth = ((points - cloud[near]) * normal[near]).sum(1)
    lack = np.where(ok, np.clip(gap - depth, 0, 0.03), 0)
    return (points + normal[near] * lack[:, None]).astype(np.float32)


def sample(seed: int, number: int, monk: int | None = None) -> Person:
    """The ``number``-th person of a seed. Tones are even over the Monk scale in every ten numbers (unless
    ``monk``, 1 to 10, is given) and genders in every two; the rest is drawn loosely by gender and age.
    """
    order = generator(seed, "tones", number // 10).permutation(10)
    rng = generator(seed, "person", number)
    tone = int(order[number % 10]) + 1 if monk is None else int(monk)
    female = bool((number + generator(seed, "genders", number // 2).integers(2)) % 2)
    spec = _body(rng, tone, female)
    odds = np.array([_STYLES[s][int(female)] for s in _STYLES])
    if spec.age < 35:
        odds = odds * np.where(np.array(list(_STYLES)) == "bald", 0.2, 1)
    style = str(rng.choice(list(_STYLES), p=odds / odds.sum()))
    colour = _colour(rng, tone, spec.age)
    tint = np.clip(
        np.array(tables()["hair"][colour]) * rng.uniform(0.88, 1.12) + rng.normal(0, 0.006, 3), 0.03, 0.95
    )
    natural = tables()["hair"][
        "grey" if colour == "white" else colour if colour in (*_NATURAL, "grey") else "brown"
    ]
    brows = tuple(float(c) for c in np.array(natural) * (0.75 if colour != "black" else 1.0))
    spec = replace(spec, complexion=replace(spec.complexion, hair=brows))
    outfit = outfits.choose(rng, female)
    glasses, earrings = rng.random() < 0.15, rng.random() < (0.3 if female else 0.06)
    hat = str(rng.choice(_HATS)) if rng.random() < 0.09 and style not in _HATLESS else ""
    choice = Choice(spec, style, colour, tuple(float(c) for c in tint), outfit, glasses, earrings, hat)
    return Person(seed, number, choice)


def _body(rng: np.random.Generator, tone: int, female: bool) -> body.BodySpec:
    spec = phenotype.sample(rng, monk=tone)
    return replace(
        spec, gender=float(np.clip(spec.gender if (spec.gender > 0.5) == female else 1 - spec.gender, 0, 1))
    )


def _colour(rng: np.random.Generator, tone: int, age: float) -> str:
    if rng.random() < 0.07:
        return str(rng.choice(_DYED))
    if rng.random() < np.clip((age - 42) / 30, 0, 0.9):
        return "white" if rng.random() < np.clip((age - 58) / 25, 0.05, 0.8) else "grey"
    if tone >= 7:
        return str(rng.choice(["black", "dark brown"], p=[0.75, 0.25]))
    if tone >= 5:
        return str(rng.choice(["black", "dark brown", "brown", "auburn"], p=[0.45, 0.35, 0.15, 0.05]))
    return str(rng.choice(_NATURAL, p=[0.20, 0.20, 0.19, 0.14, 0.10, 0.09, 0.04, 0.04]))
