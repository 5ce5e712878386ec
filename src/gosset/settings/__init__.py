"""Settings: where the store lies and how work is carried out, read from files and environment.

A value is looked for, the strongest last: default, the user's file, the project's file,
the store's own file, the environment, the arguments of the call.

========  ==============================================================================
user      ``$XDG_CONFIG_HOME/gosset/config.toml``, or below ``~/.config``
project   ``gosset.toml``, or ``[tool.gosset]`` in ``pyproject.toml``, in the nearest
          parent folder that has one
local     ``.gosset/config.toml`` of the root, which is not shared: what ``gosset use`` sets
========  ==============================================================================
"""

from .files import SCOPES, settings_file
from .loading import load_settings
from .places import (
    STORE_FOLDER,
    default_store_url,
    find_root,
    prepare_store_folder,
    sqlite_path,
    sqlite_url,
)
from .values import DEFAULT_PROJECT, NAMES, Settings, artifacts_url

__all__ = [
    "DEFAULT_PROJECT",
    "NAMES",
    "SCOPES",
    "STORE_FOLDER",
    "Settings",
    "artifacts_url",
    "default_store_url",
    "find_root",
    "load_settings",
    "prepare_store_folder",
    "settings_file",
    "sqlite_path",
    "sqlite_url",
]
