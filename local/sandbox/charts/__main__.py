"""`python -m local.sandbox.charts`: write the NDJSON files of the sandbox hospitals from their charts."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson

from local.sandbox.charts import dstu2, lakeside, northfield, r4, riverbend, stu3
from local.sandbox.charts.elements import Json
from local.sandbox.charts.model import Records
from local.sandbox.hospitals import Hospital, Version, load_hospitals

_RECORDS: Mapping[str, Records] = {
    "lakeside": lakeside.RECORDS,
    "northfield": northfield.RECORDS,
    "riverbend": riverbend.RECORDS,
}
_WRITERS: Mapping[Version, Callable[[Records, str], Iterator[Json]]] = {
    "dstu2": dstu2.resources,
    "stu3": stu3.resources,
    "r4": r4.resources,
}


def ndjson_files(hospital: Hospital) -> dict[str, bytes]:
    """Return the contents of a hospital's NDJSON files by file name, one per resource type."""
    files: defaultdict[str, list[bytes]] = defaultdict(list)
    for resource in _WRITERS[hospital.version](_RECORDS[hospital.name], hospital.mrn_system):
        files[f"{resource['resourceType']}.ndjson"].append(orjson.dumps(resource) + b"\n")
    return {name: b"".join(lines) for name, lines in files.items()}


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put the files into the folder in place of all NDJSON files there."""
    for old in folder.glob("*.ndjson"):
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def main() -> None:
    """Write all hospitals and say how many resources each has."""
    for hospital in load_hospitals():
        files = ndjson_files(hospital)
        write(hospital.folder, files)
        counts = ", ".join(
            f"{name.removesuffix('.ndjson')} {body.count(b'\n')}" for name, body in sorted(files.items())
        )
        print(f"{hospital.name}: {counts}")


if __name__ == "__main__":
    main()
