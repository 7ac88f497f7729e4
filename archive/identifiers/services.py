"""Handing out numbers."""

from collections.abc import Callable

from django.db import connection, transaction

DATASET_SEQUENCE = "dataset"


def next_number(sequence: str, *, is_taken: Callable[[int], bool]) -> int:
    """Return the next number of `sequence`, from 1, that is not taken. Must run in the transaction that takes it.

    Takers wait for each other until their transactions end, so no number is handed out twice, and a transaction that is
    rolled back leaves no gap.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("next_number must run inside a transaction")
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO archive_sequence (name, last) VALUES (%s, 1)
                ON CONFLICT (name) DO UPDATE SET last = archive_sequence.last + 1
                RETURNING last
                """,
                [sequence],
            )
            (number,) = cursor.fetchone()
        if not is_taken(number):
            return int(number)
