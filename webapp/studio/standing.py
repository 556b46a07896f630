"""Where projects stand on their way from footage to a scored video, and what to do next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from faceengine.jobs.models import Job
from faceengine.jobs.queries import waiting_for
from faceengine.jobs.states import OPEN, State
from faceengine.jobs.words import waiting
from webapp.consent.errors import LACKING
from webapp.consent.gate import PURPOSES, Act
from webapp.consent.models import Consent, Purpose
from webapp.consent.models import Standing as ConsentStanding
from webapp.consent.uses import lacking
from webapp.curation.models import AT_EDGE, USABLE, Crop, CropState
from webapp.projects.models import Person, Project
from webapp.studio.models import Conversion, Run
from webapp.studio.services import ENOUGH
from webapp.uploads.models import Asset, AssetState

STEPS: dict[str, Promise] = {
    "consent": gettext_lazy("Consent"),
    "upload": gettext_lazy("Footage"),
    "extract": gettext_lazy("Faces"),
    "curate": gettext_lazy("Face review"),
    "train": gettext_lazy("Training"),
    "convert": gettext_lazy("Conversion"),
    "score": gettext_lazy("Score"),
}
"""The way, in its order."""


@dataclass(frozen=True)
class Next:
    """The next thing to do, or what is being waited for (then without a button)."""

    text: str
    button: str = ""
    url: str = ""
    posts: bool = False
    """Whether the button begins something, rather than leading to a page."""


@dataclass
class PersonStanding:
    """One of the two people: how much footage, how many faces, what is at work."""

    person: Person
    ready: int = 0
    checking: int = 0
    states: dict[str, int] = field(default_factory=dict)
    at_edge: int = 0
    """Faces that training would take if less of them lay outside the frame."""
    consent: Consent | None = None
    """The live one, or else the newest."""

    @property
    def lacking(self) -> list[str]:
        """What the live consent does not allow, in sentences."""
        return [str(LACKING[purpose] % {"person": self.person}) for purpose in lacking(self.consent)]

    @property
    def agreed(self) -> bool:
        """Whether the person's consent is live."""
        return self.consent is not None and self.consent.standing == ConsentStanding.LIVE

    @property
    def consent_page(self) -> str:
        """The address of the page where the person is asked, and the answer is reviewed."""
        return reverse("consent:person", args=[self.person.project_id, self.person.side])

    @property
    def job(self) -> Job | None:
        """The person's extraction."""
        return self.person.face_set.job if hasattr(self.person, "face_set") else None

    @property
    def busy(self) -> bool:
        """Whether faces are being extracted."""
        return self.job is not None and self.job.state in OPEN

    @property
    def waits(self) -> bool:
        """Whether the extraction is to begin, but has not."""
        return self.job is not None and self.job.state in (State.QUEUED, State.PAUSED)

    @property
    def waiting(self) -> str:
        """For what the extraction waits, in words; asks the database."""
        return waiting(waiting_for(self.job)) if self.job is not None and self.waits else ""

    @property
    def comparing(self) -> bool:
        """Whether the faces are to be compared with a new recording."""
        return hasattr(self.person, "face_set") and self.person.face_set.to_compare

    @property
    def failed(self) -> bool:
        """Whether the last extraction came to no good end."""
        return self.job is not None and self.job.state in (State.FAILED, State.CANCELLED)

    @property
    def faces(self) -> int:
        return sum(self.states.values())

    @property
    def usable(self) -> int:
        """Faces that training would take."""
        return sum(self.states.get(state, 0) for state in USABLE) - self.at_edge

    @property
    def judged(self) -> int:
        unjudged = (CropState.NEW, CropState.UNSURE, CropState.OTHER)
        return self.faces - sum(self.states.get(state, 0) for state in unjudged)

    @property
    def unsure(self) -> int:
        """Faces that may be somebody else's: left out until somebody keeps them."""
        return self.states.get(CropState.UNSURE, 0)

    @property
    def others(self) -> int:
        """Faces that are somebody else's: set aside."""
        return self.states.get(CropState.OTHER, 0)

    @property
    def mostly_others(self) -> bool:
        """Whether training is refused for that."""
        return self.others * 2 > self.faces

    @property
    def disputed(self) -> int:
        return self.states.get(CropState.DISPUTED, 0)


