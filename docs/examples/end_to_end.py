"""Run a project end to end through the API: upload, extract, train, convert, score, download.

Needs Python's standard library only.

    python end_to_end.py --studio http://127.0.0.1:8000 --token fss_… --a anna.mp4 --b bruno.mp4 --video new.mp4

The first call creates a project and stops, because both people must consent first, in the browser. Then continue:

    python end_to_end.py … --project 7
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

PART = 8 << 20
"""Bytes of a part of an upload; at most the studio's UPLOADS_PART_MB."""
TRIES = 10


class Studio:
    """Send requests to a studio with an API token."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address.rstrip("/")
        self.token = token

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """Return the response with its body unread. Raises ``urllib.error.HTTPError`` for an error status."""
        url = path if path.startswith("http") else self.address + path
        all_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        all_headers["Authorization"] = f"Bearer {self.token}"
        return urllib.request.urlopen(urllib.request.Request(url, body, all_headers, method=method), timeout=60)

    def get(self, path: str) -> Any:
        """Return the JSON of an API endpoint."""
        return json.load(checked(lambda: self.request("GET", f"/api{path}")))

    def post(self, path: str, **data: Any) -> Any:
        """Send JSON to an API endpoint and return its JSON."""
        body = json.dumps(data).encode()
        return json.load(checked(lambda: self.request("POST", f"/api{path}", body, Content_Type="application/json")))

    def upload(self, project: int, side: str, path: Path) -> None:
        """Upload a file by tus. After a lost connection, resume at the offset that the studio reports."""
        size, name = path.stat().st_size, base64.b64encode(path.name.encode()).decode()
        creation = {"Tus_Resumable": "1.0.0", "Upload_Length": str(size), "Upload_Metadata": f"filename {name}"}
        created = checked(lambda: self.request("POST", f"/projects/{project}/{side}/uploads/", b"", **creation))
        url, offset, failures = created.headers["Location"], 0, 0
        with path.open("rb") as file:
            while offset < size:
                file.seek(offset)
                headers = {"Tus_Resumable": "1.0.0", "Upload_Offset": str(offset)}
                headers["Content_Type"] = "application/offset+octet-stream"
                try:
                    response = self.request("PATCH", url, file.read(PART), **headers)
                except (urllib.error.URLError, ConnectionError):
                    failures += 1
                    if failures > TRIES:
                        raise
                    time.sleep(failures)
                    response = self.request("HEAD", url, Tus_Resumable="1.0.0")
                offset = int(response.headers["Upload-Offset"])
                print(f"  {path.name}: {100 * offset // size} %", flush=True)

    def wait(self, job_id: str) -> None:
        """Wait until the job is done. Exits with the job's error if it failed or was cancelled."""
        while True:
            job = self.get(f"/jobs/{job_id}?wait=25")
            progress = job["progress"] or {}
            print(f"  {job['kind']}: {job['state']} {progress.get('done', '')}/{progress.get('total', '')}", flush=True)
            if job["state"] in ("failed", "cancelled"):
                sys.exit(f"{job['error_code']}: {job['error_text']}")
            if job["state"] == "done":
                return

    def wait_for_assets(self, project: int) -> list[dict[str, Any]]:
        """Return the project's assets when all of them have been ingested."""
        while True:
            assets: list[dict[str, Any]] = self.get(f"/projects/{project}/assets")
            if all(asset["state"] != "checking" for asset in assets):
                return assets
            time.sleep(1)


def checked(send: Callable[[], Any]) -> Any:
    """Return the response of ``send``. Exits with the studio's code and text for an error status."""
    try:
        return send()
    except urllib.error.HTTPError as error:
        data = json.loads(error.read() or b"{}")
        sys.exit(f"{error.code} {data.get('code', '')}: {data.get('text', error.reason)}")


def main() -> None:
    options = arguments()
    studio = Studio(options.studio, options.token)
    project = options.project or studio.post("/projects", name="By script")["id"]
    people = studio.get(f"/projects/{project}")["people"]
    if any(person["consent"] != "live" for person in people):
        address = f"{options.studio}/projects/{project}/a/consent/"
        sys.exit(f"Both people must consent first: {address}\nThen continue with --project {project}")

    for side, path in (("a", options.a), ("b", options.b)):
        studio.upload(project, side, path)
    studio.wait_for_assets(project)
    for side in "ab":
        studio.wait(studio.post(f"/projects/{project}/{side}/extract", every=options.every)["id"])

    run = studio.post(f"/projects/{project}/runs", name="By script", settings={"preset": options.preset})
    studio.wait(run["job"]["id"])

    studio.upload(project, "a", options.video)
    assets = studio.wait_for_assets(project)
    video = next(asset for asset in reversed(assets) if asset["name"] == options.video.name)
    if video["state"] != "ready":
        sys.exit(f"{options.video.name}: {video['code']}")
    conversion = studio.post(f"/runs/{run['id']}/conversions", asset=video["id"])
    studio.wait(conversion["job"]["id"])
    studio.wait(studio.post(f"/conversions/{conversion['id']}/score")["id"])

    result = studio.get(f"/conversions/{conversion['id']}")
    with studio.request("GET", result["result"]) as response, options.out.open("wb") as file:
        while chunk := response.read(1 << 20):
            file.write(chunk)
    report = result["report"]
    print(
        f"{options.out}: similarity {report['similarity']:.3f}, "
        f"from {report['floor']:.3f} (no swap) to {report['ceiling']:.3f} (target person)"
    )


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studio", default="http://127.0.0.1:8000", help="address of the studio")
    parser.add_argument("--token", required=True, help="API token with the scope write")
    parser.add_argument("--project", type=int, help="continue with this project")
    parser.add_argument("--a", type=Path, required=True, help="video of person A")
    parser.add_argument("--b", type=Path, required=True, help="video of person B")
    parser.add_argument("--video", type=Path, required=True, help="video of A that gets B's face")
    parser.add_argument("--every", type=int, default=6, help="extract every Nth frame")
    parser.add_argument("--preset", default="quick", help="preset of the training")
    parser.add_argument("--out", type=Path, default=Path("swapped.mp4"), help="file for the result")
    return parser.parse_args()


if __name__ == "__main__":
    main()
