"""Rows of web apps that belong to jobs, found by their foreign keys.

So whoever deletes something finds the jobs that go with it, also those of kinds that were added later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import CASCADE, Model, Q, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel

from faceengine.jobs.models import Job


def models_of_jobs() -> list[tuple[type[Model], str]]:
    """Return the models of web apps that have a foreign key to a job, each with the key's name."""
    relations = [one for one in Job._meta.get_fields(include_hidden=True) if isinstance(one, ForeignObjectRel)]
    found = [(one.related_model, one.field.name) for one in relations]
    return [(model, key) for model, key in found if model._meta.app_label != Job._meta.app_label]


def rows_within(model: type[Model], thing: Model) -> QuerySet[Any]:
    """Return the rows of ``model`` that are deleted when ``thing`` is: itself, and what cascades from it."""
    if isinstance(thing, model):
        return model._default_manager.filter(pk=thing.pk)
    found = Q(pk__in=[])
    for path in _paths(model, type(thing), (model,)):
        found |= Q(**{path: thing.pk})
    return model._default_manager.filter(found)


def jobs_within(thing: Model) -> Q:
    """Return the condition for jobs of which some row is ``thing``, or is deleted when it is."""
    found = Q(pk__in=[])
    for model, key in models_of_jobs():
        rows = rows_within(model, thing).exclude(**{key: None})
        found |= Q(pk__in=rows.order_by().values(key))
    return found


def _paths(model: type[Model], target: type[Model], seen: tuple[type[Model], ...]) -> Iterator[str]:
    """Lookups from ``model`` to ``target`` along foreign keys that cascade."""
    for field in model._meta.concrete_fields:
        other = field.related_model
        if field.remote_field is None or field.remote_field.on_delete is not CASCADE or not isinstance(other, type):
            continue
        if other is target:
            yield field.name
        elif other is not Job and other not in seen:
            yield from (f"{field.name}__{path}" for path in _paths(other, target, (*seen, other)))