@dataclass
class Standing:
    """Where one project stands."""

    project: Project
    people: list[PersonStanding] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    """Newest first."""
    conversions: list[Conversion] = field(default_factory=list)
    """Newest first."""

    @property
    def agreed(self) -> bool:
        """Whether both people have live consents: nothing moves before."""
        return all(person.agreed for person in self.people)

    @property
    def steps(self) -> list[tuple[Promise, str]]:
        """Each step's name, and whether it is ``done``, ``skipped``, ``now``, or empty for what is still to come."""
        reached = list(STEPS).index(self.step) if self.step else len(STEPS)
        marks = ["done" if place < reached else "now" if place == reached else "" for place in range(len(STEPS))]
        curated = list(STEPS).index("curate")
        if curated < reached and not all(person.judged for person in self.people):
            marks[curated] = "skipped"
        return list(zip(STEPS.values(), marks, strict=True))

    @property
    def step(self) -> str:
        """The first step that isn't done; empty after the last."""
        done = {
            "consent": self.agreed,
            "upload": all(person.ready for person in self.people),
            "extract": all(person.usable >= ENOUGH and not person.busy for person in self.people),
            "curate": bool(self.runs) or all(person.judged for person in self.people),
            "train": self.trained,
            "convert": any(one.result for one in self.conversions),
            "score": any(_score_state(one) == State.DONE for one in self.conversions),
        }
        return next((step for step in STEPS if not done[step]), "")

    @property
    def trained(self) -> bool:
        """Whether a training has come to its end, or one that was stopped has been used all the same."""
        return any(run.job.state == State.DONE for run in self.runs) or any(one.result for one in self.conversions)

    @property
    def model(self) -> Run | None:
        """The newest run that something can be converted with."""
        return next((run for run in self.runs if run.job.checkpoint is not None), None)

    @property
    def next(self) -> Next:
        """What to do next."""
        step = self.step
        if step == "consent":
            return min((_consent_of(one) for one in self.people if not one.agreed), key=lambda found: not found.button)
        if (purpose := _purpose_of(step)) and (found := _use_of(self.people, purpose)) is not None:
            return found
        if step in ("upload", "extract"):
            return next(found for person in self.people if (found := _next_for(person)) is not None)
        if step == "curate":
            return self._curate()
        if step == "train":
            return self._train()
        return self._convert() if step == "convert" else self._score()

    def _curate(self) -> Next:
        person = next(one.person for one in self.people if not one.judged)
        text = _("Review the faces of %(person)s. Reject those that are blurred, covered or of another person.")
        url = reverse("curation:room", args=[self.project.pk, person.side])
        return Next(text % {"person": person}, _("Review faces"), url)

    def _train(self) -> Next:
        run = self.runs[0] if self.runs else None
        if run is not None and run.job.state in OPEN:
            return _at_work(run)
        if run is not None and run.job.checkpoint is not None:
            text = _("The training ended early. Train longer, or convert a video with its latest checkpoint.")
            return Next(text, _("View training"), reverse("studio:run", args=[run.pk]))
        text = _("Everything is ready to train a model of both faces.")
        return Next(text, _("Start training"), reverse("studio:new-run", args=[self.project.pk]))

    def _convert(self) -> Next:
        if any(one.job.state in OPEN for one in self.conversions):
            return Next(_("A video is being converted."))
        assert self.model is not None
        url = f"{reverse('studio:run', args=[self.model.pk])}#convert"
        return Next(_("The model is trained. Convert a video with it."), _("Convert a video"), url)

    def _score(self) -> Next:
        if any(_score_state(one) in OPEN for one in self.conversions):
            return Next(_("A conversion is being scored."))
        newest = next(one for one in self.conversions if one.result)
        url = reverse("studio:conversion", args=[newest.pk])
        if self.step:
            return Next(_("The video is converted. View the result and score it."), _("View result"), url)
        return Next(_("All steps are done. The result has a score."), _("View result"), url)


def _purpose_of(step: str) -> Purpose | None:
    """Return what both people must have agreed to for a step, if it is one that the gate asks about."""
    return PURPOSES.get(Act(step)) if step in Act.values else None


def _at_work(run: Run) -> Next:
    """A training that has not ended."""
    if run.job.state == State.QUEUED and run.job.checkpoint is None:
        return Next(_("The training is queued."))
    if run.job.checkpoint is None:
        return Next(_("Training is running. You can try it on a frame after the first checkpoint."))
    url = f"{reverse('studio:run', args=[run.pk])}#convert"
    return Next(_("Training is running. You can already try it on a frame."), _("Try it on a frame"), url)


