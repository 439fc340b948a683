"""The picture maker: polygons painted far to near into an RGB picture and, beside it, a picture of object numbers.

NumPy does the arithmetic for all faces at once, OpenCV fills. No OpenGL. The picture of numbers is what makes the
truth's *visible* boxes aware of occlusion: they are measured from the very pixels that were painted.
Painting order is by object distance, then by face distance inside the object, so objects must not pierce each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.media.opencv import cv2
from workstation.synth.lettering import Picture
from workstation.synth.mesh import Finish, Mesh
from workstation.synth.pose import Floats, Pose

NEAR_M = 0.15
TO_SUN = np.array([-0.42, -0.48, 0.77]) / np.linalg.norm([-0.42, -0.48, 0.77])
HAZE = np.array([196.0, 208.0, 220.0])
HAZE_FROM_M, HAZE_M = 15.0, 420.0
"""Nearer than the first there is no haze; beyond it fades by 1/e every so many metres."""
Ids = NDArray[Any]
"""Height×width uint8."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Meshes laid end to end in world coordinates, ready to paint."""

    vertices: Floats
    faces: NDArray[np.int32]
    colors: Floats
    """F×3 RGB with sun and shade already in."""
    parents: NDArray[np.int32]
    normals: Floats
    centers: Floats
    """F×3 middle of each face."""
    anchors: Floats
    """F×3 middle of the object each face belongs to."""
    objects: NDArray[np.int32]
    ids: NDArray[np.uint8]
    nearer_m: Floats
    floor: NDArray[np.bool_]
    """F: lies flat and low, and is painted before everything else."""
    pictures: dict[int, Picture]


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to paint: its mesh, where it stands, its number (0 is scenery), and whether its lamps burn."""

    mesh: Mesh
    world_from_object: Pose | None
    number: int = 0
    braking: bool = False
    floor: bool = False
    nearer_m: float = 0.0
    """Paint as if it stood this much nearer: for what lies on or holds something else."""
    normals: Floats | None = None
    """The mesh's own, where they are known already: a film asks for them again in every picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An ideal pinhole that looks into the world; ``camera_from_world`` plus numbers in OpenCV's pixel sense.

    ``center`` is in the (0.5, 0.5) convention; the painter subtracts the half pixel where it fills.
    """

    width: int
    height: int
    focal_px: float
    center: tuple[float, float]
    camera_from_world: Pose


def pack(pieces: Sequence[Piece]) -> Packed:
    """Lays pieces end to end."""
    vertices, faces, colors, parents, normals, objects, ids, floor, anchors, nearer = ([] for _ in range(10))
    pictures: dict[int, Picture] = {}
    widest = max((piece.mesh.faces.shape[1] for piece in pieces), default=3)
    at_vertex = at_face = 0
    for number, piece in enumerate(pieces):
        mesh = piece.mesh
        points, normal = mesh.vertices, mesh.normals() if piece.normals is None else piece.normals
        if piece.world_from_object is not None:
            points, normal = piece.world_from_object.apply(points), normal @ piece.world_from_object.rotation.T
        count, k = mesh.faces.shape
        padded = np.concatenate([mesh.faces, np.repeat(mesh.faces[:, -1:], widest - k, axis=1)], axis=1)
        vertices.append(points)
        faces.append(padded + at_vertex)
        colors.append(_lit(mesh, normal, piece.braking))
        parents.append(mesh.parents + at_face)
        normals.append(normal)
        objects.append(np.full(count, number, np.int32))
        ids.append(np.full(count, piece.number, np.uint8))
        floor.append(np.full(count, piece.floor))
        nearer.append(np.full(count, piece.nearer_m))
        anchors.append(np.repeat(points.mean(axis=0, keepdims=True), count, axis=0))
        pictures.update({at_face + face: image for face, image in mesh.pictures.items()})
        at_vertex += len(points)
        at_face += count
    if not pieces:
        return _empty()
    points, rings = np.concatenate(vertices), np.concatenate(faces)
    return Packed(
        points,
        rings,
        np.concatenate(colors),
        np.concatenate(parents),
        np.concatenate(normals),
        points[rings.T].mean(axis=0),  # corner by corner, which is several times faster
        np.concatenate(anchors),
        np.concatenate(objects),
        np.concatenate(ids),
        np.concatenate(nearer),
        np.concatenate(floor),
        pictures,
    )


def joined(a: Packed, b: Packed) -> Packed:
    """Two packs as one."""
    widest = max(a.faces.shape[1], b.faces.shape[1])
    rings = [
        np.concatenate([p.faces, np.repeat(p.faces[:, -1:], widest - p.faces.shape[1], axis=1)], axis=1) for p in (a, b)
    ]
    n = len(a.faces)
    last = int(a.objects.max()) + 1 if n else 0
    return Packed(
        np.concatenate([a.vertices, b.vertices]),
        np.concatenate([rings[0], rings[1] + len(a.vertices)]),
        np.concatenate([a.colors, b.colors]),
        np.concatenate([a.parents, b.parents + n]),
        np.concatenate([a.normals, b.normals]),
        np.concatenate([a.centers, b.centers]),
        np.concatenate([a.anchors, b.anchors]),
        np.concatenate([a.objects, b.objects + last]),
        np.concatenate([a.ids, b.ids]),
        np.concatenate([a.nearer_m, b.nearer_m]),
        np.concatenate([a.floor, b.floor]),
        {**a.pictures, **{n + face: image for face, image in b.pictures.items()}},
    )


def paint(view: View, scene: Packed, image: Picture, ids: Ids) -> None:
    """Paints ``scene`` over ``image`` (RGB) and its numbers over ``ids``, both in place."""
    order, points, depth, low, high = _visible(view, scene)
    flat = np.round(points * 16).astype(np.int32)
    rings = scene.faces[order]
    corners = (1 + np.count_nonzero(rings[:, 1:] != rings[:, :-1], axis=1)).tolist()
    distance = depth[order]
    fade = np.exp(-np.maximum(distance - HAZE_FROM_M, 0) / HAZE_M)[:, None]
    tones = scene.colors[order] * fade + HAZE * (1 - fade)
    tone_list: list[list[float]] = tones.tolist()
    corner_depth: Floats = (view.camera_from_world.apply(scene.vertices))[:, 2][rings.T]
    behind: NDArray[np.bool_] = corner_depth.min(axis=0, initial=np.inf) < NEAR_M
    numbers: list[int] = scene.ids[order].tolist()
    marked = _may_change_numbers(scene.ids[order], low, high, behind, ids).tolist()
    for i, face in enumerate(order.tolist()):
        ring = flat[i, : corners[i]]
        if behind[i]:
            clipped = _clipped(view, scene.vertices[scene.faces[face]])
            if clipped is None:
                continue
            ring = clipped
        cv2.fillPoly(image, [ring], tone_list[i], cv2.LINE_AA, 4)
        if marked[i]:
            cv2.fillPoly(ids, [ring], numbers[i], cv2.LINE_8, 4)
        if face in scene.pictures and not behind[i]:
            _paste(image, scene.pictures[face], points[i][:4], float(fade[i, 0]))


def _may_change_numbers(
    numbers: NDArray[np.uint8], low: Floats, high: Floats, behind: NDArray[np.bool_], ids: Ids
) -> NDArray[np.bool_]:
    """Which of the faces, in the order of painting, have to be painted into the picture of numbers.

    ``low`` and ``high`` are the corners of their boxes in the picture. Scenery writes zeros, which changes something
    only over a numbered thing that is farther away.
    """
    own = numbers > 0
    if ids.any():
        return np.ones(len(numbers), np.bool_)
    changes = own | behind
    low, high = low - 2, high + 2  # a border's width
    places = np.arange(len(numbers))
    for number in np.unique(numbers[own]):
        mine = numbers == number
        if behind[mine].any():
            changes |= places > np.flatnonzero(mine)[0]  # it is cut at the camera: anywhere
            continue
        left_top, right_bottom = low[mine].min(axis=0), high[mine].max(axis=0)
        over = (low < right_bottom).all(axis=1) & (high > left_top).all(axis=1)
        changes |= over & (places > np.flatnonzero(mine)[0])
    return changes


def shade_ground(view: View, outlines: Sequence[Floats], image: Picture, strength: float = 0.42) -> None:
    """Darkens the ground under moving things: ``outlines`` are N×3 points on the ground, each its convex hull."""
    mask: NDArray[np.uint8] | None = None
    for outline in outlines:
        inside = view.camera_from_world.apply(outline)
        if inside[:, 2].min() < NEAR_M:
            continue
        px = _pixels(view, inside)
        if px[:, 0].max() < 0 or px[:, 1].max() < 0 or px[:, 0].min() > view.width or px[:, 1].min() > view.height:
            continue
        if mask is None:
            mask = np.zeros(image.shape[:2], np.uint8)
        hull = cv2.convexHull(px.astype(np.float32)).reshape(-1, 2)
        cv2.fillPoly(mask, [np.round(hull * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if mask is None:
        return
    x, y, w, h = cv2.boundingRect(mask)
    part = image[y : y + h, x : x + w]
    weight = 1 - mask[y : y + h, x : x + w].astype(np.float32) * (strength / 255)
    part[:] = (part * cv2.merge((weight, weight, weight))).astype(np.uint8)


def shadow_points(points_in_world: Floats) -> Floats:
    """Where the sun throws points on the ground z = 0."""
    height = points_in_world[:, 2:3]
    thrown: Floats = points_in_world - height / TO_SUN[2] * TO_SUN
    thrown[:, 2] = 0.0
    return thrown


def _lit(mesh: Mesh, normals: Floats, braking: bool) -> Floats:
    light = 0.52 + 0.5 * np.maximum(normals @ TO_SUN, 0.0) + 0.06 * normals[:, 2]
    colors = mesh.colors.astype(np.float64) * light[:, None]
    glass = mesh.finishes == Finish.GLASS
    colors[glass] = mesh.colors[glass] * 0.75 + np.array([40.0, 52.0, 62.0]) * np.maximum(
        normals[glass][:, 2:3] + 0.35, 0.1
    )
    brake = mesh.finishes == Finish.BRAKE_LAMP
    colors[brake] = (255.0, 46.0, 36.0) if braking else (112.0, 22.0, 24.0)
    glowing = (mesh.finishes == Finish.HEAD_LAMP) | (mesh.finishes == Finish.GLOWING)
    colors[glowing] = mesh.colors[glowing]
    lit: Floats = np.clip(colors, 0, 255)
    return lit


def _pixels(view: View, points_in_camera: Floats) -> Floats:
    """N×2 in OpenCV's sense: whole numbers are pixel centres."""
    z = np.maximum(points_in_camera[:, 2:3], 1e-3)
    px: Floats = points_in_camera[:, :2] / z * view.focal_px + np.array(view.center) - 0.5
    return px


