"""The addresses of the pages. Those of datasets are in their metadata, with or without a slash at the end."""

from django.urls import path, re_path

from dandiapi.web import differences, oauth, operations, people, questionnaire, views

DATASET = r"^dandiset/(?P<identifier>\d{6})"
# Its name by the clock, its label or its ordinal. A label that is the name of a page is that of the page.
VERSION_NAME = r"[^/]{1,64}"
VERSION = rf"{DATASET}/(?P<name>{VERSION_NAME})"

urlpatterns = [
    path("", views.home, name="home"),
    path("dandiset/my", views.own_datasets, name="own-datasets"),
    path("dandiset/starred", views.starred_datasets, name="starred-datasets"),
    re_path(rf"{DATASET}/?$", views.newest_version, name="dataset"),
    re_path(rf"{DATASET}/publish$", views.publish_draft, name="publish"),
    re_path(rf"{DATASET}/star$", views.star, name="star"),
    re_path(rf"{VERSION}/?$", views.version, name="version"),
    re_path(rf"{VERSION}/files/?$", views.files, name="files"),
    re_path(rf"{VERSION}/files/(?P<path>.+)$", views.file, name="file"),
    re_path(rf"{VERSION}/diff/(?P<other>{VERSION_NAME})/?$", differences.differences, name="differences"),
    path("account/tokens/", views.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke", views.revoke, name="revoke-token"),
    path("oauth/authorize/", oauth.AuthorizeView.as_view(), name="authorize"),
    path("oauth/token/", oauth.TokenView.as_view()),
    path("oauth/revoke_token/", oauth.RevokeTokenView.as_view()),
    path("api/users/questionnaire-form/", questionnaire.questionnaire, name="questionnaire"),
    path("account/about-you/", questionnaire.about_you, name="about-you"),
    path("dashboard/", people.dashboard, name="dashboard"),
    path("dashboard/archive/", operations.operations, name="operations"),
    path("dashboard/user/<str:username>/", people.review_user, name="review-user"),
    path("dashboard/mailchimp/", people.mailing_list, name="mailing-list"),
    path("robots.txt", views.robots),
    path("favicon.ico", views.favicon),
]
