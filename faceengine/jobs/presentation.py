"""What pages say of a kind of job. The app that owns the kind writes it down once, when it registers the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise
_PREVIEW = _("Preview {iteration}")


@dataclass(frozen=True)
class Caption:
    """The texts beside a preview; both may name its ``{iteration}``."""

    short: Words = "{iteration}"
    long: Words = _PREVIEW
    """The text that stands for the picture where it can't be seen."""


@dataclass(frozen=True)
class Storage:
    """A category of disk space. Kinds of jobs may share one."""

    name: str
    """Stable, in lower case."""
    label: Words


OTHER = Storage("other", _("Other"))


@dataclass(frozen=True)
class Presentation:
    """The texts of a kind of job, and what its page shows. Texts are marked for translation where they are written."""

    label: Words = ""
    """What a job of the kind does, in the imperative: "Extract faces". Empty: the kind's name."""
    stages: Mapping[str, Words] = field(default_factory=dict)
    """By the ``stage`` of its progress events: what is being done. ``words.STAGES`` has those that kinds share."""
    units: Mapping[str, Words] = field(default_factory=dict)
    """By the ``unit`` of its progress events, beside ``words.UNITS``."""
    caption: Caption = field(default_factory=Caption)
    """Of its previews."""
    losses: bool = False
    """Whether its page has a chart of losses, even before there are any."""
    messages: Mapping[str, Words] = field(default_factory=dict)
    """By the code of its messages and errors: a headline. The codes belong to this kind; ``words.MESSAGES`` has those
    that kinds share."""
    advice: Mapping[str, Words] = field(default_factory=dict)
    """By code: what to do about it, where that can be said in general."""
    audit: Mapping[str, Words] = field(default_factory=dict)
    """By the verb of entries in the audit log: what was done, without who did it. ``{name}`` is a value of the entry's
    ``data``."""
    storage: Storage = OTHER
    """The category that the files of its jobs count for."""
