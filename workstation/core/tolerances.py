"""How far apart in time what belongs together may be, by the kind of work: robots and drones tighter than dialogue.

Asked by the checks and by whoever shows a limit. A project overrides the profile's limit with the tolerance
``sync_ms``, and that of fused captures with ``same_scan_ms``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the window reads a limit before NumPy is there
    from workstation.core.sample import Project, Sample

SYNC_TOLERANCE, SAME_SCAN_TOLERANCE = "sync_ms", "same_scan_ms"
CLOCK_TOLERANCE, SOUND_TOLERANCE, CAPTION_TOLERANCE = "clock_ms", "video_sound_ms", "caption_ms"
DISTANCE_TOLERANCE = "distance_m"
"""How exact a place must be: with it, limits of time follow from how fast the thing is."""
CAPTION_EACH_TOLERANCE, CAPTION_SET_TOLERANCE = "caption_each", "caption_set"
"""The share of labelled things that each caption, and all captions of a picture together, must name."""
LOOSE_TOLERANCE, SOUND_LEVEL_TOLERANCE, SPEECH_TOLERANCE = "loose_px", "sound_db", "speech_ms"
WORD_ERROR_TOLERANCE, CLIP_LEVEL_TOLERANCE, LENGTH_TOLERANCE = "word_error_share", "clip_level_allowed", "length_mm"
LEVEL_TOLERANCE = "level"
"""Given for one pair of levels of detail (``level:sentence/region``), 1 says that it is meant."""
COLOUR_TOLERANCE, VOICE_TOLERANCE = "colour_share", "voice_db"
TAG_LIKENESS_TOLERANCE, PICTURE_LIKENESS_TOLERANCE = "tag_likeness", "picture_likeness"
"""Scores of a model below which a text does not fit; they depend on the model, so there is no usual one."""
IOU_TOLERANCE, OVERRUN_TOLERANCE, TURNED_TOLERANCE = "iou", "containment_px", "calibration_deg"
MISPLACED_TOLERANCE, SIZE_TOLERANCE = "misplaced_m", "size_bias_m"
IOU_FAR_TOLERANCE, FAR_TOLERANCE = "iou_far", "far_m"
"""``iou`` may also be given for one class and all below it (``iou:pedestrian``), and ``iou_far`` from ``far_m`` on."""
IOU, OVERRUN_PX, TURNED_DEG, MISPLACED_M, SIZE_BIAS_M = 0.5, 5.0, 0.1, 0.2, 0.05
FAR_M = 50.0
_DEFORMED = 0.5
"""A person fills a cuboid that was made for a stride only in part."""
_DRAWN_PX = 2.0
"""Nobody draws a side much better, so a small thing cannot overlap as well as a large one."""
CLOCK_MS = 10.0
"""What a clock may drift or be off before labelling begins."""
SOUND_MS, NOTICED_MS = 100.0, 40.0
"""What is linked as seen and heard at once is wrong above the first, and noticed above the second."""
CAPTION_MS = 500.0
GENERAL_SYNC_MS = 50.0
SAME_SCAN_MS = 50.0
"""Half a turn of a LiDAR at 10 Hz: no capture of it is further from the nearest one."""
_SYNC_MS = {
    "drone": 5.0,
    "drones": 5.0,
    "robotics": 10.0,
    "manipulation": 10.0,
    "driving": 20.0,
    "dialogue": 45.0,
}
"""What people notice in speech is 45 ms; what a gripper or a drone does meanwhile is centimetres."""


def sync_limit_ms(project: Project | None, sample: Sample) -> tuple[float, str]:
    """The limit for what is one moment, and whose it is in words. A sample's own profile goes before the project's."""
    tolerances: Mapping[str, float] = {} if project is None else project.tolerances
    profile = profile_of(project, sample)
    for key in (of_profile(SYNC_TOLERANCE, profile), SYNC_TOLERANCE):
        if key in tolerances:
            return tolerances[key], f"the project's {key}"
    if profile in _SYNC_MS:
        return _SYNC_MS[profile], f"profile {profile}"
    return GENERAL_SYNC_MS, "no profile with a limit of its own"


def usual_sync_ms(profile: str) -> float:
    """The limit for what is one moment where a project sets none."""
    return _SYNC_MS.get(profile, GENERAL_SYNC_MS)


def profile_of(project: Project | None, sample: Sample) -> str:
    """A sample's own profile, else the project's."""
    return sample.profile or ("" if project is None else project.profile)


def of_profile(tolerance: str, profile: str) -> str:
    """Under which name a limit is set for one profile; for all work it is the tolerance's own."""
    return f"{tolerance}:{profile}" if profile else tolerance