def _visible(view: View, scene: Packed) -> tuple[NDArray[np.int64], Floats, Floats, Floats, Floats]:
    """Faces to paint, far to near, their corners in pixels, every face's distance, and the painted ones' boxes."""
    eye = -view.camera_from_world.rotation.T @ view.camera_from_world.translation
    points = view.camera_from_world.apply(scene.vertices)
    px = np.clip(_pixels(view, points), -20000, 20000)
    toward = scene.centers - eye
    depth = np.linalg.norm(toward, axis=1)
    facing = np.einsum("ij,ij->i", scene.normals, toward) < 0
    by_corner = scene.faces.T  # corner by corner: reductions over the first axis are several times faster
    z = points[:, 2][by_corner]
    facing &= z.max(axis=0) > NEAR_M
    corners = px[by_corner]
    low, high = corners.min(axis=0), corners.max(axis=0)
    crossing = z.min(axis=0) < NEAR_M
    inside = (high[:, 0] > 0) & (high[:, 1] > 0) & (low[:, 0] < view.width) & (low[:, 1] < view.height)
    size = (high - low).max(axis=1)
    decal = scene.parents != np.arange(len(scene.parents))
    chosen = np.flatnonzero(facing & (inside | crossing) & (size > np.where(decal, 1.2, 0.5)))
    # Things on the ground hide each other by their distance along it, unless one looks down on them.
    steep = abs(view.camera_from_world.rotation[2, 2]) > 0.55
    apart = scene.anchors[chosen] - eye
    object_depth = np.linalg.norm(apart if steep else apart[:, :2], axis=1) - scene.nearer_m[chosen]
    parent_depth = depth[scene.parents[chosen]]
    order = chosen[np.lexsort((chosen, -parent_depth, scene.objects[chosen], -object_depth, ~scene.floor[chosen]))]
    return order, px[scene.faces[order]], depth, low[order], high[order]


