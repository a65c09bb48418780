"""A page that shows the API's description: rendered here, without scripts, from the same document that programs read."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stopwire.api.describe import TAGS, Json, describe, operations

router = APIRouter(include_in_schema=False)

_TEMPLATES = Path(__file__).parent / "templates"
_DEPTH_MAX = 6  # of examples; a schema may contain itself
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Description:
    """The document and its page, each made when it is first asked for."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    @cached_property
    def document(self) -> Json:
        return describe(self._app)

    @cached_property
    def page(self) -> str:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        return environment.get_template("docs.html").render(info=self.document["info"], rooms=_rooms(self.document))


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.state.description.document)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    return HTMLResponse(request.app.state.description.page, headers=HEADERS)


@router.get("/docs.css")
async def style() -> Response:
    return Response((_TEMPLATES / "docs.css").read_bytes(), media_type="text/css")


def _rooms(document: Json) -> list[Json]:
    shown: dict[str, list[Json]] = {name: [] for name in TAGS}
    for path, method, operation in operations(document):
        shown.setdefault(operation["tags"][0], []).append(_operation(document, path, method.upper(), operation))
    return [
        {"name": name, "id": name.lower().replace(" ", "-"), "about": TAGS.get(name, ""), "operations": found}
        for name, found in shown.items()
        if found
    ]


def _operation(document: Json, path: str, method: str, operation: Json) -> Json:
    body = _body(document, operation)
    return {
        "id": operation["operationId"],
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "about": operation.get("description", ""),
        "parameters": [_parameter(document, each) for each in operation.get("parameters", ())],
        "body": body,
        "curl": _curl(document, path, method, operation, body),
        "answers": [_answer(document, status, each) for status, each in operation["responses"].items()],
    }


def _parameter(document: Json, parameter: Json) -> Json:
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "kind": _kind(document, schema),
        "needed": parameter.get("required", False),
        "about": parameter.get("description", ""),
    }


def _body(document: Json, operation: Json) -> Json | None:
    content = operation.get("requestBody", {}).get("content", {})
    for media_type, each in content.items():
        schema = _resolved(document, each["schema"])
        fields = [
            {
                "name": name,
                "kind": _kind(document, inner),
                "needed": name in schema.get("required", ()),
                "about": inner.get("description", ""),
            }
            for name, inner in schema.get("properties", {}).items()
        ]
        text = each.get("example")
        if text is None and media_type == "application/json":
            text = json.dumps(_example(document, each["schema"]), indent=2, ensure_ascii=False)
        return {"type": media_type, "fields": fields, "example": text or "", "about": schema.get("description", "")}
    return None


def _answer(document: Json, status: str, answer: Json) -> Json:
    answer = _resolved(document, answer)
    for media_type, each in answer.get("content", {}).items():
        example = each.get("example")
        if example is None and "schema" in each and media_type == "application/json":
            example = _example(document, each["schema"])
        text = json.dumps(example, indent=2, ensure_ascii=False) if example is not None else ""
        return {"status": status, "about": answer["description"], "type": media_type, "example": text}
    return {"status": status, "about": answer["description"], "type": "", "example": ""}


def _resolved(document: Json, node: Json) -> Json:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _kind(document: Json, schema: Json) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[1]
        found = _resolved(document, schema)
        return " | ".join(map(str, found["enum"])) if "enum" in found else name
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(document, each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    bounds = [f"≥ {schema['minimum']}"] if "minimum" in schema else []
    bounds += [f"≤ {schema['maximum']}"] if "maximum" in schema else []
    return " ".join([str(schema.get("format") or schema.get("type", "anything")), *bounds])


def _example(document: Json, schema: Json, depth: int = 0) -> Any:
    """A value of `schema`: its own example where it has one, else the plainest."""
    if depth > _DEPTH_MAX:
        return None
    schema = _resolved(document, schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0], depth + 1) if {"type": "null"} not in schema["anyOf"] else None
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            shown = {name: inner for name, inner in properties.items() if inner.get("default", ...) is not None}
            return {name: _example(document, inner, depth + 1) for name, inner in shown.items()}
        case "array":
            return [_example(document, schema.get("items", {}), depth + 1)]
        case "integer" | "number":
            return max(0, int(schema.get("minimum", 0)))
        case "boolean":
            return False
        case "string":
            return "2026-01-31T12:00:00Z" if schema.get("format") == "date-time" else ""
        case _:
            return None


_PATH_EXAMPLES = {
    "address": "%2B14155550101", "recipient": "%2B14155550101", "version": "1", "name": "simulator", "service": "MG…", "sid": "SM…", "id": "…",
}  # fmt: skip


def _curl(document: Json, path: str, method: str, operation: Json, body: Json | None) -> str:
    for name, value in _PATH_EXAMPLES.items():
        path = path.replace("{" + name + "}", value)
    needed = [each for each in operation.get("parameters", ()) if each["in"] == "query" and each.get("required")]
    query = "&".join(f"{each['name']}={_example(document, each['schema'])}" for each in needed)
    lines = [f"curl -u $ACCOUNT_SID:$AUTH_TOKEN{'' if method == 'GET' else f' -X {method}'}"]
    if body:
        lines.append(f"  -H 'Content-Type: {body['type']}'")
        lines.append(f"  --data {_quoted(body['example'])}" if body["type"] == "application/json" else "  --data-binary @FILE")
    lines.append(f'  "$API_BASE{path}{"?" + query if query else ""}"')
    return " \\\n".join(lines)


def _quoted(example: str) -> str:
    """JSON in one line, as a shell's word."""
    return "'" + json.dumps(json.loads(example), ensure_ascii=False).replace("'", "'\\''") + "'"
