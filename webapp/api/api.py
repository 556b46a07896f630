"""Every endpoint. Each calls the service, and fetches through the access helper, that the page for it does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.throttling import AuthRateThrottle

from faceengine.jobs.access import get_job_to_steer
from faceengine.jobs.views import CHANGES
from webapp.accounts.models import Team
from webapp.accounts.services import found_team
from webapp.api import schemas, shown, waiting
from webapp.api.errors import ScopeError, answer_errors
from webapp.api.schemas import CropNumberInQuery, KeyInPath, KeyInQuery, SecondsInQuery
from webapp.consent.gate import Act, require_consent
from webapp.curation import verdicts
from webapp.curation.models import Crop, FaceSet
from webapp.projects.access import REACH, Verb, cap_reaches, get_person, get_project, projects_of
from webapp.projects.services import create_project
from webapp.request_values import parse_json
from webapp.studio import services
from webapp.studio.access import get_conversion, get_run
from webapp.studio.models import Run, Snapshot, Still
from webapp.studio.standing import standings
from webapp.uploads.access import get_asset
from webapp.uploads.models import Asset

PAGE = 500
_RATE = "1200/m"
_EDITORS = [role for role, reach in REACH.items() if reach.value >= Verb.EDIT.value]
_STEERS = ("pause", "resume", "cancel", "retry")


def by_token(request: HttpRequest, verb: Verb | None = None) -> Any:
    """The person whose token came with ``request``. Raises :class:`ScopeError` if its scope does not allow ``verb``.

    Only tokens count here, so that no other site can make a browser ask with its person's session. Unless an endpoint
    says otherwise, what changes something takes the scope to write.
    """
    if not getattr(request, "by_token", False):
        return None
    usual = Verb.VIEW if request.method in ("GET", "HEAD", "OPTIONS") else Verb.EDIT
    if not cap_reaches(request.user, verb or usual):
        raise ScopeError
    return request.user


def _to_review(request: HttpRequest) -> Any:
    return by_token(request, Verb.REVIEW)


class Throttle(AuthRateThrottle):
    """So many requests a minute and person."""

    def get_cache_key(self, request: HttpRequest) -> str:
        return f"api:{request.user.pk}"


class StrictParser(Parser):
    """Refuses JSON with text that no database stores."""

    def parse_body(self, request: HttpRequest) -> Any:
        return parse_json(request.body)


api = NinjaAPI(
    title="Face-swap studio",
    version="1",
    description="The studio for scripts; see docs/api.md. Upload files with tus 1.0 to "
    "/projects/{id}/{side}/uploads/ with the same token. Download files, with ranges, from the URLs in the answers.",
    auth=by_token,
    docs_url=None,
    throttle=[Throttle(_RATE)],
    parser=StrictParser(),
)
answer_errors(api)
_NO = {401: schemas.Problem, 403: schemas.Problem, 404: schemas.Problem}
_OFTEN: dict[Any, Any] = _NO | {409: schemas.Problem, 422: schemas.Problem}


# ---- projects --------------------------------------------------------------------------------------------------------


@api.get("/projects", response={200: list[schemas.ProjectOut]} | _NO, tags=["projects"])
def list_projects(request: HttpRequest) -> Any:
    """List your projects, newest first; at most fifty."""
    return [shown.project(one) for one in standings(projects_of(request.user).select_related("team")[:50])]


@api.post("/projects", response={201: schemas.ProjectOut} | _OFTEN, tags=["projects"])
def make_project(request: HttpRequest, said: schemas.NewProject) -> Any:
    """Create a project. Work can start once both people have agreed."""
    user: Any = request.user
    mine = list(Team.objects.filter(memberships__user=user, memberships__role__in=_EDITORS).order_by("pk"))
    team = next((one for one in mine if one.pk == said.team), None) if said.team else mine[0] if mine else None
    if team is None:
        if said.team or user.memberships.exists():
            raise PermissionDenied
        team = found_team(user, user.email[:100])
    return 201, _project(create_project(user, team, said.name, a=said.a, b=said.b))


@api.get("/projects/{project_id}", response={200: schemas.ProjectOut} | _NO, tags=["projects"])
def read_project(request: HttpRequest, project_id: KeyInPath) -> Any:
    """Return a project with its progress and the next step."""
    return _project(get_project(request.user, project_id))


def _project(found: Any) -> dict[str, Any]:
    return shown.project(standings([found])[0])


# ---- footage and faces -----------------------------------------------------------------------------------------------


@api.get("/projects/{project_id}/assets", response={200: list[schemas.AssetOut]} | _OFTEN, tags=["footage"])
def list_assets(request: HttpRequest, project_id: KeyInPath, after: KeyInQuery = 0) -> Any:
    """List videos and photos of both people by id, 500 per page; ``after``: the last id of the previous page."""
    project = get_project(request.user, project_id)
    require_consent(project, Act.PREVIEW, request.user)
    found = Asset.objects.filter(person__project=project, pk__gt=after).select_related("person").order_by("pk")[:PAGE]
    return [shown.asset(one) for one in found]


@api.get("/assets/{asset_id}", response={200: schemas.AssetOut} | _OFTEN, tags=["footage"])
def read_asset(request: HttpRequest, asset_id: KeyInPath) -> Any:
    """Return one video or photo."""
    asset = get_asset(request.user, asset_id)
    require_consent(asset.person.project, Act.PREVIEW, request.user)
    return shown.asset(asset)


@api.post("/projects/{project_id}/{side}/extract", response={202: schemas.JobOut} | _OFTEN, tags=["faces"])
def extract(request: HttpRequest, project_id: KeyInPath, side: str, said: schemas.ExtractIn) -> Any:
    """Extract faces from all footage of a person that is ready."""
    person = get_person(request.user, project_id, side, Verb.EDIT)
    user: Any = request.user
    face_set = services.extract_faces(user, person, **said.model_dump())
    assert face_set.job is not None
    return 202, shown.job(face_set.job)


@api.get("/projects/{project_id}/{side}/faces", response={200: schemas.CropsOut} | _OFTEN, tags=["faces"])
def list_faces(
    request: HttpRequest, project_id: KeyInPath, side: str, after: CropNumberInQuery = 0, state: str = ""
) -> Any:
    """List a person's crops by number, 500 per page."""
    face_set = _face_set(request, project_id, side, Verb.VIEW)
    found = Crop.objects.filter(face_set=face_set, number__gt=after).order_by("number")
    page = list((found.filter(state=state) if state else found)[: PAGE + 1])
    crops = [shown.crop(one, face_set) for one in page[:PAGE]]
    return {"crops": crops, "next": page[PAGE - 1].number if len(page) > PAGE else None}


