"""Pages about the API: one's tokens, and what there is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.api.api import api
from webapp.api.forms import TokenForm
from webapp.api.models import ApiToken
from webapp.api.tokens import make_token, works

MOST = 20
"""Tokens of a person."""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens; a new one is in the answer to the very request that made it, and nowhere else."""
    user: Any = request.user
    mine = ApiToken.objects.filter(user=user).select_related("user").order_by("-created_at")
    form, made = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid() and mine.count() < MOST:
        made = make_token(user, **form.cleaned_data)
        form = TokenForm()
    rows = [(token, works(token)) for token in mine]
    return render(request, "api/tokens.html", {"tokens": rows, "made": made, "full": len(rows) >= MOST, "form": form})


@require_POST
@login_required
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token at once."""
    get_object_or_404(ApiToken, pk=token_id, user=request.user).delete()
    return redirect("tokens")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every endpoint, read from the description that machines read."""
    schema = api.get_openapi_schema()
    rows = [
        (method.upper(), path, one["summary"], one.get("description", "").replace("``", ""))
        for path, methods in schema["paths"].items()
        for method, one in methods.items()
    ]
    return render(request, "api/index.html", {"rows": rows, "about": schema["info"]})
