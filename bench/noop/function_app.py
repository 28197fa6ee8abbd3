"""An app that does nothing: what the local host itself costs."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("noop", methods=["GET"])
async def noop(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 (the worker passes it by name)
    """Answer 200 with an empty body."""
    return func.HttpResponse()
