"""The one view of the floor."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from archive.datasets.models import Dataset


def show_dataset(request: HttpRequest, number: int) -> JsonResponse:
    """Return a row as JSON."""
    dataset = Dataset.objects.get(number=number)
    return JsonResponse({"number": dataset.number, "access": dataset.access, "modified": dataset.modified})


urlpatterns = [path("<int:number>/", show_dataset)]
