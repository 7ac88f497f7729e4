"""A small NWB dataset: two mice, two sessions each, extracellular electrophysiology while they run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import ElectricalSeries
from pynwb.file import Subject
from pynwb.misc import Units

from .sample import FEMALE, MALE, Metadata, SampleDataset, SampleFile, dandiset_metadata, participant, species

SECONDS = 10
CHANNELS = 4
RATE = 1000.0
AREA = "Primary visual area"


@dataclass(frozen=True)
class Mouse:
    """A mouse that never lived."""

    name: str
    sex: str
    age: str

    def metadata(self) -> Metadata:
        """Return the mouse as the metadata of its files name it."""
        return participant(
            self.name,
            species(10090, "Mus musculus - House mouse"),
            FEMALE if self.sex == "F" else MALE,
            self.age,
        )


@dataclass(frozen=True)
class Session:
    """A recording of a mouse."""

    mouse: Mouse
    number: int

    @property
    def name(self) -> str:
        return f"{self.mouse.name}-session{self.number}"

    @property
    def path(self) -> str:
        return f"sub-{self.mouse.name}/sub-{self.mouse.name}_ses-{self.number}_ecephys.nwb"

    @property
    def start(self) -> datetime:
        return datetime(2026, 1, 4 + self.number, 10, tzinfo=UTC)

    @property
    def description(self) -> str:
        return f"Session {self.number} of {self.mouse.name} on a running wheel, generated, not recorded."

    def metadata(self) -> Metadata:
        """Return the session as the metadata of its file name it."""
        return {
            "schemaKey": "Session",
            "identifier": self.name,
            "name": self.name,
            "description": self.description,
            "startDate": self.start.isoformat(),
        }


def dataset() -> SampleDataset:
    """Return the dataset; its files are made when they are written."""
    mice = [Mouse("M01", "F", "P90D"), Mouse("M02", "M", "P84D")]
    return SampleDataset(
        name="Sample: extracellular recordings of running mice (NWB)",
        metadata=dandiset_metadata(
            "Generated voltages, spike times and running speeds of two mice that never lived, in four NWB files. "
            "It is here so that a new archive has something to show.",
            ["sample data", "electrophysiology", "mouse", "running"],
        ),
        files=[_file(Session(mouse, number)) for mouse in mice for number in (1, 2)],
        published=True,
    )


def _file(session: Session) -> SampleFile:
    return SampleFile(
        path=session.path,
        encoding="application/x-nwb",
        write=partial(_write, session),
        metadata={
            "wasAttributedTo": [session.mouse.metadata()],
            "wasGeneratedBy": [session.metadata()],
            "approach": [{"schemaKey": "ApproachType", "name": "electrophysiological approach"}],
            "measurementTechnique": [
                {"schemaKey": "MeasurementTechniqueType", "name": "multi electrode extracellular electrophysiology"}
            ],
            "variableMeasured": [
                {"schemaKey": "PropertyValue", "value": name} for name in ("ElectricalSeries", "Units", "TimeSeries")
            ],
        },
    )


def _write(session: Session, target: Path) -> None:
    random = np.random.default_rng([int(session.mouse.name[1:]), session.number])
    file = _empty_file(session)
    _add_voltages(file, random)
    _add_spikes(file, random)
    _add_running(file, random)
    with NWBHDF5IO(target, "w") as writer:
        writer.write(file)


def _empty_file(session: Session) -> NWBFile:
    return NWBFile(
        identifier=session.name,
        session_id=str(session.number),
        session_description=session.description,
        session_start_time=session.start,
        experimenter=["Sample, Person"],
        experiment_description="Running on a wheel in the dark.",
        institution="Institute of Samples",
        lab="Sample Lab",
        keywords=["sample data", "running"],
        subject=Subject(
            subject_id=session.mouse.name,
            species="Mus musculus",
            sex=session.mouse.sex,
            age=session.mouse.age,
            description="A mouse that never lived.",
        ),
    )


def _add_voltages(file: NWBFile, random: np.random.Generator) -> None:
    device = file.create_device(name="probe", description="A probe of four channels", manufacturer="None")
    group = file.create_electrode_group(name="shank", description="The only shank", location=AREA, device=device)
    for _ in range(CHANNELS):
        file.add_electrode(group=group, location=AREA)
    noise = random.normal(scale=20, size=(int(SECONDS * RATE), CHANNELS)).astype("int16")
    file.add_acquisition(
        ElectricalSeries(
            name="voltages",
            description="Noise, in place of voltages",
            data=noise,
            electrodes=file.create_electrode_table_region(list(range(CHANNELS)), "All channels"),
            rate=RATE,
            starting_time=0.0,
            conversion=1e-6,
        )
    )


def _add_spikes(file: NWBFile, random: np.random.Generator) -> None:
    file.units = Units(name="units", description="Cells that never fired", resolution=1 / RATE)
    for _ in range(3):
        file.add_unit(spike_times=np.sort(random.uniform(0, SECONDS, size=50)))


def _add_running(file: NWBFile, random: np.random.Generator) -> None:
    speed = np.abs(np.cumsum(random.normal(scale=0.002, size=SECONDS * 50)))
    behavior = file.create_processing_module(name="behavior", description="How fast the mouse ran")
    behavior.add(
        TimeSeries(
            name="running_speed",
            description="Speed of the surface of the wheel",
            data=speed,
            unit="m/s",
            rate=50.0,
            starting_time=0.0,
        )
    )
