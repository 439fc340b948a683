"""Where the program's own data is: resources, and the plug-ins that come with it.

Everything that reads such a file asks here.
In a checkout they lie beside the package, in an installed program inside it.
"""

from __future__ import annotations

from pathlib import Path

from workstation.core.errors import UserError

_PACKAGE = Path(__file__).resolve().parent.parent


def resources_folder() -> Path:
    """The folder ``resources``: icons, starter ontologies, manual, changelog, demo data, constraints."""
    return _folder("resources")


def bundled_plugins_folder() -> Path:
    """The folder ``plugins``: one folder each."""
    return _folder("plugins")


def resource(*parts: str) -> Path:
    """One file or folder of the resources, such as ``resource("manual", "index.md")``."""
    path = resources_folder().joinpath(*parts)
    if not path.exists():
        raise UserError(f"{path} is missing: the program's installation is not complete; install it again.")
    return path


def _folder(name: str) -> Path:
    # The checkout first: an editable installation has both the folder beside it and, perhaps, a stale copy inside.
    for parent in (_PACKAGE.parent, _PACKAGE):
        if (parent / name).is_dir() and (parent == _PACKAGE or _is_checkout(parent)):
            return parent / name
    raise UserError(f"The folder {name!r} is missing beside {_PACKAGE}; install the program again.")


def _is_checkout(folder: Path) -> bool:
    """``site-packages`` may hold somebody else's ``resources`` or ``plugins``; only a checkout has our project file."""
    return (folder / "pyproject.toml").is_file() and (folder / "resources" / "constraints.txt").is_file()
