"""Families whose models are no single picture or LiDAR graph: which files belong to one, by what the graphs take and
answer, whatever the files are called. Asked by ``bare_models.py`` for a file or a folder without a manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workstation.prelabel.api import InputSpec, Task
from workstation.prelabel.cloud_families import cloud_families
from workstation.prelabel.onnx_read import Signature
from workstation.prelabel.sweep_cells import INPUTS as CELLS
from workstation.prelabel.sweep_stages import ENCODER

Tells = Callable[[Signature], bool]
_CLIP_INPUT = InputSpec(
    width=224, height=224, scale=1 / 255, mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)  # fmt: skip
_MEMORY_INPUTS = {
    "decoder": "point_coords", "memory_attention": "current_vision_feat", "memory_encoder": "mask_for_mem",
}  # fmt: skip


def _no_options(_signatures: Mapping[str, Signature]) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """One family: how each of its graphs is told by its inputs and outputs, and files that go by their names."""

    family: str
    task: Task
    graphs: Mapping[str, Tells]
    """By role."""
    texts: tuple[str, ...] = ()
    """Names of files that must lie beside the graphs; the role is the stem."""
    input: InputSpec = field(default_factory=InputSpec)
    labels: tuple[str, ...] = ()
    options_of: Callable[[Mapping[str, Signature]], dict[str, Any]] = _no_options
    by_name: bool = False
    """Nothing about its graphs tells it from others: it is taken only when somebody says so."""

    @property
    def files(self) -> tuple[str, ...]:
        """The roles."""
        return (*self.graphs, *(Path(each).stem for each in self.texts))


@cache
def kits() -> Mapping[str, Kit]:
    """By the name of the family; the more special ones first."""
    from workstation.prelabel.masks import INPUT as U2NET
    from workstation.prelabel.promptable import INPUTS as PROMPTED
    from workstation.prelabel.reid import INPUT as LOOKS

    one = (
        Kit(family="silero-vad", task=Task.VAD, graphs={"model": _takes("input", "h", "c")}, labels=("speech",)),
        Kit(family="wave-tagger", task=Task.AUDIO_TAG, graphs={"model": _tags_waves}),
        Kit(family="reid", task=Task.REID, graphs={"model": _looks}, input=LOOKS, options_of=_input_name, by_name=True),
        Kit(
            family="u2net", task=Task.SEMANTIC_SEG, graphs={"model": _looks}, input=U2NET, options_of=_input_name,
            by_name=True,
        ),
        Kit(
            family="ge2e", task=Task.SPEAKER_EMBED, graphs={"model": _takes("mels")}, labels=("speaker", "speech"),
            by_name=True,
        ),
    )  # fmt: skip
    several = (
        Kit(
            family="sam2-video", task=Task.PROMPTABLE_SEG, input=PROMPTED["sam2"],
            graphs={"encoder": _looks, **{role: _takes(name) for role, name in _MEMORY_INPUTS.items()}},
        ),
        Kit(
            family="sam2", task=Task.PROMPTABLE_SEG, input=PROMPTED["sam2"], options_of=_prompted,
            graphs={"encoder": _looks, "decoder": _takes("point_coords", "high_res_feats_0")},
        ),
        Kit(
            family="sam", task=Task.PROMPTABLE_SEG, input=PROMPTED["sam"], options_of=_prompted,
            graphs={"encoder": _looks, "decoder": _takes("point_coords", "image_embeddings")},
        ),
        Kit(
            family="clip", task=Task.IMAGE_TEXT, graphs={"image": _looks, "text": _takes("input_ids")},
            texts=("tokenizer.json",), input=_CLIP_INPUT,
        ),
        Kit(
            family="token-classification", task=Task.NER, graphs={"model": _takes("input_ids")},
            texts=("tokenizer.json", "config.json"),
        ),
        Kit(
            family="sentence-embedding", task=Task.TEXT_EMBED, graphs={"model": _takes("input_ids")},
            texts=("tokenizer.json",),
        ),
    )  # fmt: skip
    sweeps = [
        Kit(family=name, task=Task.LIDAR_DETECT, graphs={ENCODER: _encodes, "model": _heads(name)})
        for name in cloud_families()
        if name != "lidar-points"
    ]
    return MappingProxyType({each.family: each for each in (*several, *sweeps, *one)})


def single_kit(signature: Signature) -> Kit | None:
    """The family of one graph alone, where its inputs and outputs tell it."""
    return next(
        (
            kit
            for kit in kits().values()
            if not kit.by_name and kit.files == ("model",) and kit.graphs["model"](signature)
        ),
        None,
    )


def kit_in(
    folder: Path, graphs: Mapping[Path, Signature], family: str
) -> tuple[Kit, dict[str, Path]] | None:  # fmt: skip
    """Which family the graphs of a folder make together, and its files by role; ``None`` where they make none."""
    wanted = [each for each in kits().values() if (each.family == family if family else not each.by_name)]
    for kit in wanted:
        roles = _roles(kit, graphs)
        texts = {Path(name).stem: folder / name for name in kit.texts}
        if roles is not None and all(path.is_file() for path in texts.values()):
            return kit, roles | texts
    return None


def _roles(kit: Kit, graphs: Mapping[Path, Signature]) -> dict[str, Path] | None:
    """Each graph in the one role it fits; ``None`` where one is left over or a role has none or several."""
    if len(graphs) != len(kit.graphs):
        return None
    found: dict[str, Path] = {}
    # The role told by most is given last: many a graph looks at something of four sides.
    for role in sorted(kit.graphs, key=lambda each: sum(kit.graphs[each](sig) for sig in graphs.values())):
        fits = [path for path, sig in graphs.items() if path not in found.values() and kit.graphs[role](sig)]
        if len(fits) != 1:
            return None
        found[role] = fits[0]
    return {role: found[role] for role in kit.graphs}


def _takes(*names: str) -> Tells:
    return lambda signature: set(names) <= signature.input_shapes.keys()


def _looks(signature: Signature) -> bool:
    """A picture, with or without a batch about it."""
    shapes = [tuple(port.shape) for port in signature.inputs]
    return len(shapes) == 1 and (len(shapes[0]) == 4 or (len(shapes[0]) == 3 and shapes[0][2] == 3))


def _tags_waves(signature: Signature) -> bool:
    waves = [port for port in signature.inputs if len(port.shape) == 1 and port.dtype == "float32"]
    tags = [port for port in signature.outputs if len(port.shape) == 2 and isinstance(port.shape[1], int)]
    return len(signature.inputs) == len(waves) == 1 and bool(tags)


def _encodes(signature: Signature) -> bool:
    """Cells of points in, one answer out."""
    cells = set(signature.input_shapes) & CELLS
    shapes = [tuple(port.shape) for port in signature.inputs]
    points = len(shapes) == 1 and len(shapes[0]) in (3, 4) and shapes[0][2:3] != (3,)
    return len(signature.outputs) == 1 and (bool(cells) or points)


def _heads(family: str) -> Tells:
    def tells(signature: Signature) -> bool:
        map_in = len(signature.inputs) == 1 and len(signature.inputs[0].shape) == 4
        fed = dict.fromkeys(CELLS, (1,))  # as if the first graph's were its own
        return map_in and cloud_families()[family].recognises(fed, signature.output_shapes, {}) > 0

    return tells


def _input_name(signatures: Mapping[str, Signature]) -> dict[str, Any]:
    return {"input_name": signatures["model"].inputs[0].name}


def _prompted(signatures: Mapping[str, Signature]) -> dict[str, Any]:
    """How the encoder takes its picture, and whether the decoder is told its size."""
    port = signatures["encoder"].inputs[0]
    options: dict[str, Any] = {"input_name": port.name}
    if len(port.shape) == 3:
        options["encoder_layout"] = "HWC"
    return options | {"size_input": "orig_im_size" in signatures["decoder"].input_shapes}


def prompted_side(signatures: Mapping[str, Signature]) -> int:
    """How many pixels a side the picture of a decoder that takes masks has: four times those of its masks; 0 where it
    does not say."""
    shape = signatures["decoder"].input_shapes.get("mask_input", ()) if "decoder" in signatures else ()
    side = shape[-1] if shape else 0
    return 4 * side if isinstance(side, int) else 0
