from django.db import migrations
from django.db.models import OuterRef, Subquery

WAYS = [
    ("uploads", "Asset", "person__project__team"),
    ("curation", "FaceSet", "person__project__team"),
    ("studio", "Run", "project__team"),
    ("studio", "Still", "run__project__team"),
    ("studio", "Conversion", "run__project__team"),
    ("studio", "Score", "conversion__run__project__team"),
]


def say_whose(apps, schema_editor):
    """Tell jobs from before jobs had groups their teams: by their mandates, else by the rows they belong to."""
    jobs = apps.get_model("jobs", "Job").objects
    mandates = apps.get_model("consent", "Mandate").objects.filter(pk=OuterRef("mandate"))
    jobs.filter(group=None).exclude(mandate=None).update(group=Subquery(mandates.values("project__team")[:1]))
    for app, model, way in WAYS:
        rows = apps.get_model(app, model).objects
        theirs = Subquery(rows.filter(job=OuterRef("pk")).values(way)[:1])
        jobs.filter(group=None, pk__in=rows.exclude(job=None).values("job")).update(group=theirs)
    whole = Subquery(jobs.filter(pk=OuterRef("parent")).values("group")[:1])
    jobs.filter(group=None).exclude(parent=None).update(group=whole)


class Migration(migrations.Migration):

    dependencies = [
        ("studio", "0002_still"),
        ("jobs", "0003_job_group"),
        ("consent", "0001_initial"),
        ("curation", "0001_initial"),
        ("uploads", "0001_initial"),
        ("projects", "0001_initial"),
    ]

    operations = [migrations.RunPython(say_whose, migrations.RunPython.noop)]
