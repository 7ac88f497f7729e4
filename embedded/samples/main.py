"""The order of things: find or create both datasets, add what they lack, publish the one that is to be published."""

import tempfile
from pathlib import Path

from tqdm import tqdm

from .bids import dataset as bids_dataset
from .nwb import dataset as nwb_dataset
from .sample import SampleDataset
from .upload import Archive, Draft


def main(api_url: str, token: str) -> None:
    """Add the sample datasets to the archive, as far as they are missing, under one progress bar.

    Raises EmbeddedError when the archive refuses something.
    """
    samples = [nwb_dataset(), bids_dataset()]
    with Archive(api_url, token) as archive, tqdm(total=_steps(samples), desc="Sample data", unit="file") as bar:
        for sample in samples:
            _complete(archive, sample, bar)


def _steps(samples: list[SampleDataset]) -> int:
    return sum(len(sample.files) for sample in samples)


def _complete(archive: Archive, sample: SampleDataset, bar: "tqdm[None]") -> None:
    draft = archive.find_or_create(sample)
    _add_missing_files(draft, sample, bar)
    if sample.published:
        draft.publish()


def _add_missing_files(draft: Draft, sample: SampleDataset, bar: "tqdm[None]") -> None:
    present = draft.paths()
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(sample.files):
            if file.path not in present:
                content = Path(folder, f"{number}-{Path(file.path).name}")
                file.write(content)
                draft.add(file, content)
            bar.update()
