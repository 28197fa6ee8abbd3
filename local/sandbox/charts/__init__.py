"""The fictional patients of the sandbox hospitals, and the writers that put them down in each FHIR version.

Charts are plain facts (`model`, and one module per hospital); `dstu2`, `stu3` and `r4` give them the shape of
their version. `python -m local.sandbox.charts` writes the hospitals' NDJSON files; the same charts always
give the same files.
"""
