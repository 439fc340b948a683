"""The sounds on the screen: over waveforms and spectrograms labels, bands and previews. The ruler, the playhead and the
mouse are in ``base_strips_canvas.py``; what a gesture means is in ``sound_gestures.py``.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from workstation.app.lanes import Standing, standing_of
from workstation.app.units import Units
from workstation.core.annotation import Annotation
from workstation.ui.panes.base_gestures import Modifiers
from workstation.ui.panes.base_strips_canvas import StripsCanvas, tinted
from workstation.ui.panes.sound_gestures import Gesture, Preview, Table, drag_for, pan, rect_of, scrub
from workstation.ui.panes.sound_model import Hit, SoundModel, Strip
from workstation.ui.scenes.sound_scene import SoundScene
from workstation.ui.scenes.tier_scene import TierScene

_RUG_PX = 5
"""How high the columns of many labels stand on a spectrogram, where a band would be given a wrong height."""


class SoundCanvas(StripsCanvas[Table, SoundModel, Strip, Preview]):
    """Paints and feels."""

    cause = "sound"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("sound_strips", "Sounds", parent)

    @property
    def model(self) -> SoundModel | None:
        return None if self.table is None else self.table.model

    def scrubbed(self, table: Table, at: QPointF, hit: Hit) -> Gesture:
        return scrub(table, at, hit)

    def panned(self, table: Table, at: QPointF, hit: Hit) -> Gesture:
        return pan(table, at, hit)

    def pressed(self, table: Table, at: QPointF, hit: Hit, held: Modifiers) -> Gesture:
        return drag_for(table, at, hit, held)

    def unit_words(self, units: Units, number: int) -> str:
        return f"#{number:,}"

    def paint_over(self, painter: QPainter, model: SoundModel, strip: Strip) -> None:
        if isinstance(strip.scene, SoundScene):
            self.paint_crowd(painter, model, strip, height_px=_RUG_PX if strip.is_spectrogram else strip.height - 1)
            for annotation in model.over(strip):
                self._paint_label(painter, model, strip, annotation)
        elif isinstance(strip.scene, TierScene):
            self.paint_chosen(painter, model, strip, strip.scene)

    def _paint_label(self, painter: QPainter, model: SoundModel, strip: Strip, annotation: Annotation) -> None:
        """A label over a sound: lightly filled, its own pattern as the line, handles once it is selected."""
        span = model.view.session_range(annotation)
        if span is None:
            return
        paint, theme = model.view.paint_of(annotation), model.bench.theme
        rect = rect_of(model, strip, span, *model.frequencies(strip, annotation))
        chosen = annotation.id in model.bench.selected
        sure = standing_of(annotation) is Standing.SURE
        painter.fillRect(rect, tinted(paint.colour, 64 if chosen else 30 if sure else 12))
        self.paint_frame(painter, model, rect, annotation, chosen=chosen, handles=chosen)
        if annotation.id in self.related:
            self.paint_related(painter, model, rect)
        name = self.label_of(model, annotation)
        if rect.width() > QFontMetricsF(painter.font()).horizontalAdvance(name) + 8 and rect.height() > 16:
            place = QPointF(max(rect.left(), 0.0) + 4, rect.top() + 12)
            width = QFontMetricsF(painter.font()).horizontalAdvance(name)
            painter.fillRect(QRectF(place.x() - 2, rect.top() + 2, width + 4, 13), tinted(theme.panel, 190))
            painter.setPen(QColor(theme.ink))
            painter.drawText(place, name)

    def paint_marks(self, painter: QPainter, model: SoundModel) -> None:
        super().paint_marks(painter, model)
        loop = model.bench.clock.loop
        if loop is not None:
            painter.setPen(QPen(QColor(model.bench.theme.accent), 1, Qt.PenStyle.DashLine))
            for x in (model.viewport.x_of(loop.start_ns), model.viewport.x_of(loop.end_ns)):
                painter.drawLine(QPointF(x, 0), QPointF(x, model.height))

    def paint_preview(self, painter: QPainter, model: SoundModel, preview: Preview) -> None:
        if preview.shown is None:
            return
        for strip in model.strips:
            if strip.key != preview.strip and (strip.stream != preview.stream or isinstance(strip.scene, TierScene)):
                continue
            top, bottom = 0.0, float(strip.height - 1)
            if preview.row is not None and isinstance(strip.scene, TierScene):
                top, each = strip.scene.row_rect(preview.row, strip.height - 1)
                bottom = top + each
            if preview.band is not None and isinstance(strip.scene, SoundScene) and strip.is_spectrogram:
                high, low = (strip.scene.axis.share_of(hz) for hz in (preview.band.high_hz, preview.band.low_hz))
                top, bottom = bottom * (1 - min(high, 1.0)), bottom * (1 - max(low, 0.0))
            self.paint_wanted(painter, model, rect_of(model, strip, preview.shown, top, bottom))
        super().paint_preview(painter, model, preview)
