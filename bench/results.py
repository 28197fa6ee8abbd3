"""What one run of the benchmark found."""

from dataclasses import asdict, dataclass, field
from typing import Any

from bench.cold_start import ColdStart
from bench.floors import Floor, Steps, floors
from bench.goals import MEMORY, START, Verdict, judge, judge_cells
from bench.growth import MOST_TENANTS, ConnectionStep, TenantStep
from bench.measure import Cells

MEGABYTE = 1_000_000


@dataclass
class Results:
    """Parts that were not asked for are empty."""

    cells: Cells = field(default_factory=dict)
    steps: Steps | None = None
    bystanders: float | None = None
    """The share of the processors that other programs took while the cells were measured."""
    start: ColdStart | None = None
    tenants: list[TenantStep] = field(default_factory=list)
    connections: list[ConnectionStep] = field(default_factory=list)

    def verdicts(self) -> list[Verdict]:
        """On every goal for which there are numbers."""
        found = judge_cells(self.cells)
        if self.start:
            found.append(judge(START, self.start.first_read))
        if self.tenants and self.tenants[-1].tenants == MOST_TENANTS:
            found.append(judge(MEMORY, self.tenants[-1].resident / MEGABYTE))
        return found

    def floors(self) -> list[Floor]:
        """What the goals leave for the service's own work, where there are numbers."""
        return floors(self.cells, self.steps) if self.steps else []

    def document(self) -> dict[str, Any]:
        """For JSON: every sample, not only the medians."""
        return {
            "cells": [asdict(cell) for cell in self.cells.values()],
            "steps": asdict(self.steps) if self.steps else None,
            "bystanders": self.bystanders,
            "start": asdict(self.start) if self.start else None,
            "tenants": [asdict(step) for step in self.tenants],
            "connections": [asdict(step) for step in self.connections],
            "goals": [asdict(verdict) for verdict in self.verdicts()],
        }
