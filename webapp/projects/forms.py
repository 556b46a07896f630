"""What people say of a project."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import Team
from webapp.names import NameInput


class ProjectForm(forms.Form):
    """A new project of one of somebody's teams."""

    name = NameInput(label=_("name of the project"), max_length=100)
    a = NameInput(label=_("name of person A"), max_length=100, required=False)
    b = NameInput(label=_("name of person B"), max_length=100, required=False)
    team = forms.ModelChoiceField(Team.objects.none(), label=_("team"), empty_label=None)

    def __init__(self, *arguments: Any, teams: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if len(teams) == 1:
            self.initial["team"] = teams[0].pk
            self.fields["team"].widget = forms.HiddenInput()
        if not teams:  # the first project makes the first team
            del self.fields["team"]
        else:
            self.fields["team"].queryset = teams  # type: ignore[attr-defined]
