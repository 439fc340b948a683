"""How sure the maker of a proposal is, as it stands on a label of the timeline, the sound or a series. Without Qt."""

from __future__ import annotations

from workstation.app.looks import proposed_name
from workstation.app.sample_view import SampleView
from workstation.core.annotation import State
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Doubt:
    """``? 0.82`` for what nobody has confirmed, nothing for what somebody answers for."""

    view: SampleView

    def __call__(self, record_id: str) -> str:
        annotation = self.view.annotations.get(record_id)
        if annotation is None or annotation.state is not State.PROPOSED:
            return ""
        return proposed_name("", annotation.confidence).strip()
