"""The files of `static/`, each under a name with the hash of its content, so that a browser may keep it for good."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "static"
PREFIX = "/console/static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    type: str
    plain: bytes
    packed: bytes


class Static:
    """All files, read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: dict[str, _File] = {}
        self._urls: dict[str, str] = {}
        for path in sorted(each for each in folder.iterdir() if each.suffix in _TYPES):
            plain = path.read_bytes()
            name = f"{path.stem}-{hashlib.sha256(plain).hexdigest()[:12]}{path.suffix}"
            self._files[name] = _File(type=_TYPES[path.suffix], plain=plain, packed=gzip.compress(plain, mtime=0))
            self._urls[path.name] = f"{PREFIX}/{name}"

    def url(self, name: str) -> str:
        return self._urls[name]

    def route(self) -> Route:
        return Route(f"{PREFIX}/{{name}}", self._serve, methods=["GET"])

    async def _serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        headers = {**_KEPT}
        if file.type == "image/svg+xml":
            headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, media_type=file.type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(file.plain, media_type=file.type, headers=headers)
