"""What the Functions host may tell: docs/observability.md says why."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
LEVELS = HOST["logging"]["logLevel"]
INSIGHTS = HOST["logging"]["applicationInsights"]


def test_the_host_sends_no_request_telemetry_which_would_hold_paths_with_ids() -> None:
    assert LEVELS["Host.Results"] == "None"
    # Else ASP.NET Core makes it, whatever the category's level is.
    assert INSIGHTS["httpAutoCollectionOptions"]["enableHttpTriggerExtendedInfoCollection"] is False
    # In this mode it is made always: host.json has no switch for it.
    assert "telemetryMode" not in HOST


def test_no_address_is_logged_by_the_host() -> None:
    assert LEVELS["Microsoft.AspNetCore"] == "None"
    assert LEVELS["default"] == "Warning"
    assert INSIGHTS["enableQueryStringTracing"] is False
    assert INSIGHTS["enableDependencyTracking"] is False
    assert INSIGHTS["enableLiveMetrics"] is False


def test_the_host_repeats_no_line_and_no_exception_of_the_worker() -> None:
    assert LEVELS["Function"] == "None"


def test_the_document_names_every_level_and_switch() -> None:
    document = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    for name in (*LEVELS, *INSIGHTS):
        assert f"`{name}`" in document, name
