"""The description of the API: OpenAPI 3.1, made from the routes and completed with what every route shares."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from stopwire.api.problems import MEDIA_TYPE
from stopwire.api.shapes import ProblemDetails

Json = dict[str, Any]

ABOUT = """Stopwire's own API, beside the Twilio-compatible one. Sign in with the account SID and its auth token, or with an
API key and its secret; an account sees only its own.

A list is `{"items", "next", "as_of"}`: `cursor=` with the value of `next` continues it. An error is
`application/problem+json` (RFC 9457); where fields are wrong, `errors` names each by its path. Times are RFC 3339 in UTC,
numbers E.164, `scope` is the SID of its holder (a messaging service, a sender, the account) or a sender's address."""

TAGS = {
    "Opt-out settings": "Which words stop, start and help for a messaging service, and what is answered.",
    "Blocks": "Who may not be written to, and in which scope.",
    "Messages": "Send many at once, list, explain.",
    "Consent": "The ledger: every change of standing as a sealed row.",
    "Suggestions": "What looked like an opt-out and waits for a person.",
    "Alerts": "What is wrong, with the figures that say so.",
    "Webhooks": "What the customer's programs were told, and what they answered.",
    "Simulator": "Handsets to rehearse with.",
    "Senders": "The numbers and names of the account.",
    "Account": "The account's own choices.",
    "Carriers": "Connections to carriers.",
    "Figures": "Counts.",
    "Live tail": "What happens, as it happens.",
}

# What an answer means, and a case of it.
_ANSWERS: dict[str, tuple[str, str]] = {
    "400": ("The body cannot be read.", "The body is not JSON (JSON is malformed: invalid character (byte 0))."),
    "401": ("Nobody is signed in.", "Sign in with the account SID and its auth token, or with an API key and its secret."),
    "403": ("The caller may not.", "This account is suspended: the operator of this gateway can activate it."),
    "404": ("There is no such thing in this account.", "There is no message of this id in this account: check its id."),
    "409": ("It was decided or used otherwise before.", "This Idempotency-Key was used for another body: take a new key for a new request."),
    "412": ("`If-Match` names a version that is not the newest.", "Somebody saved version 4 meanwhile: read it, and decide anew."),
    "413": ("It is too much for one request.", "The body is larger than 8 MiB: send it in several requests."),
    "415": ("The body is of another type.", "The body is read as JSON: send it with the header Content-Type: application/json."),
    "422": ("Fields are wrong; `errors` names them.", "limit: Input should be less than or equal to 10000."),
    "503": ("The store cannot answer now; nothing was changed.", "Stopwire is stopping: ask again once it is back."),
}
_TITLES = {
    "400": "Bad Request", "401": "Unauthorized", "403": "Forbidden", "404": "Not Found", "409": "Conflict",
    "412": "Precondition Failed", "413": "Request Entity Too Large", "415": "Unsupported Media Type",
    "422": "Unprocessable Entity", "503": "Service Unavailable",
}  # fmt: skip
_CONFLICTS = ("/api/v1/messages", "/confirm", "/dismiss", "/replay", "/take", "/alerts/{id}/mute")  # where 409 can come


def operation_id(route: APIRoute) -> str:
    """`blocks_add`: the room and the name of its handler."""
    room = str(route.tags[0]).lower().replace(" ", "_").replace("-", "_") if route.tags else "api"
    return f"{room}_{route.name.strip('_')}"


def describe(app: FastAPI) -> Json:
    """The whole document. The paths are absolute; the server is whoever serves it."""
    document: Json = app.openapi()
    document["info"]["description"] = ABOUT
    document["servers"] = [{"url": "/"}]
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    components = document["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["schemas"] |= _problem_schemas()
    components["responses"] = {f"Problem{status}": _problem(status, *told) for status, told in _ANSWERS.items()}
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            _without_null(parameter["schema"])
        _policy_body(operation)
        for status in _statuses(path, operation):
            operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
        operation["responses"] = dict(sorted(operation["responses"].items()))
    return document


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each (path, method, operation)."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _statuses(path: str, operation: Json) -> Iterator[str]:
    yield from ("401", "403", "404", "422", "503")
    if "requestBody" in operation:
        yield from ("400", "413", "415")
    if any(each["name"] == "If-Match" for each in operation.get("parameters", ())):
        yield "412"
    if operation["operationId"] != "opt_out_settings_replay" and any(path.endswith(each) for each in _CONFLICTS):
        yield "409"


def _problem_schemas() -> Json:
    schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    inner: Json = schema.pop("$defs", {})
    return {**inner, "Problem": schema}


def _problem(status: str, meaning: str, detail: str) -> Json:
    example: Json = {"type": "about:blank", "title": _TITLES[status], "status": int(status), "detail": detail}
    if status == "422":
        example["errors"] = [{"path": "limit", "message": "Input should be less than or equal to 10000."}]
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    return {"description": meaning, "content": content}


def _without_null(schema: Json) -> None:
    """A parameter that may be left out is never sent as null."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1 and "anyOf" in schema:
        del schema["anyOf"]
        schema.update(kinds[0])


def _policy_body(operation: Json) -> None:
    """Settings are read by the core, which tells every place that is wrong; their shape is shown here."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None and operation["operationId"] == "opt_out_settings_put":
        content["schema"] = {"$ref": "#/components/schemas/Policy"}
