"""Addresses of sign-in, sign-out, teams, and how pages look."""

from __future__ import annotations

from django.urls import include, path

from webapp.accounts import account_views, password_views, team_views, views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("account/", account_views.account, name="account"),
    path("account/password/", account_views.change_password, name="password"),
    path("account/prove/", account_views.send_proof, name="send-proof"),
    path("account/prove/<str:proof_token>/", account_views.prove_address, name="prove-address"),
    path("password/", password_views.AskForReset.as_view(), name="password-reset"),
    path("password/mail/<uidb64>/<token>/", password_views.SetByMail.as_view(), name="set-password-by-mail"),
    path("password/link/<str:reset_token>/", password_views.set_by_link, name="set-password"),
    path("teams/", team_views.teams, name="teams"),
    path("teams/<int:team_id>/", team_views.team, name="team"),
    path("teams/<int:team_id>/invite/", team_views.send_invitation, name="invite"),
    path("teams/<int:team_id>/invitations/<int:invitation_id>/withdraw/", team_views.withdraw, name="withdraw"),
    path("teams/<int:team_id>/members/<int:membership_id>/", team_views.change_member, name="change-member"),
    path("teams/<int:team_id>/members/<int:membership_id>/remove/", team_views.remove, name="remove-member"),
    path("invitations/<str:token>/", team_views.invitation, name="invitation"),
    path("theme/", views.theme, name="theme"),
    path("i18n/", include("django.conf.urls.i18n")),
]
