"""The same full sync by dlt's rest_api source, merged into DuckDB by parquet.

`python -m tests.bench.polling.by_dlt URL DATA PAGE_SIZE`. Its authentication takes a token as it is, so it is fetched
before.
"""

import base64
import json
import os
import urllib.request
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source

from tests.bench.polling.told import tell


def fetch_token(url: str) -> str:
    """By Basic auth."""
    basic = base64.b64encode(b"test_id:test_secret").decode()
    request = urllib.request.Request(f"{url}/token", headers={"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request) as answer:
        token: str = json.load(answer)["token"]
    return token


def sync(url: str, data: Path, page_size: int) -> int:
    """Give how many contacts are stored then."""
    source = rest_api_source(
        {
            "client": {"base_url": url, "auth": {"type": "bearer", "token": fetch_token(url)}},
            "resources": [
                {
                    "name": "contacts",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "contacts",
                        "params": {"limit": page_size},
                        "data_selector": "contacts",
                        "paginator": {
                            "type": "page_number",
                            "base_page": 1,
                            "page_param": "page",
                            "total_path": None,
                            "has_more_path": "has_more",
                        },
                    },
                }
            ],
        },
        max_table_nesting=0,  # phones and e-mails stay in their contact: the cheapest that loses nothing
    )
    destination = dlt.destinations.duckdb(str(data / "dlt.duckdb"))
    pipeline = dlt.pipeline("bench", pipelines_dir=str(data / "dlt"), destination=destination, dataset_name="bench")
    pipeline.run(source, loader_file_format="parquet").raise_on_failed_jobs()
    with pipeline.sql_client() as client:
        stored: int = client.execute_sql("SELECT count(*) FROM contacts")[0][0]
    return stored


if __name__ == "__main__":
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    tell(sync)
