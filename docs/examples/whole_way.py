"""The whole way by the API: upload, extract, train, convert, score, download. Python's standard library only.

    python whole_way.py --studio http://127.0.0.1:8000 --token fss_… --a anna.mp4 --b bruno.mp4 --video new.mp4

It makes a project and stops with a sentence: both people must agree first, in the browser. Then go on with it:

    python whole_way.py … --project 7
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PART = 8 << 20
TRIES = 10


class Studio:
    """Requests with a token."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address.rstrip("/")
        self.token = token

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """The answer; its body is not read yet. Ends with the studio's own sentence when it says no."""
        url = path if path.startswith("http") else self.address + path
        known = {"Authorization": f"Bearer {self.token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return urllib.request.urlopen(urllib.request.Request(url, body, known, method=method), timeout=60)

    def get(self, path: str) -> Any:
        """JSON of the API."""
        return json.load(self.said_no(lambda: self.ask("GET", f"/api{path}")))

    def post(self, path: str, **said: Any) -> Any:
        """JSON of the API for JSON."""
        body = json.dumps(said).encode()
        return json.load(self.said_no(lambda: self.ask("POST", f"/api{path}", body, Content_Type="application/json")))

    @staticmethod
    def said_no(ask: Any) -> Any:
        """What ``ask`` gives, or the end of the program with the studio's reason."""
        try:
            return ask()
        except urllib.error.HTTPError as error:
            said = json.loads(error.read() or b"{}")
            sys.exit(f"{error.code} {said.get('code', '')}: {said.get('text', error.reason)}")

    def upload(self, project: int, side: str, path: Path) -> None:
        """Send a file by tus. A line that is lost is gone on with where it was."""
        size, name = path.stat().st_size, base64.b64encode(path.name.encode()).decode()
        begin = {"Tus_Resumable": "1.0.0", "Upload_Length": str(size), "Upload_Metadata": f"filename {name}"}
        made = self.said_no(lambda: self.ask("POST", f"/projects/{project}/{side}/uploads/", b"", **begin))
        url, offset, failures = made.headers["Location"], 0, 0
        with path.open("rb") as file:
            while offset < size:
                file.seek(offset)
                sent = {"Tus_Resumable": "1.0.0", "Upload_Offset": str(offset)}
                kind = "application/offset+octet-stream"
                try:
                    answer = self.ask("PATCH", url, file.read(PART), Content_Type=kind, **sent)
                except (urllib.error.URLError, ConnectionError):
                    failures += 1
                    if failures > TRIES:
                        raise
                    time.sleep(failures)
                    answer = self.ask("HEAD", url, Tus_Resumable="1.0.0")
                offset = int(answer.headers["Upload-Offset"])
                print(f"  {path.name}: {100 * offset // size} %", flush=True)

    def wait(self, job: str) -> None:
        """Until it has ended; the end of the program if it came to no good end."""
        while True:
            found = self.get(f"/jobs/{job}?wait=25")
            progress = found["progress"] or {}
            print(
                f"  {found['kind']}: {found['state']} {progress.get('done', '')}/{progress.get('total', '')}",
                flush=True,
            )
            if found["state"] in ("failed", "cancelled"):
                sys.exit(f"{found['error_code']}: {found['error_text']}")
            if found["state"] == "done":
                return

    def wait_for_assets(self, project: int) -> list[dict[str, Any]]:
        """Until all footage is looked at."""
        while any(asset["state"] == "checking" for asset in self.get(f"/projects/{project}/assets")):
            time.sleep(1)
        found: list[dict[str, Any]] = self.get(f"/projects/{project}/assets")
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studio", default="http://127.0.0.1:8000")
    parser.add_argument("--token", required=True)
    parser.add_argument("--project", type=int, help="go on with this one")
    parser.add_argument("--a", type=Path, required=True, help="video of person A")
    parser.add_argument("--b", type=Path, required=True, help="video of person B")
    parser.add_argument("--video", type=Path, required=True, help="video of A that gets B's face")
    parser.add_argument("--every", type=int, default=6, help="extract every Nth frame")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--out", type=Path, default=Path("swapped.mp4"))
    said = parser.parse_args()
    studio = Studio(said.studio, said.token)

    project = said.project or studio.post("/projects", name="By script")["id"]
    people = studio.get(f"/projects/{project}")["people"]
    if any(person["consent"] != "live" for person in people):
        address = f"{said.studio}/projects/{project}/a/consent/"
        sys.exit(f"Both people must agree first: {address}\nThen go on with --project {project}")
    for side, path in (("a", said.a), ("b", said.b)):
        studio.upload(project, side, path)
    studio.wait_for_assets(project)
    for side in "ab":
        studio.wait(studio.post(f"/projects/{project}/{side}/extract", every=said.every)["id"])
    run = studio.post(f"/projects/{project}/runs", name="By script", settings={"preset": said.preset})
    studio.wait(run["job"]["id"])
    studio.upload(project, "a", said.video)
    video = next(one for one in reversed(studio.wait_for_assets(project)) if one["name"] == said.video.name)
    if video["state"] != "ready":
        sys.exit(f"{said.video.name}: {video['code']}")
    conversion = studio.post(f"/runs/{run['id']}/conversions", asset=video["id"])
    studio.wait(conversion["job"]["id"])
    studio.wait(studio.post(f"/conversions/{conversion['id']}/score")["id"])
    found = studio.get(f"/conversions/{conversion['id']}")
    with studio.ask("GET", found["result"]) as answer, said.out.open("wb") as file:
        while piece := answer.read(1 << 20):
            file.write(piece)
    report = found["report"]
    print(
        f"{said.out}: similarity {report['similarity']:.3f}, between {report['floor']:.3f} and {report['ceiling']:.3f}"
    )


if __name__ == "__main__":
    main()
