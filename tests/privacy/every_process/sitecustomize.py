"""Python runs this module when a program starts that finds this folder on its path: so every program that an
end-to-end test starts logs everything, and notes the secrets that it makes or sends, for the sweep afterwards.
"""

import os
import sys
from pathlib import Path

import recording  # type: ignore[import-not-found]  # beside this file, which is on the path then

if folder := os.environ.get(recording.FOLDER_VARIABLE):
    # `-m local.worker` and the like; the program's own file otherwise.
    words = sys.orig_argv[1:]
    files = [Path(word).name for word in words if word.endswith(".py") or "/bin/" in word]
    program = words[words.index("-m") + 1] if "-m" in words[:-1] else files[0] if files else "python"
    if program == "local":
        program = "local." + words[-1]
    # What a hospital logs is its own business, and its tests want it silent.
    recording.start(Path(folder), program, ours=() if program == "local.sandbox" else ("",))
