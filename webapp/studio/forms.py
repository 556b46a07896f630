"""The forms that begin things. Their fields, bounds and defaults are those of :mod:`webapp.studio.options`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webapp.names import NameInput
from webapp.studio.models import Run, Snapshot
from webapp.studio.options import CONVERT, EXTRACT, TRAIN, Option, Options
from webapp.studio.words import CHOICES, FIELDS
from webapp.uploads.models import Asset, AssetKind, AssetState


class OptionsForm(forms.Form):
    """A form some of whose fields are options of a job. Subclasses name them."""

    options: Options
    plain: tuple[str, ...] = ()
    """Options that everybody sees."""
    advanced: tuple[str, ...] = ()
    """Options that are folded away."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        for name in (*self.plain, *self.advanced):
            self.fields[name] = _field(self.options[name])

    @property
    def settings(self) -> dict[str, Any]:
        """What was chosen; what was left empty is left to the engine's default."""
        values = {name: self.cleaned_data.get(name) for name in (*self.plain, *self.advanced)}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def folded(self) -> list[forms.BoundField]:
        return [self[name] for name in self.advanced]

    @property
    def open(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.advanced]


def _field(option: Option) -> forms.Field:
    """Return a form's field for an option."""
    label, help_text = FIELDS[option.name]
    default = option.field.default
    known: dict[str, Any] = {"label": label, "help_text": help_text, "required": False, "initial": default}
    if option.choices:
        shown = [(choice, _called(option.name, choice)) for choice in option.choices]
        if default is None:
            shown.insert(0, ("", _("as in the preset")))
        return forms.TypedChoiceField(choices=shown, coerce=option.kind, empty_value=None, **known)
    if option.kind is bool:
        both = [(value, _called(option.name, value)) for value in (True, False)]
        return forms.TypedChoiceField(choices=both, coerce="True".__eq__, empty_value=None, **known)
    known |= {"min_value": 0 if option.bounds.or_zero else option.low, "max_value": option.high}
    if option.bounds.or_zero:
        known["validators"] = [_at_least(option)]
    return forms.FloatField(**known) if option.kind is float else forms.IntegerField(**known)


def _called(name: str, choice: Any) -> Promise | str:
    return CHOICES.get(f"{name}.{choice}", CHOICES.get(str(choice), str(choice)))


def _at_least(option: Option) -> Callable[[int], None]:
    """Return a validator for numbers that may be 0 or large, but not small."""

    def validate(value: int) -> None:
        if not option.allows(value):
            raise forms.ValidationError(_("Enter 0, or at least %(low)s.") % {"low": int(option.low)})

    return validate


class ExtractForm(OptionsForm):
    """How closely footage is looked at, and how large the crops are."""

    options = EXTRACT
    plain = ("every", "size")


class RunForm(OptionsForm):
    """A new training."""

    options = TRAIN
    plain = ("preset", "minutes")
    advanced = (
        *("iterations", "base", "octave", "batch", "cycle", "seed"),
        *("preview_every", "checkpoint_every", "keep_every"),
    )
    name = NameInput(label=_("name"), max_length=100)
    parent = forms.ModelChoiceField(Snapshot.objects.none(), required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, snapshots: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.fields["parent"].queryset = snapshots  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("minutes") and values.get("iterations"):
            self.add_error("iterations", _("Enter either minutes or iterations."))
        return values


class LongerForm(forms.Form):
    """How much longer a run that has ended is trained."""

    minutes = forms.FloatField(
        label=_("additional minutes"), required=False, min_value=TRAIN["minutes"].low, max_value=TRAIN["minutes"].high
    )
    iterations = forms.IntegerField(
        label=_("or up to iteration"),
        required=False,
        min_value=int(TRAIN["iterations"].low),
        max_value=int(TRAIN["iterations"].high),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and (values.get("minutes") is None) == (values.get("iterations") is None):
            raise forms.ValidationError(_("Enter either minutes or iterations."))
        return values


class ConvertForm(OptionsForm):
    """A new conversion with a run."""

    options = CONVERT
    plain = ("blend", "color", "layout", "label", "label_place")
    advanced = ("cover", "smoothing", "sharpen", "erode", "feather", "crf")
    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        label=_("video"),
        empty_label=None,
        help_text=_("The person in the video gets the face of the other person."),
    )
    snapshot = forms.ModelChoiceField(
        Snapshot.objects.none(), label=_("snapshot"), required=False, empty_label=_("latest checkpoint")
    )

    at = forms.FloatField(
        label=_("time of the preview"),
        help_text=_("Seconds from the start of the video."),
        required=False,
        min_value=0,
        max_value=10_000_000,
        initial=0,
        widget=forms.NumberInput({"step": "any"}),
    )

    def __init__(self, *arguments: Any, run: Run, kept: list[Snapshot], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.kept = kept
        videos = Asset.objects.filter(person__project=run.project_id, state=AssetState.READY, kind=AssetKind.VIDEO)
        # A list, because a select asks for its choices more than once.
        found = list(videos.select_related("person").order_by("person__side", "name"))
        self.videos = {
            one.pk: {
                "url": reverse("uploads:file", args=[one.pk, "file"]),
                "poster": reverse("uploads:file", args=[one.pk, "poster"]) if one.poster else "",
                "duration": one.duration,
            }
            for one in found
        }
        """By key of the video, for those who look for a moment in it."""
        assets = self.fields["asset"]
        assets.queryset = videos  # type: ignore[attr-defined]
        assets.choices = [(one.pk, f"{one.person} · {one.name}") for one in found]  # type: ignore[attr-defined]
        snapshots = self.fields["snapshot"]
        known = Snapshot.objects.filter(pk__in=[one.pk for one in kept])
        snapshots.queryset = known  # type: ignore[attr-defined]
        snapshots.choices = [("", _("latest checkpoint")), *((one.pk, str(one.iteration)) for one in kept)]  # type: ignore[attr-defined]
