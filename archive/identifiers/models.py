"""Sequence: where numbers come from."""

from django.db import models


class Sequence(models.Model):
    """A counter that hands out numbers; a row lock makes takers wait in line."""

    name = models.CharField(max_length=32, primary_key=True)
    last = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"
