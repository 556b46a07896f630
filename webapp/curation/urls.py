"""Addresses of the curation room of one person."""

from __future__ import annotations

from django.urls import path

from webapp.curation import decisions, views

app_name = "curation"
urlpatterns = [
    path("", views.room, name="room"),
    path("tiles", views.tiles_of_a_page, name="tiles"),
    path("changes", views.changes, name="changes"),
    path("measures", views.measures, name="measures"),
    path("crops/<int:number>", views.crop, name="crop"),
    path("crops/<int:number>/alike", views.alike_crops, name="alike"),
    path("crops/<int:number>/large", views.large, name="large"),
    path("crops/<int:number>/frame", views.frame, name="frame"),
    path("small/<int:size>/<int:crop_id>", views.small, name="small"),
    path("count", views.count, name="count"),
    path("presence", decisions.presence, name="presence"),
    path("slice", decisions.take_slice, name="slice"),
    path("decide", decisions.decide_crops, name="decide"),
    path("undo", decisions.undo_decision, name="undo"),
    path("settle", decisions.settle_crops, name="settle"),
    path("best", decisions.best, name="best"),
    path("form", decisions.form, name="form"),
    path("rule", decisions.rule, name="rule"),
]
