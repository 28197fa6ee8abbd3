"""What the local host itself costs: a function that does nothing, and one that moves as many bytes as a token takes."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

_BODY = b"{" + b" " * 900 + b"}"
_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "X-Request-Id": "0123456789abcdef0123-1",
    "Server-Timing": "auth;dur=0.10, map;dur=0.00, upstream;dur=0.00, adapt;dur=0.00, total;dur=0.12",
}


@app.route("noop", methods=["GET"])
async def noop(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 (the worker passes it by name)
    """Answer 200 with an empty body."""
    return func.HttpResponse()


@app.route("same_size", methods=["POST"])
async def same_size(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 (the worker passes it by name)
    """Answer as many bytes and headers as a token takes."""
    return func.HttpResponse(_BODY, headers=_HEADERS, mimetype="application/json")