def _clipped(view: View, ring: Floats) -> NDArray[np.int32] | None:
    """A face that reaches behind the camera, cut at the near plane."""
    points = view.camera_from_world.apply(ring)
    kept: list[Floats] = []
    for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
        if a[2] >= NEAR_M:
            kept.append(a)
        if (a[2] >= NEAR_M) != (b[2] >= NEAR_M):
            kept.append(a + (b - a) * (NEAR_M - a[2]) / (b[2] - a[2]))
    if len(kept) < 3:
        return None
    px = np.clip(_pixels(view, np.array(kept)), -20000, 20000)
    return np.round(px * 16).astype(np.int32)


def _paste(image: Picture, picture: Picture, quad: Floats, fade: float) -> None:
    """Stretches a picture over a painted quad (top left, bottom left, bottom right, top right)."""
    height, width = image.shape[:2]
    x0, y0 = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 2, [width, height])
    if x1 - x0 < 4 or y1 - y0 < 3:
        return
    h, w = picture.shape[:2]
    shrink = max(1, int(min(w / max(x1 - x0, 1), h / max(y1 - y0, 1))))
    if shrink > 1:  # otherwise small writing flickers
        picture = cv2.resize(picture, (max(w // shrink, 1), max(h // shrink, 1)), interpolation=cv2.INTER_AREA)
        h, w = picture.shape[:2]
    source = np.array([[-0.5, -0.5], [-0.5, h - 0.5], [w - 0.5, h - 0.5], [w - 0.5, -0.5]], np.float32)
    target = (quad - [x0, y0]).astype(np.float32)
    turn = cv2.getPerspectiveTransform(source, target)
    size = (int(x1 - x0), int(y1 - y0))
    patch = cv2.warpPerspective(picture, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(target * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    if fade < 0.999:
        patch = (patch * fade + HAZE * (1 - fade)).astype(np.uint8)
    cv2.copyTo(patch, mask, image[y0:y1, x0:x1])


def _empty() -> Packed:
    none = np.zeros((0, 3))
    whole = np.zeros(0, np.int32)
    return Packed(
        none,
        np.zeros((0, 3), np.int32),
        none,
        whole,
        none,
        none,
        none,
        whole,
        np.zeros(0, np.uint8),
        np.zeros(0),
        np.zeros(0, np.bool_),
        {},
    )
