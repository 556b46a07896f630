"""Addresses of consent: the team's, and those of people without an account."""

from __future__ import annotations

from django.urls import path

from webapp.consent import own_link_views, person_views, team_views

app_name = "consent"
urlpatterns = [
    path("projects/<int:project_id>/<str:side>/consent/", team_views.person, name="person"),
    path("projects/<int:project_id>/<str:side>/consent/ask/", team_views.ask, name="ask"),
    path("projects/<int:project_id>/statement/", team_views.statement_page, name="statement"),
    path("consents/<uuid:consent_id>/link/", team_views.renew_link, name="link"),
    path("consents/<uuid:consent_id>/take-back/", team_views.take_back, name="take-back"),
    path("consents/<uuid:consent_id>/hand-in/", team_views.hand_in_file, name="hand-in"),
    path("consents/<uuid:consent_id>/own-link/", team_views.pass_on_link, name="pass-on"),
    path("consents/<uuid:consent_id>/review/", team_views.review, name="review"),
    path("consents/<uuid:consent_id>/withdraw/", team_views.end, name="end"),
    path("consents/evidence/<uuid:evidence_id>/", team_views.evidence_file, name="evidence"),
    path("consent/withdraw/<str:own_token>/", person_views.withdraw_page, name="withdraw"),
    path("consent/withdraw/<str:own_token>/renew/", own_link_views.renew, name="renew"),
    path("consent/own/<str:passed_token>/", own_link_views.take, name="take"),
    path("consent/lost/", own_link_views.lost, name="lost"),
    path("consent/lost/<str:mail_token>/", own_link_views.by_mail, name="renew-by-mail"),
    path("consent/<str:link_token>/", person_views.agree_page, name="agree"),
]