@api.post(
    "/projects/{project_id}/{side}/faces/verdicts",
    auth=_to_review,
    response={200: dict[str, int]} | _OFTEN,
    tags=["faces"],
)
def give_verdicts(request: HttpRequest, project_id: KeyInPath, side: str, said: schemas.VerdictsIn) -> Any:
    """Keep or reject crops, as one action that can be undone in the browser."""
    face_set = _face_set(request, project_id, side, Verb.REVIEW)
    ids = Crop.objects.filter(face_set=face_set, number__in=said.numbers).values_list("pk", flat=True)
    wanted = dict.fromkeys(ids, said.value)
    verdicts.decide_each(face_set, request.user, wanted)
    return {"changed": len(wanted)}


def _face_set(request: HttpRequest, project_id: int, side: str, verb: Verb) -> FaceSet:
    person = get_person(request.user, project_id, side, verb)
    require_consent(person.project, Act.PREVIEW, request.user)
    found = FaceSet.objects.filter(person=person).first()
    if found is None:
        raise Http404
    found.person = person
    return found


# ---- training, conversion, score -------------------------------------------------------------------------------------


@api.post("/projects/{project_id}/runs", response={202: schemas.RunOut} | _OFTEN, tags=["training"])
def start_run(request: HttpRequest, project_id: KeyInPath, said: schemas.RunIn) -> Any:
    """Train a model, using the current verdicts on the crops."""
    project = get_project(request.user, project_id, Verb.EDIT)
    parent = None
    if said.parent is not None:
        parent = Snapshot.objects.select_related("run__job").filter(pk=said.parent, run__project=project).first()
        if parent is None:
            raise Http404
    user: Any = request.user
    return 202, shown.run(services.start_run(user, project, said.name, said.settings, parent=parent))


@api.get("/runs/{run_id}", response={200: schemas.RunOut} | _OFTEN, tags=["training"])
def read_run(request: HttpRequest, run_id: KeyInPath) -> Any:
    """Return a training run with its snapshots."""
    return shown.run(get_run(request.user, run_id))


