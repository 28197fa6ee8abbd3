"""The walk-through of `make demo`: what the Patients app would show of every tenant, and how long it took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import requests
from rich.console import Console
from rich.table import Table

from local.app_screens import (
    MISSING,
    VITALS,
    Column,
    chart_screens,
    concerns,
    elements,
    location_columns,
    patient_list,
    vitals_rows,
)
from local.patients_app import CallFailed, Hop, PatientsApp, Resource
from local.stack_file import DemoTenant, Stack

HOPS = ("auth", "map", "upstream", "adapt", "total")
ROWS_SHOWN = 8


@dataclass(frozen=True)
class Visit:
    """One tenant, read on one face (`dstu2`, `stu3` or `r4`)."""

    tenant: DemoTenant
    face: str


def default_visits(stack: Stack) -> list[Visit]:
    """Every tenant on the face of its own version; a hospital that speaks R4 also on both faces that the app knows."""
    faces = {"r4": ("r4", "stu3", "dstu2")}
    return [
        Visit(tenant, face)
        for tenant in stack.tenants
        for face in faces.get(tenant.fhir_version, (tenant.fhir_version,))
    ]


def walk(stack: Stack, visits: Sequence[Visit], console: Console) -> list[str]:
    """Play the app at every visit and print what it shows; returns what was wrong, one line each.

    A call that fails ends its visit, not the walk.
    """
    problems = []
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no part in talking to loopback
        for visit in visits:
            console.rule(f"[bold]{visit.tenant.name}[/] on the {visit.face} face")
            app = PatientsApp(session, f"{stack.fhir_base_url}/{visit.face}", stack.clients[0], visit.tenant.tenant_id)
            page = _Page(app, console)
            try:
                page.show()
            except CallFailed as failure:
                page.problems.append(str(failure))
            console.print(_hops_table(app.hops))
            problems += [f"{visit.tenant.name}, {visit.face} face: {problem}" for problem in page.problems]
    return problems


@dataclass
class _Page:
    app: PatientsApp
    console: Console
    problems: list[str] = field(default_factory=list)

    def show(self) -> None:
        self.console.print(f"FHIR {self.app.open()} by its capability statement")
        release = self.app.release
        total, patients = self.app.list_patients()
        screen = patient_list(release)
        self._table(f"{screen.title} ({total})", screen.columns, patients)
        if not patients:
            return
        chart = self.app.chart(str(patients[0].get("id", "")))
        self._own_chart(str(patients[0].get("id", "")), chart)
        shown = chart["Patient"][0]
        self.console.print(f"\n[bold]{' '.join(map(str, elements(shown, 'name[0].given')))}[/]'s chart")
        vitals = [row for observation in chart["Observation"] for row in vitals_rows(observation)]
        self._table(VITALS.title, VITALS.columns, vitals)
        self._last_location(chart["Encounter"])
        for screen in chart_screens(release):
            self._table(screen.title, screen.columns, chart[screen.resource_type])

    def _own_chart(self, patient_id: str, chart: Mapping[str, list[Resource]]) -> None:
        for resource_type, found in chart.items():
            strangers = sum(not concerns(resource, patient_id) for resource in found)
            if strangers:
                self.problems.append(f"{resource_type}: {strangers} of {len(found)} are another patient's")

    def _last_location(self, encounters: list[Resource]) -> None:
        last = encounters[:1]
        name = Column("Location", ("location[0].location.display",))
        # The app takes the display when there is one, and follows the reference otherwise.
        references = [reference for encounter in last for reference in elements(encounter, _LOCATION)]
        if last and name.text(last[0]) == MISSING and references:
            name = Column("Location", ("name",))
            last = [last[0] | {"name": self.app.read(str(references[0])).get("name")}]
        self._table("Last location", (name, *location_columns()), last)

    def _table(self, title: str, columns: tuple[Column, ...], rows: list[Resource]) -> None:
        if not rows:
            self.problems.append(f"{title}: no rows")
        table = Table(title=title, title_justify="left", title_style="bold")
        for column in columns:
            table.add_column(column.heading, overflow="fold")
        for row in rows[:ROWS_SHOWN]:
            table.add_row(*(_styled(column.text(row)) for column in columns))
        self.console.print(table)
        if len(rows) > ROWS_SHOWN:
            self.console.print(f"  … and {len(rows) - ROWS_SHOWN} more")


_LOCATION = "location[0].location.reference"


def _styled(text: str) -> str:
    return f"[red]{text}[/]" if text == MISSING else text.replace("[", r"\[")


def _hops_table(hops: Sequence[Hop]) -> Table:
    table = Table(title="Time of each call, in ms", title_justify="left", title_style="bold")
    table.add_column("Call")
    for heading in ("Status", "App waited", *HOPS):
        table.add_column(heading, justify="right")
    for hop in hops:
        parts = [f"{hop.parts[name]:.1f}" if name in hop.parts else "" for name in HOPS]
        table.add_row(hop.call, str(hop.status), f"{hop.waited:.1f}", *parts)
    return table
