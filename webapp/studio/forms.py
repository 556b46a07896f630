"""The forms that begin things. Their fields, bounds and defaults are those of the engine's configs."""

from __future__ import annotations

import dataclasses
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from faceengine.config import Config
from faceengine.conversion.config import ConvertConfig
from faceengine.extraction.config import ExtractConfig
from faceengine.training.config import TrainConfig
from webapp.names import NameInput
from webapp.studio.models import Run, Snapshot
from webapp.studio.words import CHOICES, FIELDS, LEFT_OUT
from webapp.uploads.models import Asset, AssetKind, AssetState


class ConfigForm(forms.Form):
    """A form some of whose fields are a config's. Subclasses name them."""

    config: type[Config]
    plain: tuple[str, ...] = ()
    """Fields of the config that everybody sees."""
    advanced: tuple[str, ...] = ()
    """Fields of the config that are folded away."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        options = {option.name: option for option in dataclasses.fields(self.config)}
        for name in (*self.plain, *self.advanced):
            self.fields[name] = _field(options[name])

    @property
    def settings(self) -> dict[str, Any]:
        """What was chosen; what was left empty is left to the config."""
        values = {name: self.cleaned_data.get(name) for name in (*self.plain, *self.advanced)}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def folded(self) -> list[forms.BoundField]:
        return [self[name] for name in self.advanced]

    @property
    def open(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.advanced]


def _field(option: dataclasses.Field[Any]) -> forms.Field:
    """A form's field for a config's."""
    bounds, choices = option.metadata, option.metadata["choices"]
    label, help_text = FIELDS[option.name]
    known: dict[str, Any] = {"label": label, "help_text": help_text, "required": False, "initial": option.default}
    if choices:
        own = [
            (choice, CHOICES.get(f"{option.name}.{choice}", CHOICES.get(str(choice), str(choice))))
            for choice in choices
        ]
        shown = [(choice, words) for choice, words in own if words != LEFT_OUT]
        if option.default is None:
            shown.insert(0, ("", _("as the preset says")))
        coerce = float if isinstance(choices[0], float) else str
        return forms.TypedChoiceField(choices=shown, coerce=coerce, empty_value=None, **known)
    limits = {"min_value": bounds["low"], "max_value": bounds["high"]}
    if "float" in str(option.type):
        return forms.FloatField(**known, **limits)
    return forms.IntegerField(**known, **limits)


class ExtractForm(ConfigForm):
    """How closely footage is looked at, and how large the crops are."""

    config = ExtractConfig
    plain = ("every", "size")


class RunForm(ConfigForm):
    """A new training."""

    config = TrainConfig
    plain = ("preset", "minutes")
    advanced = (
        *("iterations", "octave", "batch", "cycle", "seed"),
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
            self.add_error("iterations", _("Give either minutes or iterations."))
        return values


class LongerForm(forms.Form):
    """How much longer a run that has ended is trained."""

    minutes = forms.FloatField(label=_("minutes more"), required=False, min_value=0.01, max_value=100_000)
    iterations = forms.IntegerField(label=_("or: until iteration"), required=False, min_value=1, max_value=100_000_000)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and (values.get("minutes") is None) == (values.get("iterations") is None):
            raise forms.ValidationError(_("Give either minutes or iterations."))
        return values


class ConvertForm(ConfigForm):
    """A new conversion with a run."""

    config = ConvertConfig
    plain = ("blend", "color", "layout", "label", "label_place")
    advanced = ("cover", "smoothing", "sharpen", "erode", "feather", "crf")
    asset = forms.ModelChoiceField(
        Asset.objects.none(),
        label=_("video"),
        empty_label=None,
        help_text=_("In a video of A, A gets the face of B; in a video of B, B gets the face of A."),
    )
    snapshot = forms.ModelChoiceField(
        Snapshot.objects.none(), label=_("snapshot"), required=False, empty_label=_("the newest")
    )

    at = forms.FloatField(
        label=_("moment of the preview"),
        help_text=_("Seconds into the video."),
        required=False,
        min_value=0,
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
        snapshots.choices = [("", _("the newest")), *((one.pk, str(one.iteration)) for one in kept)]  # type: ignore[attr-defined]
