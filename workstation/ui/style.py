"""The theme as Qt wants it: a palette and a style sheet made from the tokens of ``theme.py``. Used by the application.

Qt's own dark switch does nothing without a desktop environment, so the palette is ours on every system.
Sizes are in points and multiples of the letter height, so that they grow with the scale the system asks for.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from workstation.ui.theme import Theme

_ROLES = {
    QPalette.ColorRole.Window: "paper", QPalette.ColorRole.WindowText: "ink", QPalette.ColorRole.Base: "panel",
    QPalette.ColorRole.AlternateBase: "paper", QPalette.ColorRole.Text: "ink", QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ButtonText: "ink", QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "ink", QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent", QPalette.ColorRole.PlaceholderText: "quiet",
    QPalette.ColorRole.Link: "accent", QPalette.ColorRole.BrightText: "error", QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "line", QPalette.ColorRole.Light: "raised", QPalette.ColorRole.Accent: "accent",
}  # fmt: skip
_FADING = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


def palette_of(theme: Theme) -> QPalette:
    """Every role that widgets of ours and of Qt paint with."""
    palette = QPalette()
    for role, token in _ROLES.items():
        palette.setColor(role, QColor(getattr(theme, token)))
    for role in _FADING:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.quiet))
    return palette


def style_sheet(theme: Theme) -> str:
    """What a palette cannot say: lines, focus rings, headers."""
    return _SHEET.format(**{name: getattr(theme, name) for name in theme.__slots__})


_SHEET = """
QWidget {{ color: {ink}; }}
QMainWindow, QDialog {{ background: {paper}; }}
QMainWindow::separator {{ background: {paper}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {accent}; }}
QToolBar {{ background: {raised}; border: none; border-bottom: 1px solid {line}; spacing: 2px; padding: 2px 4px; }}
QToolButton#qt_toolbar_ext_button {{ background: {line}; border-radius: 0; padding: 0; }}
QToolBar::separator {{ background: {line}; width: 1px; margin: 4px 5px; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 3px 5px; }}
QPushButton#status_told {{ text-align: left; border: 1px solid transparent; background: transparent; padding: 0 8px; }}
QPushButton#status_told:focus {{ border-color: {accent}; }}
QToolButton:hover {{ background: {panel}; }}
QToolButton:checked {{ background: {accent}; color: {on_accent}; }}
QToolButton:pressed {{ background: {line}; }}
QToolButton:disabled {{ color: {quiet}; }}
QToolButton:focus {{ border-color: {accent}; }}
QToolButton::menu-indicator {{ image: none; }}
QPushButton {{ background: {raised}; border: 1px solid {line}; border-radius: 4px; padding: 4px 12px; }}
QPushButton:hover {{ border-color: {quiet}; }}
QPushButton:default {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton:default:disabled {{ background: {raised}; color: {quiet}; border-color: {line}; }}
QPushButton:disabled {{ color: {quiet}; }}
QPushButton:focus, QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractItemView:focus, QCheckBox:focus,
QRadioButton:focus, QSlider:focus
{{ border: 1px solid {accent}; }}
QPushButton:default:focus {{ border: 2px solid {ink}; padding: 3px 11px; }}
QLineEdit, QPlainTextEdit, QTextEdit
{{ background: {panel}; border: 1px solid {line}; border-radius: 4px; padding: 2px 6px;
  selection-background-color: {accent}; selection-color: {on_accent}; }}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ border: none; padding: 0 2px; background: transparent; }}
QCheckBox, QRadioButton {{ border: 1px solid transparent; border-radius: 4px; padding: 1px 3px; }}
QAbstractItemView {{ background: {panel}; alternate-background-color: {paper}; border: 1px solid {line};
  selection-background-color: {accent}; selection-color: {on_accent}; outline: none; }}
QHeaderView::section {{ background: {raised}; color: {quiet}; border: none; border-right: 1px solid {line};
  padding: 2px 6px; }}
QDockWidget {{ border: 1px solid {line}; }}
QFrame#pane_header {{ background: {raised}; border: none; border-bottom: 2px solid {line}; }}
QFrame#pane_header[focused="true"] {{ border-bottom: 2px solid {accent}; }}
QLabel#pane_title {{ font-weight: 600; }}
QLabel#pane_item, QLabel#pane_own_time, QLabel#pane_distance {{ color: {quiet}; }}
QLabel#pane_lag {{ color: {warning}; }}
QTabBar {{ background: {paper}; }}
QTabBar::tab {{ background: {paper}; color: {quiet}; padding: 4px 10px; border: 1px solid {line};
  border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ background: {raised}; color: {ink}; border-bottom: 2px solid {accent}; }}
QScrollArea[form="true"] {{ border: 1px solid transparent; }}
QScrollArea[form="true"]:focus {{ border-color: {accent}; }}
QTabBar::tab:focus {{ border-color: {accent}; }}
QMenuBar {{ background: {raised}; }}
QMenuBar::item {{ padding: 3px 8px; background: transparent; }}
QMenuBar::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu {{ background: {raised}; border: 1px solid {line}; padding: 3px; }}
QMenu::item {{ padding: 4px 22px 4px 22px; border-radius: 3px; }}
QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu::item:disabled {{ color: {quiet}; }}
QMenu::item:disabled:selected {{ background: {panel}; }}
QMenu::separator {{ background: {line}; height: 1px; margin: 3px 8px; }}
QToolTip {{ background: {raised}; color: {ink}; border: 1px solid {line}; padding: 4px; }}
QStatusBar {{ background: {raised}; border-top: 1px solid {line}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel, QStatusBar QToolButton {{ padding: 0 6px; }}
QLabel[tone="quiet"], QPushButton[tone="quiet"] {{ color: {quiet}; }}
QLabel[tone="warning"], QPushButton[tone="refused"] {{ color: {warning}; }}
QLabel[tone="error"], QPushButton[tone="error"] {{ color: {error}; }}
QLabel[tone="good"] {{ color: {good}; }}
QLabel[role="title"] {{ font-size: 20pt; font-weight: 600; }}
QLabel[role="section"] {{ font-weight: 600; }}
QProgressBar {{ background: {panel}; border: 1px solid {line}; border-radius: 3px; text-align: center; }}
QProgressBar::chunk {{ background: {accent}; }}
QScrollBar:vertical {{ background: {panel}; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: {panel}; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 4px; min-height: 24px; min-width: 24px; margin: 2px; }}
QScrollBar::handle:hover {{ background: {quiet}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {paper}; }}
"""