def tightest_limit_ms(
    project: Project | None, samples: Iterable[Sample], link_tolerances: Mapping[str, Mapping[str, float]]
) -> tuple[float, str]:
    """The least by which times are judged anywhere in a project, and whose it is in words.

    What shows or plays must itself be better than this, or people correct for the tool (COMP-04).
    ``link_tolerances`` is link type -> its tolerances.
    """
    limits = [(named_limit_ms(project, CLOCK_TOLERANCE, CLOCK_MS), "what a clock may be off")]
    limits.append((named_limit_ms(project, SOUND_TOLERANCE, SOUND_MS), "what is seen and heard at once"))
    for each in samples:
        limits.append((time_limit_ms(project, each, CLOCK_TOLERANCE, CLOCK_MS), "what a clock may be off"))
        limits.append((time_limit_ms(project, each, SOUND_TOLERANCE, SOUND_MS), "what is seen and heard at once"))
        limits.append(sync_limit_ms(project, each))
    limits += [(each["time_ms"], f"the link {name}") for name, each in link_tolerances.items() if "time_ms" in each]
    return min(limits, key=lambda limit: limit[0])


def same_scan_limit_ms(project: Project | None, link_tolerance: Mapping[str, float]) -> float:
    """The limit between the captures of one fused pair: the project's, the link type's, or half a LiDAR turn."""
    if project is not None and SAME_SCAN_TOLERANCE in project.tolerances:
        return project.tolerances[SAME_SCAN_TOLERANCE]
    return link_tolerance.get("time_ms", SAME_SCAN_MS)


def named_limit_ms(project: Project | None, tolerance: str, usual: float) -> float:
    """One of the three limits of time with a name of their own: the project's, else the usual one."""
    return named_limit(project, tolerance, usual)


def time_limit_ms(project: Project | None, sample: Sample, tolerance: str, usual: float) -> float:
    """One of these three for a sample: as set for its profile, else for all the project's work, else the usual one."""
    set_here = named_limit(project, tolerance, usual)
    return named_limit(project, of_profile(tolerance, profile_of(project, sample)), set_here)


def named_limit(project: Project | None, tolerance: str, usual: float) -> float:
    """A limit with a name of its own, in its own unit: the project's, else the usual one."""
    return usual if project is None else project.tolerances.get(tolerance, usual)


def allowed_ms(distance_m: float, speed_mps: float) -> float | None:
    """How far off in time something of that speed may be while it stays that near; ``None`` for what stands still."""
    return distance_m / speed_mps * 1000 if speed_mps > 0 else None


def iou_limit(
    project: Project | None,
    link_tolerance: Mapping[str, float],
    classes: Iterable[str],
    *,
    deformable: bool,
    range_m: float,
    width_px: float,
    height_px: float,
) -> float:
    """How well a box and the projection of its cuboid must overlap, by class (nearest first), range and size.

    What the project says of a class counts as it is; other limits are eased for what changes its shape, and all of
    them for what is so small that two pixels a side make the difference.
    """
    said: Mapping[str, float] = {} if project is None else project.tolerances
    own = next((said[key] for name in classes if (key := f"{IOU_TOLERANCE}:{name}") in said), None)
    if own is None:
        own = said.get(IOU_TOLERANCE, link_tolerance.get(IOU_TOLERANCE, IOU)) * (_DEFORMED if deformable else 1.0)
        if range_m >= said.get(FAR_TOLERANCE, FAR_M):
            own = said.get(IOU_FAR_TOLERANCE, own)
    across, down = (max(each - _DRAWN_PX, 0.0) / (each + _DRAWN_PX) for each in (width_px, height_px))
    return min(own, across * down)
