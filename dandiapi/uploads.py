"""Files in forms, of which there are none here: what a dataset holds comes by the API and git."""

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoFiles(FileUploadHandler):
    """Reads no further than to the first file of a form."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Have the rest of the form left unread."""
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Nothing comes here."""

    def file_complete(self, file_size: int) -> None:
        """Nothing comes here."""
