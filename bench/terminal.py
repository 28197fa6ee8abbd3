from rich.console import Console
from rich.table import Table

from bench.report import Grid

_WIDE = 150


def show(grid: Grid) -> None:
    """Print a table, as wide as it needs to be where the output is no terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    table = Table(title=grid.title, title_justify="left")
    for number, heading in enumerate(grid.headings):
        table.add_column(heading, justify="left" if number < grid.words else "right")
    for row in grid.rows:
        if grid.words and row[0]:
            table.add_section()
        table.add_row(*(cell.strip("*") for cell in row))
    console.print(table)
