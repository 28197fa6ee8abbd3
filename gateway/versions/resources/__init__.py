"""The mapping tables, one module per resource type; docs/versions.md tells which lines are ours and why."""

from gateway.versions.resources import (
    administrative,
    allergy_intolerance,
    condition,
    coverage,
    encounter,
    location,
    medication,
    medication_statement,
    observation,
    operation_outcome,
    patient,
)
from gateway.versions.table import Table

TABLES: tuple[Table, ...] = (
    *patient.TABLES,
    *observation.TABLES,
    *condition.TABLES,
    *encounter.TABLES,
    *allergy_intolerance.TABLES,
    *medication.TABLES,
    *medication_statement.TABLES,
    *coverage.TABLES,
    *location.TABLES,
    *operation_outcome.TABLES,
    *administrative.TABLES,
)