@api.post("/runs/{run_id}/longer", response={202: schemas.RunOut} | _OFTEN, tags=["training"])
def train_longer(request: HttpRequest, run_id: KeyInPath, said: schemas.LongerIn) -> Any:
    """Continue a finished training run."""
    run = get_run(request.user, run_id, Verb.EDIT)
    user: Any = request.user
    services.train_longer(user, run, minutes=said.minutes, iterations=said.iterations)
    return 202, shown.run(run)


@api.post("/runs/{run_id}/stills", response={202: schemas.StillOut} | _OFTEN, tags=["conversion"])
def show_still(request: HttpRequest, run_id: KeyInPath, said: schemas.StillIn) -> Any:
    """Preview one frame of a conversion, before and after. Only a run's newest frame previews are kept."""
    run, asset, snapshot = _swap(request, run_id, said)
    user: Any = request.user
    return 202, shown.still(services.show_still(user, run, asset, said.settings, said.seconds, snapshot=snapshot))


@api.get("/stills/{still_id}", response={200: schemas.StillOut} | _OFTEN, tags=["conversion"])
def read_still(request: HttpRequest, still_id: KeyInPath) -> Any:
    """Return one frame preview."""
    still = Still.objects.select_related("job").filter(pk=still_id).first()
    if still is None:
        raise Http404
    get_run(request.user, still.run_id)
    return shown.still(still)


@api.post("/runs/{run_id}/conversions", response={202: schemas.ConversionOut} | _OFTEN, tags=["conversion"])
def start_conversion(request: HttpRequest, run_id: KeyInPath, said: schemas.ConversionIn) -> Any:
    """Convert a video with a run, or with one of its snapshots."""
    run, asset, snapshot = _swap(request, run_id, said)
    user: Any = request.user
    return 202, shown.conversion(services.start_conversion(user, run, asset, said.settings, snapshot=snapshot))


def _swap(request: HttpRequest, run_id: int, said: schemas.ConversionIn) -> tuple[Run, Asset, Snapshot | None]:
    """The model and the video that are named."""
    run = get_run(request.user, run_id, Verb.EDIT)
    asset = get_asset(request.user, said.asset, Verb.EDIT)
    snapshot = None
    if said.snapshot is not None:
        snapshot = Snapshot.objects.select_related("run__job").filter(pk=said.snapshot, run=run).first()
        if snapshot is None:
            raise Http404
    return run, asset, snapshot


@api.get("/conversions/{conversion_id}", response={200: schemas.ConversionOut} | _OFTEN, tags=["conversion"])
def read_conversion(request: HttpRequest, conversion_id: KeyInPath) -> Any:
    """Return a converted video, and its score if there is one."""
    return shown.conversion(get_conversion(request.user, conversion_id))


@api.post("/conversions/{conversion_id}/score", response={202: schemas.JobOut} | _OFTEN, tags=["conversion"])
def start_score(request: HttpRequest, conversion_id: KeyInPath) -> Any:
    """Score a conversion."""
    user: Any = request.user
    return 202, shown.job(services.start_score(user, get_conversion(user, conversion_id, Verb.EDIT)).job)


# ---- jobs ------------------------------------------------------------------------------------------------------------


@api.get("/jobs/{job_id}", response={200: schemas.JobOut} | _NO, tags=["jobs"])
def read_job(request: HttpRequest, response: HttpResponse, job_id: UUID, wait: SecondsInQuery = 0.0) -> Any:
    """Return a job's progress. With ``wait``, answer after that many seconds (at most 25) or when the job ends.

    Each person can have five waiting requests; any further request is answered at once, with ``Retry-After``.
    """
    return shown.job(waiting.job_at_end(request, response, job_id, wait))


@api.post("/jobs/{job_id}/{change}", response={200: schemas.JobOut} | _OFTEN, tags=["jobs"])
def steer_job(request: HttpRequest, job_id: UUID, change: str) -> Any:
    """Pause, resume, cancel or retry a job: ``change`` is ``pause``, ``resume``, ``cancel`` or ``retry``."""
    if change not in _STEERS:
        raise Http404
    job = get_job_to_steer(request.user, job_id)
    if not CHANGES[change](job):
        return 409, {"code": "job.too_late", "text": f"The job is {job.state} and can't {change}."}
    job.refresh_from_db()
    return 200, shown.job(job)
