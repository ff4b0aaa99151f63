"""The addresses of the blog."""

from django.urls import path

from blog import views

urlpatterns = [
    path("test", views.test),
    path("test/locked", views.locked),
    path("score", views.score),
]
