"""Files in forms, of which there are none here: what a dataset holds comes by the API and git."""

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoFiles(FileUploadHandler):
    """An upload handler that reads no further than to the first file of a form."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Leave the rest of the form unread."""
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Ignore a chunk, which never comes: `new_file` stops before."""

    def file_complete(self, file_size: int) -> None:
        """Ignore the end of a file, which never comes: `new_file` stops before."""