def _consent_of(standing: PersonStanding) -> Next:
    """What a person's consent still needs; without a button, if it is the person's turn."""
    person, consent, url = standing.person, standing.consent, standing.consent_page
    if consent is not None and consent.standing == ConsentStanding.ASKED:
        return Next(_("%(person)s has been asked for consent but has not answered yet.") % {"person": person})
    if consent is not None and consent.standing == ConsentStanding.WAITING:
        text = _("The consent of %(person)s is waiting for review. A member who did not request it must review it.")
        return Next(text % {"person": person}, _("Review consent"), url)
    text = _("Ask %(person)s for consent. You can upload footage when both people have agreed.")
    return Next(text % {"person": person}, _("Ask for consent"), url)


def _use_of(people: list[PersonStanding], purpose: str) -> Next | None:
    """The use that one of the two has left out and must be asked for; ``None`` if both allow it."""
    for one in people:
        if purpose in lacking(one.consent):
            text = LACKING[purpose] % {"person": one.person}
            return Next(text, _("Ask %(person)s") % {"person": one.person}, one.consent_page)
    return None


def _next_for(standing: PersonStanding) -> Next | None:
    """What one person still needs before training; ``None`` for nothing."""
    person = standing.person
    names = {"person": person, "count": standing.usable, "enough": ENOUGH}
    footage = reverse("uploads:room", args=[person.project_id, person.side])
    if not standing.ready:
        if standing.checking:
            return Next(_("The footage of %(person)s is being checked.") % names)
        return Next(_("Upload footage of %(person)s.") % names, _("Upload footage"), footage)
    if standing.waits:
        return Next(_("The extraction of the faces of %(person)s is queued.") % names)
    if standing.busy:
        return Next(_("The faces of %(person)s are being extracted.") % names)
    if not standing.faces or standing.failed:
        url = reverse("studio:extract", args=[person.project_id, person.side])
        return Next(_("Extract the faces of %(person)s.") % names, _("Extract faces"), url, posts=True)
    if standing.usable < ENOUGH:
        text = _("%(person)s has %(count)d usable faces. Training needs at least %(enough)d. Upload more footage.")
        return Next(text % names, _("Upload footage"), footage)
    return None


def standings(projects: Iterable[Project]) -> list[Standing]:
    """Where each of ``projects`` stands, in their order; always six queries."""
    found = {project.pk: Standing(project) for project in projects}
    _add_people(found)
    beside = ("job", "created_by")
    for run in Run.objects.filter(project__in=found).select_related(*beside).order_by("-created_at", "-id"):
        found[run.project_id].runs.append(run)
    of_them = Conversion.objects.filter(run__project__in=found).order_by("-created_at", "-id")
    for conversion in of_them.select_related("job", "run", "score__job", "asset"):
        found[conversion.run.project_id].conversions.append(conversion)
    return list(found.values())


def _add_people(found: dict[int, Standing]) -> None:
    people = Person.objects.filter(project__in=found).select_related("face_set__job").order_by("project", "side")
    known = {person.pk: PersonStanding(person) for person in people}
    assets = Asset.objects.filter(person__in=known).order_by().values_list("person", "state").annotate(Count("pk"))
    for person, state, count in assets:
        known[person].ready += count if state == AssetState.READY else 0
        known[person].checking += count if state == AssetState.CHECKING else 0
    crops = Crop.objects.filter(face_set__person__in=known).order_by()
    states: dict[int, dict[str, int]] = defaultdict(dict)
    counted = crops.values_list("face_set__person", "state").annotate(Count("pk"), edge=Count("pk", filter=AT_EDGE))
    for person, state, count, at_edge in counted:
        states[person][state] = count
        known[person].at_edge += at_edge if state in USABLE else 0
    for consent in Consent.objects.filter(person__in=known).order_by("asked_at"):
        one = known[consent.person_id or 0]
        one.consent = one.consent if one.agreed else consent
    for pk, standing in known.items():
        standing.states = states[pk]
        standing.person.project = found[standing.person.project_id].project
        found[standing.person.project_id].people.append(standing)


def _score_state(conversion: Conversion) -> str:
    return conversion.score.job.state if hasattr(conversion, "score") else ""
