import argparse
import asyncio
import contextlib
import hmac
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

from tests.bench.monolith import store
from tests.bench.monolith.draft import Refused
from tests.bench.monolith.service import Monolith

API_KEY = "bench"


def application(data: Path, sink: str) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = await store.open_engines(data / "monolith.sqlite3")
        app.state.monolith = Monolith(database, sink)
        delivering = asyncio.create_task(app.state.monolith.deliver_forever())
        yield
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        await database.close()

    app = FastAPI(lifespan=lifespan)

    @app.exception_handler(Refused)
    async def refuse(request: Request, refused: Refused) -> Response:
        return Response(orjson.dumps(refused.content), refused.status, media_type="application/json")

    @app.post("/v1/contacts/import")
    async def import_contacts(request: Request) -> Response:
        authenticate(request)
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= 255:
            raise Refused(400, "validation_error", "Idempotency-Key header is required")
        correlation_id = request.headers.get("x-correlation-id") or str(uuid.uuid4())
        body = await app.state.monolith.accept(await request.body(), key=key, correlation_id=correlation_id)
        return Response(body, 202, {"X-Correlation-ID": correlation_id}, media_type="application/json")

    @app.get("/v1/contacts/import/{job_id}")
    async def get_job(job_id: str, request: Request) -> Response:
        authenticate(request)
        return Response(orjson.dumps(await app.state.monolith.job(job_id)), media_type="application/json")

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        return {"status": "healthy", "timestamp": datetime.now(UTC)}

    return app


def authenticate(request: Request) -> None:
    given = request.headers.get("authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {API_KEY}".encode()):
        raise Refused(401, "unauthorized", "The API key is missing or not valid.")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sink", required=True)
    options = parser.parse_args()
    app = application(options.data, options.sink)
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
